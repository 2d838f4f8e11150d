// SPDX-License-Identifier: Apache-2.0
#include "app/daemon_metrics.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace repoupdate {
namespace {

// Seconds. A publication takes the quiet time and some requests; above a minute something is slow, above an hour ill.
constexpr std::array k_visible_bounds{0.5,  1.0,  2.0,  3.0,  4.0,   5.0,   7.5,   10.0,   15.0,
                                      20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 21'600.0};
constexpr std::array k_stage_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,   0.25,  0.5,
                                    1.0,   2.5,    5.0,   10.0, 25.0,  60.0, 120.0, 300.0, 900.0};

constexpr MetricName k_messages_received{"repoupdate_messages_received_total", "Messages that a source delivered."};
constexpr MetricName k_messages_acknowledged{"repoupdate_messages_acknowledged_total",
                                             "Messages that are gone from the queue: what they named is visible, "
                                             "belongs to no repository, or was given up."};
constexpr MetricName k_messages_postponed{"repoupdate_messages_postponed_total",
                                          "Messages that were left for later without being worked on."};
constexpr MetricName k_messages_failed{
    "repoupdate_messages_failed_total",
    "Messages of no use, by themselves or for a package: they come again, or go to the dead-letter queue."};
constexpr MetricName k_messages_parked{"repoupdate_messages_parked_total",
                                       "Messages that were given up: the log has what they were about."};
constexpr MetricName k_unrouted{"repoupdate_events_unrouted_total",
                                "Events of packages that lie in no repository: acknowledged, and nothing else."};
constexpr MetricName k_messages_open{"repoupdate_open_messages", "Messages received and not acknowledged yet."};
constexpr MetricName k_oldest_age{"repoupdate_oldest_message_age_seconds",
                                  "Age of the oldest message that is open, since it was sent; 0 when none is."};
constexpr MetricName k_source_up{"repoupdate_source_up", "1 when the source answers, 0 when it does not."};

constexpr MetricName k_updates{"repoupdate_updates_total", "Updates of a repository, by how they ended."};
constexpr MetricName k_changes{"repoupdate_packages_changed_total",
                               "Packages in what was published, by what was done."};
constexpr MetricName k_skipped{"repoupdate_packages_skipped_total",
                               "Times that a package could not be read or was refused; its neighbours were published."};
constexpr MetricName k_lost_races{"repoupdate_lost_races_total",
                                  "Publications that another writer was ahead of; they were planned again."};
constexpr MetricName k_packages{"repoupdate_packages", "Packages that the metadata list."};
constexpr MetricName k_quarantined{"repoupdate_packages_quarantined", "Packages that stand in quarantine."};
constexpr MetricName k_repository_up{"repoupdate_repository_up", "1 when the repository can be worked on, 0 when not."};
constexpr MetricName k_ready{"repoupdate_ready", "1 when /readyz says ready, 0 when it does not."};
constexpr MetricName k_key_expires{"repoupdate_signing_key_expires_timestamp_seconds",
                                   "When the first of the keys that sign the repository expires; 0: none does."};
constexpr MetricName k_last_publication{"repoupdate_last_publication_timestamp_seconds",
                                        "When the repository was last published; 0: not by this process."};
constexpr MetricName k_last_success{"repoupdate_last_success_timestamp_seconds",
                                    "When an update of it last ended well, whether or not there was something to do."};
constexpr MetricName k_last_failure{"repoupdate_last_failure_timestamp_seconds",
                                    "When an update of it last failed; 0: none of this process."};
constexpr MetricName k_visible{"repoupdate_event_to_visible_seconds",
                               "From the event of a package to its being visible, for each package published."};
constexpr MetricName k_stages{"repoupdate_stage_seconds", "Time of each stage of the updates that published."};

double seconds(ExactTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

SourceMetrics::SourceMetrics(MetricTable& table, const std::string& source)
    : received(table.counter(k_messages_received, {{"source", source}})),
      acknowledged(table.counter(k_messages_acknowledged, {{"source", source}})),
      postponed(table.counter(k_messages_postponed, {{"source", source}})),
      failed(table.counter(k_messages_failed, {{"source", source}})),
      parked(table.counter(k_messages_parked, {{"source", source}})),
      unrouted(table.counter(k_unrouted, {{"source", source}})),
      open(table.gauge(k_messages_open, {{"source", source}})),
      oldest_age(table.gauge(k_oldest_age, {{"source", source}})),
      up(table.gauge(k_source_up, {{"source", source}})) {}

void note_nothing_served(MetricTable& table) {
  for (const auto& up : {k_repository_up, k_source_up}) table.set_all(up, 0);
}

void note_ready(MetricTable& table, bool is_ready) {
  table.gauge(k_ready).set(is_ready ? 1 : 0);
}

RepositoryMetrics::RepositoryMetrics(MetricTable& table, const std::string& repository)
    : m_table(table),
      m_published(table.counter(k_updates, {{"repository", repository}, {"outcome", "published"}})),
      m_unchanged(table.counter(k_updates, {{"repository", repository}, {"outcome", "unchanged"}})),
      m_failed(table.counter(k_updates, {{"repository", repository}, {"outcome", "failed"}})),
      m_added(table.counter(k_changes, {{"repository", repository}, {"change", "added"}})),
      m_replaced(table.counter(k_changes, {{"repository", repository}, {"change", "replaced"}})),
      m_removed(table.counter(k_changes, {{"repository", repository}, {"change", "removed"}})),
      m_skipped(table.counter(k_skipped, {{"repository", repository}})),
      m_lost_races(table.counter(k_lost_races, {{"repository", repository}})),
      m_packages(table.gauge(k_packages, {{"repository", repository}})),
      m_quarantined(table.gauge(k_quarantined, {{"repository", repository}})),
      m_up(table.gauge(k_repository_up, {{"repository", repository}})),
      m_key_expires(table.gauge(k_key_expires, {{"repository", repository}})),
      m_last_publication(table.gauge(k_last_publication, {{"repository", repository}})),
      m_last_success(table.gauge(k_last_success, {{"repository", repository}})),
      m_last_failure(table.gauge(k_last_failure, {{"repository", repository}})),
      m_visible(table.histogram(k_visible, k_visible_bounds, {{"repository", repository}})) {
  for (const auto& name : k_stage_names) table.histogram(k_stages, k_stage_bounds, {{"stage", std::string(name)}});
}

void RepositoryMetrics::updated(const UpdateReport& report, const ChangeSet& changes, ExactTime now) {
  m_packages.set(static_cast<double>(report.packages));
  m_skipped.add(report.failures.size());
  if (report.quarantine.total) m_quarantined.set(static_cast<double>(*report.quarantine.total));
  m_lost_races.add(static_cast<std::uint64_t>(report.lost_races));
  m_last_success.set(seconds(now));
  if (!report.published) return m_unchanged.add();
  m_published.add();
  m_added.add(report.added());
  m_replaced.add(report.replaced());
  m_removed.add(report.removed());
  m_last_publication.set(seconds(now));
  for (std::size_t i = 0; i < report.stages.size(); ++i)
    if (report.stages[i])
      m_table.histogram(k_stages, k_stage_bounds, {{"stage", std::string(k_stage_names[i])}})
          .observe(report.stages[i]->count());
  note_visible(report, changes, now);
}

void RepositoryMetrics::signed_by(const Signer* signer) {
  const auto expiry = signer != nullptr && signer->can_sign() ? signer->next_expiry() : std::nullopt;
  m_key_expires.set(expiry ? seconds(expiry->at) : 0);
}

void RepositoryMetrics::failed(ExactTime now) {
  m_failed.add();
  m_last_failure.set(seconds(now));
}

// Of what this publication changed alone: an event that comes again, or late, says nothing of how long it took.
void RepositoryMetrics::note_visible(const UpdateReport& report, const ChangeSet& changes, ExactTime now) {
  std::set<std::string_view> edited;
  for (const auto& edit : report.edits) {
    for (const auto& record : edit.inserts) edited.insert(record.location_href);
    for (const auto& erase : edit.erases) edited.insert(erase.location_href);
  }
  for (const auto& [href, key] : changes.keys) {
    if (!key.happened || !(edited.contains(href) || edited.contains(key.raw_href))) continue;
    const std::chrono::duration<double> passed = now - *key.happened;
    m_visible.observe(std::max(passed.count(), 0.0));  // the store's clock may be ahead of ours
  }
}

}  // namespace repoupdate
