// SPDX-License-Identifier: Apache-2.0
// Numbers that say how the program fares, and their text for Prometheus. Whoever counts holds a reference to its
// counter: counting is one atomic operation, and no lock.
// Source of the format and of its names: "Exposition formats" (text format 0.0.4) and "Metric and label naming",
// Prometheus documentation.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace repoupdate {

// Only grows. Thread-safe, as the two below.
class Counter {
public:
  void add(std::uint64_t more = 1) noexcept { m_value.fetch_add(more, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return m_value.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> m_value = 0;
};

class Gauge {
public:
  void set(double value) noexcept { m_value.store(value, std::memory_order_relaxed); }
  double value() const noexcept { return m_value.load(std::memory_order_relaxed); }

private:
  std::atomic<double> m_value = 0;
};

inline constexpr std::size_t k_max_buckets = 24;  // of a histogram, the one without a bound included

class Histogram {
public:
  // `bounds`: upper ones, ascending, at most k_max_buckets - 1; they must outlive the histogram.
  explicit Histogram(std::span<const double> bounds)
      : m_bounds(bounds.first(std::min(bounds.size(), k_max_buckets - 1))) {}

  void observe(double value) noexcept;

  struct Snapshot {
    std::vector<std::uint64_t> cumulative;  // for each bound, and at last all that was observed
    double sum = 0;
  };
  Snapshot snapshot() const;
  std::span<const double> bounds() const { return m_bounds; }

private:
  std::span<const double> m_bounds;
  std::array<std::atomic<std::uint64_t>, k_max_buckets> m_counts{};  // of each bucket alone
  std::atomic<double> m_sum = 0;
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;  // names in a fixed order

// What a name of the table stands for; constants of whoever counts.
struct MetricName {
  std::string_view name;  // with its unit: "repoupdate_lost_races_total"
  std::string_view help;  // one sentence
};

// Series of one name; further ones share a series whose labels say k_other_series, so that what comes from outside
// cannot fill the memory.
inline constexpr std::size_t k_max_series = 2000;
inline constexpr std::string_view k_other_series = "(others)";

// Thread-safe. Owned by app and passed by reference. What it hands out lives as long as it does, but for retain().
// A name has one type: who asks for another one gets a series of its own that is never shown.
class MetricTable {
public:
  MetricTable();
  ~MetricTable();
  MetricTable(const MetricTable&) = delete;
  MetricTable& operator=(const MetricTable&) = delete;

  Counter& counter(const MetricName& name, const MetricLabels& labels = {});
  Gauge& gauge(const MetricName& name, const MetricLabels& labels = {});
  // A counter that somebody else keeps, as the kernel does: set to what it is.
  Gauge& counter_elsewhere(const MetricName& name, const MetricLabels& labels = {});
  Histogram& histogram(const MetricName& name, std::span<const double> bounds, const MetricLabels& labels = {});

  // Sets every series of a gauge.
  void set_all(const MetricName& name, double value);

  // Drops the series that have the label with a value that is not among `values`. Nobody may hold one of them.
  void retain(std::string_view label, const std::set<std::string>& values);

  // Everything, sorted by name and labels, in text format 0.0.4.
  std::string exposition() const;

private:
  enum class Type { counter, gauge, counter_elsewhere, histogram };
  struct Series;
  struct Family;
  Series& series(const MetricName& name, Type type, std::span<const double> bounds, const MetricLabels& labels);

  mutable std::mutex m_mutex;  // of the families, not of what is counted
  std::map<std::string, Family, std::less<>> m_families;
  std::vector<std::unique_ptr<Series>> m_misfits;
};

// For the value of a label, and for a help text: backslash and newline escaped, in a label also the quote; what is no
// UTF-8 is replaced.
std::string escaped_label(std::string_view value);
std::string escaped_help(std::string_view text);

}  // namespace repoupdate
