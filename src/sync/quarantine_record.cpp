// SPDX-License-Identifier: Apache-2.0
#include "sync/quarantine_record.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/flat_json.hpp"
#include "base/json_text.hpp"
#include "sync/package_key.hpp"

namespace repoupdate {
namespace {

// A record a line, so that reading needs no more than a line at a time.
constexpr std::string_view k_begin = "{\"format\": 1, \"packages\": [\n";
constexpr std::string_view k_end = "]}\n";

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// As to_iso8601() writes it.
std::optional<SystemTime> parse_time(std::string_view text) {
  constexpr std::string_view k_form = "0000-00-00T00:00:00Z";
  if (text.size() != k_form.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (k_form[i] == '0' ? !is_digit : text[i] != k_form[i]) return std::nullopt;
  }
  const auto part = [&](std::size_t at, std::size_t length) { return *number<unsigned>(text.substr(at, length)); };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(part(0, 4))), std::chrono::month(part(5, 2)),
                                        std::chrono::day(part(8, 2))};
  constexpr std::chrono::year k_first{1970};  // strftime() pads no year below 1000
  if (!day.ok() || day.year() < k_first || part(11, 2) > 23 || part(14, 2) > 59 || part(17, 2) > 60)
    return std::nullopt;
  return std::chrono::sys_days(day) + std::chrono::hours(part(11, 2)) + std::chrono::minutes(part(14, 2)) +
         std::chrono::seconds(part(17, 2));
}

std::optional<ErrorKind> parse_kind(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(ErrorKind::io); ++i)
    if (to_string(static_cast<ErrorKind>(i)) == text) return static_cast<ErrorKind>(i);
  return std::nullopt;
}

std::optional<QuarantineRecord> parse_record(std::string_view line) {
  const auto members = parse_flat_json(line);
  if (!members) return std::nullopt;
  const auto text = [&](std::string_view name) {
    const auto found = members->find(name);
    return found == members->end() ? std::string() : found->second;
  };
  const auto size = number<std::uint64_t>(text("size"));
  const auto tries = number<std::uint64_t>(text("tries"));
  const auto kind = parse_kind(text("kind"));
  const auto since = parse_time(text("since")), tried = parse_time(text("tried"));
  if (!size || !tries || !kind || !since || !tried || !is_package_href(text("key"))) return std::nullopt;
  return QuarantineRecord{.href = text("key"),
                          .size = *size,
                          .etag = {text("etag")},
                          .kind = *kind,
                          .reason = text("reason").substr(0, k_max_quarantine_reason),
                          .since = *since,
                          .tried = *tried,
                          .tries = *tries,
                          .judge = text("judge"),
                          .stands = text("stands") == "true",
                          .is_listed = text("listed") == "true"};
}

}  // namespace

bool is_of(const QuarantineRecord& record, const ObjectInfo& object) {
  return !record.etag.text.empty() && record.size == object.size && bare(record.etag) == bare(object.etag);
}

std::string to_json(const QuarantineRecord& record) {
  const auto flag = [](bool value) { return value ? "true" : "false"; };
  return "{\"key\":" + json_string(record.href) + ",\"size\":" + std::to_string(record.size) +
         ",\"etag\":" + json_string(record.etag.text) + ",\"kind\":" + json_string(to_string(record.kind)) +
         ",\"reason\":" + json_string(record.reason) + ",\"since\":" + json_string(to_iso8601(record.since)) +
         ",\"tried\":" + json_string(to_iso8601(record.tried)) + ",\"tries\":" + std::to_string(record.tries) +
         ",\"judge\":" + json_string(record.judge) + ",\"stands\":" + flag(record.stands) +
         ",\"listed\":" + flag(record.is_listed) + '}';
}

std::string to_json(const QuarantineRecords& records) {
  if (records.empty()) return {};
  std::string json(k_begin);
  std::size_t count = 0;
  for (const auto& [href, record] : records) {
    const std::string line = to_json(record);
    if (count == k_max_quarantined || json.size() + line.size() + 2 + k_end.size() > k_max_quarantine_size) break;
    if (count++ > 0) json += ",\n";
    json += line;
  }
  return (json += '\n') += k_end;
}

std::optional<QuarantineRecords> parse_quarantine(std::string_view json) {
  QuarantineRecords records;
  if (json.empty()) return records;
  if (!json.starts_with(k_begin) || !json.ends_with(k_end) || json.size() < k_begin.size() + k_end.size())
    return std::nullopt;
  json.remove_prefix(k_begin.size());
  json.remove_suffix(k_end.size());
  while (!json.empty()) {
    const auto end = json.find('\n');
    if (end == std::string_view::npos || records.size() == k_max_quarantined) return std::nullopt;
    std::string_view line = json.substr(0, end);
    json.remove_prefix(end + 1);
    if (line.ends_with(',')) line.remove_suffix(1);
    auto record = parse_record(line);
    if (!record) return std::nullopt;
    std::string href = record->href;
    records.insert_or_assign(std::move(href), *std::move(record));
  }
  return records;
}

}  // namespace repoupdate
