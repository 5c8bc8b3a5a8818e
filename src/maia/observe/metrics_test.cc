// SPDX-License-Identifier: Apache-2.0
#include "maia/observe/metrics.h"

#include <gmock/gmock.h>

#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <thread>

#include "maia/base/version.h"
#include "maia/observe/process.h"

namespace maia::observe {
namespace {

using testing::HasSubstr;

constexpr Family kRows{"maia_rows_total", "Rows."};
constexpr Family kSize{"maia_size_bytes", "Size in \\ bytes\nof it."};
constexpr Family kTime{"maia_time_seconds", "Time."};

TEST(MetricsTest, the_exposition_has_help_type_and_samples_in_order) {
  Registry registry;
  registry.gauge(kSize).set(1.5);
  registry.counter(kRows, {{"table", "b"}}).add(2);
  registry.counter(kRows, {{"table", "a"}}).add();
  EXPECT_EQ(registry.exposition(),
            "# HELP maia_rows_total Rows.\n"
            "# TYPE maia_rows_total counter\n"
            "maia_rows_total{table=\"a\"} 1\n"
            "maia_rows_total{table=\"b\"} 2\n"
            "# HELP maia_size_bytes Size in \\\\ bytes\\nof it.\n"
            "# TYPE maia_size_bytes gauge\n"
            "maia_size_bytes 1.5\n");
}

TEST(MetricsTest, a_histogram_is_cumulative_and_ends_at_infinity) {
  Registry registry;
  const double bounds[] = {0.1, 1};
  auto& histogram = registry.histogram(kTime, bounds, {{"step", "write"}});
  for (const double value : {0.0625, 0.1, 0.5, 7.0}) histogram.observe(value);
  EXPECT_THAT(registry.exposition(), HasSubstr("# TYPE maia_time_seconds histogram\n"
                                               "maia_time_seconds_bucket{step=\"write\",le=\"0.1\"} 2\n"
                                               "maia_time_seconds_bucket{step=\"write\",le=\"1\"} 3\n"
                                               "maia_time_seconds_bucket{step=\"write\",le=\"+Inf\"} 4\n"
                                               "maia_time_seconds_sum{step=\"write\"} 7.6625\n"
                                               "maia_time_seconds_count{step=\"write\"} 4\n"));
}

TEST(MetricsTest, label_values_are_escaped) {
  Registry registry;
  registry.counter(kRows, {{"table", "a\"b\\c\nd"}});
  EXPECT_THAT(registry.exposition(), HasSubstr(R"(maia_rows_total{table="a\"b\\c\nd"} 0)"));
}

TEST(MetricsTest, special_numbers_are_spelled_as_prometheus_has_them) {
  Registry registry;
  auto& gauge = registry.gauge(kSize);
  gauge.set(std::numeric_limits<double>::infinity());
  EXPECT_THAT(registry.exposition(), HasSubstr("maia_size_bytes +Inf\n"));
  gauge.set(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(registry.exposition(), HasSubstr("maia_size_bytes NaN\n"));
}

TEST(MetricsTest, the_same_labels_give_the_same_handle) {
  Registry registry;
  auto& first = registry.counter(kRows, {{"table", "a"}});
  EXPECT_EQ(&first, &registry.counter(kRows, {{"table", "a"}}));
  EXPECT_NE(&first, &registry.counter(kRows, {{"table", "b"}}));
}

TEST(MetricsTest, a_counter_follows_a_total_but_never_goes_back) {
  Counter counter;
  counter.advance_to(5);
  counter.advance_to(3);
  EXPECT_EQ(counter.value(), 5u);
  counter.advance_to(9);
  EXPECT_EQ(counter.value(), 9u);
}

TEST(MetricsTest, values_are_refreshed_before_they_are_printed) {
  Registry registry;
  auto& gauge = registry.gauge(kSize);
  registry.on_exposition([&] { gauge.add(1); });
  registry.exposition();
  EXPECT_THAT(registry.exposition(), HasSubstr("maia_size_bytes 2\n"));
}

TEST(MetricsTest, no_update_is_lost_between_threads) {
  Registry registry;
  auto& counter = registry.counter(kRows);
  auto& histogram = registry.histogram(kTime, kDurationBounds);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 5000; ++n) {
          counter.add();
          histogram.observe(0.5);
          if (n % 1000 == 0) registry.exposition();
        }
      });
    }
  }
  EXPECT_EQ(counter.value(), 20'000u);
  EXPECT_EQ(histogram.sum(), 10'000.0);
}

TEST(MetricsTest, process_metrics_are_plausible) {
  Registry registry;
  add_process_metrics(registry);
  EXPECT_THAT(registry.exposition(), HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
  EXPECT_THAT(registry.exposition(),
              HasSubstr("maia_build_info{version=\"" + std::string(version()) + "\"} 1\n"));
  EXPECT_GT(registry.gauge({"process_resident_memory_bytes", ""}).value(), 1e6);
  EXPECT_GT(registry.gauge({"process_open_fds", ""}).value(), 2);
  EXPECT_GT(registry.gauge({"process_start_time_seconds", ""}).value(), 1.7e9);
}

std::string content(const std::string& path) {
  std::ifstream file(std::string(MAIA_CHECKOUT) + "/" + path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

/// Every metric's name that stands between two of these quotes.
std::set<std::string> names_in(const std::string& text, char quote) {
  std::set<std::string> names;
  std::istringstream pieces(text);
  for (std::string piece; std::getline(pieces, piece, quote);) {
    const bool ours = piece.starts_with("maia_") || piece.starts_with("process_");
    if (ours && piece.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == piece.npos) names.insert(piece);
  }
  return names;
}

TEST(MetricsTest, the_reference_page_has_every_metric_and_no_other) {
  const auto declared =
      names_in(content("src/maia/observe/families.h") + content("src/maia/observe/process.cc"), '"');
  EXPECT_GT(declared.size(), 10u);
  EXPECT_EQ(names_in(content("docs/reference/metrics.md"), '`'), declared);
}

}  // namespace
}  // namespace maia::observe
