// SPDX-License-Identifier: Apache-2.0
#include "sync/quarantine_stage.hpp"

#include <algorithm>
#include <utility>

namespace repoupdate {
namespace {

// What is tried again all the time is written down this often.
constexpr Duration k_note_tries_every{std::chrono::minutes(10)};

const ObjectInfo* find(const std::vector<ObjectInfo>& objects, const std::string& href) {
  const auto found = std::ranges::lower_bound(objects, href, {}, &ObjectInfo::key);
  return found == objects.end() || found->key != href ? nullptr : &*found;
}

// The record as it is to be: of the same bytes it goes on counting.
void note(QuarantineRecords& records, QuarantineRecord fresh) {
  const auto known = records.find(fresh.href);
  if (known == records.end()) {
    std::string href = fresh.href;
    records.emplace(std::move(href), std::move(fresh));
    return;
  }
  QuarantineRecord& record = known->second;
  if (record.size == fresh.size && bare(record.etag) == bare(fresh.etag)) {
    fresh.since = record.since;
    fresh.tries = record.tries + 1;
    const bool is_same = record.kind == fresh.kind && record.reason == fresh.reason && record.judge == fresh.judge &&
                         record.stands == fresh.stands && record.is_listed == fresh.is_listed;
    if (is_same && !fresh.stands && fresh.tried - record.tried < k_note_tries_every) return;
  }
  record = std::move(fresh);
}

}  // namespace

QuarantineStage::QuarantineStage(const Repository& repository, WriteTurn& turn, Clock& clock)
    : m_repository(repository), m_turn(turn), m_clock(clock) {
  if (is_kept() && repository.memory) m_sight = repository.memory->quarantine(repository.name);
  if (m_sight) m_report.total = m_sight->records.size();
}

void QuarantineStage::know(QuarantineSight sight) {
  m_report.total = sight.records.size();
  if (m_repository.memory) m_repository.memory->keep_quarantine(m_repository.name, sight);
  m_sight = std::move(sight);
}

void QuarantineStage::look(const PackageObjects& listing) {
  if (!is_kept()) return;
  // Local files cost nothing, and listings of directories do not show hidden ones.
  const bool is_shown = !m_repository.quarantine.store && !m_repository.store->is_local();
  if (is_shown) {
    const auto& object = listing.quarantine;
    if (!object) return know({});
    if (m_sight && m_sight->etag && bare(*m_sight->etag) == bare(object->etag)) return;
    if (object->size == 0) return know({object->etag, {}});
  }
  auto sight = read_quarantine(m_repository);
  if (!sight) {
    m_sight.reset();
    m_report.failure = std::move(sight).error();
    return;
  }
  know(*std::move(sight));
}

void QuarantineStage::hold_back(const PackageObjects& listing, std::set<std::string>& keys) {
  m_report.held.clear();
  if (!m_sight) return;
  for (const auto& [href, record] : m_sight->records) {
    const ObjectInfo* object = find(listing.packages, href);
    if (!object || !m_repository.owns(href)) continue;  // gone: settle() drops it
    const bool same = is_of(record, *object) && record.judge == m_repository.policy.judge;
    if (record.stands && same) {
      keys.erase(href);
      m_report.held.push_back(record);
    } else {
      keys.insert(href);
    }
  }
}

QuarantineRecord QuarantineStage::record_of(const PackageFailure& failure, const Findings& findings) const {
  const auto finding = findings.find(failure.href);
  const bool was_seen = finding != findings.end() && !finding->second.etag.text.empty();
  std::string reason = failure.error.text();
  if (reason.size() > k_max_quarantine_reason) {
    auto end = k_max_quarantine_reason;
    while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0) == 0x80) --end;  // not within a character
    reason.resize(end);
  }
  return {.href = failure.href,
          .size = was_seen ? finding->second.size : 0,
          .etag = was_seen ? finding->second.etag : ETag{},
          .kind = failure.error.kind,
          .reason = std::move(reason),
          .since = m_clock.now(),
          .tried = m_clock.now(),
          .tries = 1,
          .judge = m_repository.policy.judge,
          .stands = was_seen && is_final(failure.error.kind) && !failure.depends_on_others,
          .is_listed = failure.is_listed};
}

// Keys whose record has no reason any more.
std::vector<std::string> QuarantineStage::released(const std::vector<PackageFailure>& failures,
                                                   const Findings& findings, const PackageObjects* listing) const {
  std::vector<std::string> keys;
  if (!m_sight) return keys;
  const auto fails = [&](const std::string& href) {
    return std::ranges::find(failures, href, &PackageFailure::href) != failures.end();
  };
  for (const auto& [href, record] : m_sight->records) {
    const auto finding = findings.find(href);
    const bool was_looked_at = finding != findings.end();
    const bool is_gone = listing && m_repository.owns(href) && !find(listing->packages, href);
    if (was_looked_at ? !std::holds_alternative<Error>(finding->second.what) && !fails(href) : is_gone)
      keys.push_back(href);
  }
  return keys;
}

QuarantineReport QuarantineStage::settle(const std::vector<PackageFailure>& failures, const Findings& findings,
                                         const PackageObjects* listing, bool passing, std::stop_token stop) {
  std::erase_if(m_report.held, [&](const auto& record) { return findings.contains(record.href); });
  if (!is_kept()) return m_report;
  std::vector<QuarantineRecord> fresh;
  for (const auto& failure : failures)
    if (is_final(failure.error.kind) || passing) fresh.push_back(record_of(failure, findings));
  const auto leaving = released(failures, findings, listing);
  if (fresh.empty() && leaving.empty()) return m_report;
  const auto edit = [&, before = m_sight](QuarantineRecords& records) {
    m_report.added.clear(), m_report.released.clear();
    for (const auto& href : leaving) {
      const auto record = records.find(href);
      // What somebody else has written since we looked is of another look than ours.
      if (record == records.end() || record->second != before->records.at(href)) continue;
      records.erase(record);
      m_report.released.push_back(href);
    }
    for (const auto& record : fresh) {
      if (!records.contains(record.href)) m_report.added.push_back(record.href);
      note(records, record);
    }
    m_report.not_recorded = records.size();
  };
  auto written = edit_quarantine(m_repository, m_turn, m_clock, edit, m_sight, std::move(stop));
  if (!written) {
    m_report.added.clear(), m_report.released.clear();
    m_report.not_recorded = fresh.size();
    m_report.failure = std::move(written).error();
    if (m_repository.memory) m_repository.memory->forget_quarantine(m_repository.name);
    return m_report;
  }
  m_report.not_recorded -= written->records.size();
  std::erase_if(m_report.added, [&](const auto& href) { return !written->records.contains(href); });
  know(*std::move(written));
  return m_report;
}

}  // namespace repoupdate
