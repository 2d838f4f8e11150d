// SPDX-License-Identifier: Apache-2.0
#include "io/timestamp.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace repoupdate {
namespace {

constexpr std::array<std::string_view, 12> k_months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// The digits [at, at + length) as a number; -1 when they are not all digits.
int number_at(std::string_view text, std::size_t at, std::size_t length) {
  const std::string_view digits = text.substr(at, length);
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool plain = error == std::errc() && end == digits.data() + length && digits.front() != '-';
  return plain ? value : -1;
}

std::optional<SystemTime> make_time(int year, int month, int day, int hour, int minute, int second) {
  const auto in = [](int value, int low, int high) { return value >= low && value <= high; };
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // 60 is a leap second.
  if (year < 0 || !date.ok() || !in(hour, 0, 23) || !in(minute, 0, 59) || !in(second, 0, 60)) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

}  // namespace

std::string to_basic_iso8601(SystemTime time) {
  std::string text = to_iso8601(time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::optional<SystemTime> parse_iso8601(std::string_view text) {
  constexpr std::string_view k_shape = "0000-00-00T00:00:00";
  if (text.size() < k_shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < k_shape.size(); ++i)
    if (k_shape[i] != '0' && text[i] != k_shape[i]) return std::nullopt;
  std::string_view rest = text.substr(k_shape.size());
  if (rest.starts_with('.')) rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  if (!rest.empty() && rest != "Z") return std::nullopt;
  return make_time(number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2), number_at(text, 11, 2),
                   number_at(text, 14, 2), number_at(text, 17, 2));
}

std::optional<ExactTime> parse_exact_iso8601(std::string_view text) {
  const auto seconds = parse_iso8601(text);
  if (!seconds) return std::nullopt;
  const auto point = text.find('.');
  if (point == std::string_view::npos) return *seconds;
  std::string fraction(text.substr(point + 1, 3));
  fraction.erase(std::min(fraction.find_first_not_of("0123456789"), fraction.size()));
  fraction.resize(3, '0');
  return *seconds + std::chrono::milliseconds(number_at(fraction, 0, 3));
}

std::optional<SystemTime> parse_http_date(std::string_view text) {
  constexpr std::string_view k_shape = "Sat, 31 Jan 2026 23:59:59 GMT";
  if (text.size() != k_shape.size() || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::find(k_months.begin(), k_months.end(), text.substr(8, 3));
  if (month == k_months.end()) return std::nullopt;
  return make_time(number_at(text, 12, 4), static_cast<int>(month - k_months.begin()) + 1, number_at(text, 5, 2),
                   number_at(text, 17, 2), number_at(text, 20, 2), number_at(text, 23, 2));
}

}  // namespace repoupdate
