// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <thread>

namespace repoupdate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::array k_bounds{0.5, 1.0, 2.5};

TEST(MetricTable, OneNameHasOneHelpOneTypeAndItsSeriesInOrder) {
  MetricTable table;
  table.counter({"b_total", "What b is."}, {{"kind", "y"}}).add(2);
  table.counter({"b_total", "What b is."}, {{"kind", "x"}}).add();
  table.gauge({"a", "What a is."}).set(-1.5);
  table.counter({"b_total", "What b is."}, {{"kind", "y"}}).add(3);
  EXPECT_EQ(table.exposition(),
            "# HELP a What a is.\n# TYPE a gauge\na -1.5\n"
            "# HELP b_total What b is.\n# TYPE b_total counter\n"
            "b_total{kind=\"x\"} 1\nb_total{kind=\"y\"} 5\n");
}

TEST(MetricTable, BucketsAreCumulativeAndABoundBelongsToItsBucket) {
  MetricTable table;
  Histogram& histogram = table.histogram({"h_seconds", "H."}, k_bounds, {{"r", "s"}});
  for (const double value : {0.1, 0.5, 0.7, 2.5, 3.0, 100.0}) histogram.observe(value);
  EXPECT_EQ(table.exposition(),
            "# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
            "h_seconds_bucket{r=\"s\",le=\"0.5\"} 2\nh_seconds_bucket{r=\"s\",le=\"1\"} 3\n"
            "h_seconds_bucket{r=\"s\",le=\"2.5\"} 4\nh_seconds_bucket{r=\"s\",le=\"+Inf\"} 6\n"
            "h_seconds_sum{r=\"s\"} 106.8\nh_seconds_count{r=\"s\"} 6\n");
}

TEST(MetricTable, WhatWouldBreakALineIsEscaped) {
  MetricTable table;
  table.gauge({"g", "a\\b\n\"c\""}, {{"name", "a\\b\n\"c\""}}).set(1);
  EXPECT_EQ(table.exposition(), "# HELP g a\\\\b\\n\"c\"\n# TYPE g gauge\ng{name=\"a\\\\b\\n\\\"c\\\"\"} 1\n");
}

TEST(MetricTable, LabelsAreUtf8WhateverTheBytes) {
  EXPECT_EQ(escaped_label("gr\xC3\xBC\xC3\x9F \xF0\x9F\x93\xA6"), "gr\xC3\xBC\xC3\x9F \xF0\x9F\x93\xA6");
  for (const std::string bad : {"\xFF", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82"})
    EXPECT_THAT(escaped_label("a" + bad + "b"), Not(HasSubstr(bad))) << testing::PrintToString(bad);
  EXPECT_EQ(escaped_label("\xC3("), "\xEF\xBF\xBD(");
}

TEST(MetricTable, NumbersThatAreNoneHaveTheirNames) {
  MetricTable table;
  table.gauge({"a", ""}).set(std::numeric_limits<double>::infinity());
  table.gauge({"b", ""}).set(-std::numeric_limits<double>::infinity());
  table.gauge({"c", ""}).set(std::nan(""));
  table.counter_elsewhere({"d_total", ""}).set(1732473600.25);
  const std::string text = table.exposition();
  for (const char* line :
       {"\na +Inf\n", "\nb -Inf\n", "\nc NaN\n", "\n# TYPE d_total counter\nd_total 1732473600.25\n"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(MetricTable, WhatComesFromOutsideCannotFillTheMemory) {
  MetricTable table;
  for (std::size_t i = 0; i < k_max_series + 100; ++i)
    table.counter({"n_total", ""}, {{"of", std::to_string(i)}}).add();
  const std::string text = table.exposition();
  EXPECT_THAT(text, HasSubstr("n_total{of=\"(others)\"} 100\n"));
  EXPECT_EQ(std::ranges::count(text, '\n'), static_cast<std::ptrdiff_t>(k_max_series + 1 + 2));
}

TEST(MetricTable, ANameOfTwoTypesIsShownAsTheFirst) {
  MetricTable table;
  table.counter({"n_total", ""}).add(7);
  table.gauge({"n_total", ""}).set(9);
  EXPECT_THAT(table.exposition(), HasSubstr("# TYPE n_total counter\nn_total 7\n"));
  EXPECT_THAT(table.exposition(), Not(HasSubstr("9")));
}

TEST(MetricTable, SeriesOfWhatIsServedNoMoreAreDropped) {
  MetricTable table;
  for (const char* name : {"kept", "gone"}) table.gauge({"g", ""}, {{"repository", name}}).set(1);
  table.gauge({"other", ""}, {{"source", "gone"}}).set(2);
  table.retain("repository", {"kept"});
  const std::string text = table.exposition();
  EXPECT_THAT(text, HasSubstr("g{repository=\"kept\"} 1"));
  EXPECT_THAT(text, Not(HasSubstr("repository=\"gone\"")));
  EXPECT_THAT(text, HasSubstr("other{source=\"gone\"} 2"));
}

TEST(MetricTable, NothingIsLostBetweenThreadsAndEveryScrapeAgreesWithItself) {
  constexpr int k_each = 20'000;
  MetricTable table;
  Counter& counter = table.counter({"n_total", ""});
  Histogram& histogram = table.histogram({"h", ""}, k_bounds);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&] {
        for (int i = 0; i < k_each; ++i) {
          counter.add();
          histogram.observe(i % 4);
          if (i % 1000 == 0) table.counter({"m_total", ""}, {{"i", std::to_string(i)}}).add();
        }
      });
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(std::ranges::is_sorted(histogram.snapshot().cumulative));
  }
  EXPECT_EQ(counter.value(), 4u * k_each);
  EXPECT_THAT(histogram.snapshot().cumulative, ElementsAre(k_each, 2 * k_each, 3 * k_each, 4 * k_each));
  EXPECT_EQ(histogram.snapshot().sum, 4 * (k_each / 4) * (0.0 + 1 + 2 + 3));
}

}  // namespace
}  // namespace repoupdate
