// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.hpp"

#include <charconv>
#include <cmath>
#include <functional>

namespace repoupdate {
namespace {

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[40];
  const auto [end, failure] = std::to_chars(text, text + sizeof text, value);
  return failure == std::errc{} ? std::string(text, end) : "NaN";
}

// The length of the well-formed UTF-8 sequence at the beginning (RFC 3629 section 4); 0: there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool outside = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
  return overlong || outside ? 0 : length;
}

std::string escaped(std::string_view text, bool quote_too) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char c = text.front();
    if (length == 0)
      out += "\xEF\xBF\xBD";
    else if (c == '\\' || (c == '"' && quote_too))
      out.append("\\").append(1, c);
    else if (c == '\n')
      out += "\\n";
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

// "{a="1",b="2"}", with `bound` as the label le where there is one; "" when there are no labels at all.
std::string labels_text(const MetricLabels& labels, std::string_view bound = {}) {
  std::string text;
  for (const auto& [name, value] : labels)
    text += (text.empty() ? "" : ",") + name + "=\"" + escaped_label(value) + '"';
  if (!bound.empty()) text.append(text.empty() ? "" : ",").append("le=\"").append(bound).append("\"");
  return text.empty() ? text : '{' + text + '}';
}

void add_line(std::string& text, std::string_view name, const std::string& labels, const std::string& value) {
  text.append(name).append(labels).append(" ").append(value).append("\n");
}

}  // namespace

void Histogram::observe(double value) noexcept {
  const auto bound = std::ranges::lower_bound(m_bounds, value);  // a bound belongs to its bucket
  m_counts[static_cast<std::size_t>(bound - m_bounds.begin())].fetch_add(1, std::memory_order_relaxed);
  m_sum.fetch_add(value, std::memory_order_relaxed);
}

// The count is the sum of the buckets, so that they agree with each other whatever is observed meanwhile.
Histogram::Snapshot Histogram::snapshot() const {
  Snapshot snapshot;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= m_bounds.size(); ++i)
    snapshot.cumulative.push_back(count += m_counts[i].load(std::memory_order_relaxed));
  snapshot.sum = m_sum.load(std::memory_order_relaxed);
  return snapshot;
}

// One of the three is used.
struct MetricTable::Series {
  explicit Series(std::span<const double> bounds) : histogram(bounds) {}
  Counter counter;
  Gauge gauge;
  Histogram histogram;
};

struct MetricTable::Family {
  Type type;
  std::string help;
  std::map<MetricLabels, std::unique_ptr<Series>> series;
};

MetricTable::MetricTable() = default;
MetricTable::~MetricTable() = default;

MetricTable::Series& MetricTable::series(const MetricName& name, Type type, std::span<const double> bounds,
                                         const MetricLabels& labels) {
  const std::scoped_lock lock(m_mutex);
  Family& family =
      m_families.try_emplace(std::string(name.name), Family{type, std::string(name.help), {}}).first->second;
  if (family.type != type) return *m_misfits.emplace_back(std::make_unique<Series>(bounds));
  auto found = family.series.find(labels);
  if (found == family.series.end()) {
    MetricLabels own = labels;
    if (family.series.size() >= k_max_series)
      for (auto& [label, value] : own) value = k_other_series;
    found = family.series.try_emplace(std::move(own)).first;
    if (!found->second) found->second = std::make_unique<Series>(bounds);
  }
  return *found->second;
}

Counter& MetricTable::counter(const MetricName& name, const MetricLabels& labels) {
  return series(name, Type::counter, {}, labels).counter;
}
Gauge& MetricTable::gauge(const MetricName& name, const MetricLabels& labels) {
  return series(name, Type::gauge, {}, labels).gauge;
}
Gauge& MetricTable::counter_elsewhere(const MetricName& name, const MetricLabels& labels) {
  return series(name, Type::counter_elsewhere, {}, labels).gauge;
}
Histogram& MetricTable::histogram(const MetricName& name, std::span<const double> bounds, const MetricLabels& labels) {
  return series(name, Type::histogram, bounds, labels).histogram;
}

void MetricTable::set_all(const MetricName& name, double value) {
  const std::scoped_lock lock(m_mutex);
  const auto family = m_families.find(name.name);
  if (family == m_families.end() || family->second.type != Type::gauge) return;
  for (auto& [labels, series] : family->second.series) series->gauge.set(value);
}

void MetricTable::retain(std::string_view label, const std::set<std::string>& values) {
  const std::scoped_lock lock(m_mutex);
  const auto is_left = [&](const auto& series) {
    return std::ranges::any_of(series.first,
                               [&](const auto& pair) { return pair.first == label && !values.contains(pair.second); });
  };
  for (auto& [name, family] : m_families) std::erase_if(family.series, is_left);
}

std::string MetricTable::exposition() const {
  constexpr std::string_view k_types[] = {"counter", "gauge", "counter", "histogram"};
  std::string text;
  const std::scoped_lock lock(m_mutex);
  for (const auto& [name, family] : m_families) {
    if (family.series.empty()) continue;
    text += "# HELP " + name + ' ' + escaped_help(family.help) + '\n';
    text += "# TYPE " + name + ' ' + std::string(k_types[static_cast<std::size_t>(family.type)]) + '\n';
    for (const auto& [labels, series] : family.series) {
      if (family.type == Type::counter) {
        add_line(text, name, labels_text(labels), std::to_string(series->counter.value()));
      } else if (family.type != Type::histogram) {
        add_line(text, name, labels_text(labels), number_text(series->gauge.value()));
      } else {
        const auto [cumulative, sum] = series->histogram.snapshot();
        const auto bounds = series->histogram.bounds();
        for (std::size_t i = 0; i < cumulative.size(); ++i)
          add_line(text, name + "_bucket", labels_text(labels, i < bounds.size() ? number_text(bounds[i]) : "+Inf"),
                   std::to_string(cumulative[i]));
        add_line(text, name + "_sum", labels_text(labels), number_text(sum));
        add_line(text, name + "_count", labels_text(labels), std::to_string(cumulative.back()));
      }
    }
  }
  return text;
}

std::string escaped_label(std::string_view value) {
  return escaped(value, true);
}
std::string escaped_help(std::string_view text) {
  return escaped(text, false);
}

}  // namespace repoupdate
