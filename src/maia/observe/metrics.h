// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace maia::observe {

/// A count that only grows. Thread-safe, lock-free. On a cache line of its own, so that counters of different
/// threads do not slow each other down.
class alignas(64) Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  /// For a total that is counted elsewhere; a smaller total than before is left out.
  void advance_to(std::uint64_t total);
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A value that goes up and down; under a name that ends in _total, a count in fractions. Thread-safe,
/// lock-free.
class alignas(64) Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double change);
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// How often observed values fell into which range. Thread-safe, lock-free; a reader may see an observation
/// in the count before it sees it in the sum.
class alignas(64) Histogram {
 public:
  /// Upper ends, rising; the last range, to infinity, is added.
  explicit Histogram(std::span<const double> bounds);
  void observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  /// Observations in each range, not cumulated; one more than there are bounds.
  std::vector<std::uint64_t> counts() const;
  double sum() const { return sum_.value(); }

 private:
  const std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  Gauge sum_;
};

/// Seconds, from a millisecond to a minute.
inline constexpr double kDurationBounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                             0.5,   1,      2.5,   5,    10,    30,   60};

/// Name and meaning of a family of metrics. Names follow Prometheus: base units, _total for counters.
struct Family {
  const char* name;
  const char* help;  ///< one sentence
};
using Labels = std::vector<std::pair<std::string, std::string>>;

/// All metrics of a process. Handles are resolved once, outside hot paths; they live as long as the registry.
/// Asking again with the same labels gives the same handle. Thread-safe.
class Registry {
 public:
  Counter& counter(const Family& family, const Labels& labels = {});
  Gauge& gauge(const Family& family, const Labels& labels = {});
  Histogram& histogram(const Family& family, std::span<const double> bounds, const Labels& labels = {});

  /// Called at each exposition before anything is printed, to bring values up to date. Must be thread-safe.
  void on_exposition(std::function<void()> refresh);
  /// Everything in the Prometheus text format 0.0.4, families and series in the order of their names.
  std::string exposition() const;

 private:
  using Metric = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
  struct Series {
    std::string help;
    std::map<std::string, Metric> by_labels;  ///< by the labels as they are printed, without braces
  };
  template <class T, class... Arguments>
  T& find(const Family& family, const Labels& labels, const Arguments&... arguments);

  mutable std::mutex mutex_;
  std::map<std::string, Series, std::less<>> families_;  // guarded by mutex_
  std::vector<std::function<void()>> refreshes_;         // guarded by mutex_
};

/// The content type of an exposition.
inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace maia::observe
