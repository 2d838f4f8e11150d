// SPDX-License-Identifier: Apache-2.0
#include "sync/lease.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json_text.hpp"
#include "base/random_id.hpp"
#include "base/retry.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_patience{std::chrono::minutes(10)};  // with others who keep it, or keep taking it
constexpr int k_max_void_claims = 7;                      // in a row: some two minutes, as pauses double
constexpr std::uint64_t k_max_size = 4096;
constexpr std::size_t k_max_owner = 200;

// The text behind `"name": `, up to the end of the line; the reader of a format that only we write.
std::optional<std::string_view> member(std::string_view json, std::string_view name) {
  const std::string start = "\n  \"" + std::string(name) + "\": ";
  const auto found = json.find(start);
  if (found == std::string_view::npos) return std::nullopt;
  std::string_view value = json.substr(found + start.size());
  const auto end = value.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  value = value.substr(0, end);
  if (value.ends_with(',')) value.remove_suffix(1);
  return value;
}

std::optional<std::uint64_t> number(std::string_view json, std::string_view name) {
  const auto text = member(json, name);
  std::uint64_t value = 0;
  if (!text) return std::nullopt;
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failure != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

bool is_plain(char c) {
  return c > ' ' && c < 0x7F && c != '"' && c != '\\';
}

std::string plain(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return !is_plain(c); }, '_');
  return text.substr(0, k_max_owner);
}

}  // namespace

struct Lease::Seen {
  LeaseSight sight;
  bool free = false;  // nobody has it, or who had it must have stopped
};

std::string to_json(const LeaseRecord& record) {
  return "{\n  \"owner\": " + json_string(record.owner) + ",\n  \"token\": " + std::to_string(record.token) +
         ",\n  \"renewals\": " + std::to_string(record.renewals) +
         ",\n  \"milliseconds\": " + std::to_string(record.length.count()) +
         ",\n  \"expires\": " + json_string(to_iso8601(record.expires)) + "\n}\n";
}

std::optional<LeaseRecord> parse_lease(std::string_view json) {
  const auto owner = member(json, "owner");
  const auto token = number(json, "token");
  const auto renewals = number(json, "renewals");
  const auto milliseconds = number(json, "milliseconds");
  if (!json.starts_with("{\n") || !owner || !token || !renewals || !milliseconds) return std::nullopt;
  if (owner->size() < 2 || owner->size() > k_max_owner + 2 || !owner->starts_with('"') || !owner->ends_with('"'))
    return std::nullopt;
  const std::string_view name = owner->substr(1, owner->size() - 2);
  if (!std::ranges::all_of(name, is_plain)) return std::nullopt;
  const auto most = static_cast<std::uint64_t>(k_max_lease.count());
  const Duration length(static_cast<Duration::rep>(std::min(*milliseconds, most)));
  return LeaseRecord{std::string(name), *token, *renewals, length, {}};
}

bool has_expired(const LeaseSight& sight) {
  if (sight.unchanged_for >= sight.record.length) return true;
  if (sight.written == SystemTime{} || sight.answered == SystemTime{}) return false;
  // Both were cut to whole seconds: the difference may be one too many.
  return sight.answered - sight.written >= sight.record.length + std::chrono::seconds(1);
}

Lease::Lease(ObjectStore& store, std::string name, const std::string& prefix, const LeasePolicy& policy, Clock& clock)
    : m_store(store),
      m_name(std::move(name)),
      m_key(prefix + std::string(k_lease_key)),
      m_policy(policy),
      m_clock(clock),
      m_mine{plain(random_id() + '@' + policy.who), 0, 0, std::min(policy.length, k_max_lease), {}} {}

Error Lease::lost() const {
  return {ErrorKind::precondition_failed, m_name + ": the lease was lost to another writer", {}};
}

// What the object says now; nothing when there is none.
Result<std::optional<Lease::Seen>> Lease::look() {
  auto object = m_store.get(m_key, {}, k_max_size);
  if (object.failed_with(ErrorKind::invalid)) {  // too large: no lease
    auto info = m_store.head(m_key);
    object = info ? Result<Object>(Object{*std::move(info), {}}) : Result<Object>(std::move(info).error());
  }
  if (object.failed_with(ErrorKind::not_found)) return std::optional<Seen>();
  if (!object) return object.error();
  if (std::exchange(m_seen, object->info.etag) != object->info.etag) m_seen_since = m_clock.steady();
  // Something that is no lease is taken for one, so that it does not stand in the way for ever.
  Seen seen{{parse_lease(object->bytes).value_or(LeaseRecord{"somebody", 0, 0, m_mine.length, {}}),
             object->info.last_modified, object->info.answered,
             std::chrono::duration_cast<Duration>(m_clock.steady() - m_seen_since)}};
  seen.free = seen.sight.record.owner.empty() || has_expired(seen.sight);
  return std::optional(std::move(seen));
}

Result<void> Lease::write(const LeaseRecord& record, std::optional<SteadyTime> deadline) {
  PutOptions options;
  options.content_type = "application/json";
  options.cache_control = "no-cache";
  options.deadline = deadline;
  const auto put = m_store.put(m_key, to_json(record), options);
  return put ? Result<void>() : Result<void>(put.error());
}

Result<bool> Lease::is_ours() {
  const auto seen = look();
  if (!seen) return seen.error();
  return *seen && (*seen)->sight.record.owner == m_mine.owner && (*seen)->sight.record.token == m_mine.token;
}

Result<void> Lease::acquire(std::stop_token stop) {
  if (held()) return {};
  const SteadyTime give_up = m_clock.steady() + k_patience;
  while (true) {
    const SteadyTime looked = m_clock.steady();
    const auto seen = look();
    if (!seen) return seen.error();
    const bool is_kept = *seen && !(*seen)->free;
    if (!is_kept) {
      const auto claimed = claim(*seen ? (*seen)->sight.record.token + 1 : 1, looked, stop);
      if (!claimed) return claimed.error();
      if (*claimed) return {};
    }
    if (m_clock.steady() > give_up) {
      const std::string why =
          is_kept ? (*seen)->sight.record.owner + " and others kept the lease" : "no claim of the lease got through";
      return Error{ErrorKind::conflict, m_name + ": " + why + "; nothing was lost, try again", {}};
    }
    // A store that is too slow for a moment has too much to do already.
    const int factor = 1 << m_void_claims;
    const auto pause = std::chrono::duration_cast<Duration>(m_policy.settle * (0.25 + jitter() / 2) * factor);
    if (!m_clock.sleep_for(pause, stop)) return Error{ErrorKind::cancelled, m_name + ": stopped before the lease", {}};
  }
}

// True when it is ours now.
Result<bool> Lease::claim(std::uint64_t token, SteadyTime looked, std::stop_token stop) {
  m_mine.token = token;
  m_mine.renewals = 0;
  m_mine.expires = m_clock.now() + std::chrono::ceil<std::chrono::seconds>(m_mine.length);
  const auto written = write(m_mine, std::nullopt);
  if (written.failed_with(ErrorKind::conflict)) return false;  // 409: somebody else wrote theirs at this moment
  if (!written) return written.error();
  if (m_clock.steady() - looked > m_policy.settle) {
    if (++m_void_claims >= k_max_void_claims)
      return Error{ErrorKind::timed_out,
                   m_name + ": the store has no conditional writes, and takes longer for a lease than the " +
                       std::to_string(m_policy.settle.count()) + " ms in which all writers must have written theirs",
                   {}};
    // Somebody may have believed theirs already; when the object is ours it is given back.
    m_valid_until = looked;
    release();
    return false;
  }
  m_void_claims = 0;
  if (!m_clock.sleep_for(m_policy.settle, stop))
    return Error{ErrorKind::cancelled, m_name + ": stopped before the lease", {}};
  const auto ours = is_ours();
  if (ours && *ours) m_valid_until = looked + m_mine.length;
  return ours;
}

Result<SteadyTime> Lease::confirm() {
  const auto in_time = [this] { return held() && m_clock.steady() + m_policy.settle < *m_valid_until; };
  const auto ours = in_time() ? is_ours() : Result<bool>(false);
  if (!ours) return ours.error();
  if (*ours && in_time()) return *m_valid_until - m_policy.settle;  // the look may have taken long
  m_valid_until.reset();
  return lost();
}

Result<void> Lease::renew() {
  const auto until = confirm();
  if (!until) return until.error();
  const SteadyTime sent = m_clock.steady();
  ++m_mine.renewals;
  m_mine.expires = m_clock.now() + std::chrono::ceil<std::chrono::seconds>(m_mine.length);
  if (auto written = write(m_mine, *until); !written) return written;
  m_valid_until = sent + m_mine.length;
  return {};
}

void Lease::release() {
  if (!std::exchange(m_valid_until, std::nullopt)) return;
  const auto ours = is_ours();
  if (!ours || !*ours) return;
  // Who waits finds out by itself when this fails; what comes late may come over somebody else's.
  const LeaseRecord nobody{"", m_mine.token, m_mine.renewals + 1, m_mine.length, m_clock.now()};
  if (auto written = write(nobody, m_clock.steady() + m_policy.settle); !written) return;
}

}  // namespace repoupdate
