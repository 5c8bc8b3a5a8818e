// SPDX-License-Identifier: Apache-2.0
#include "maia/observe/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "maia/base/assert.h"

namespace maia::observe {
namespace {

bool is_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

std::string printed(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    MAIA_ASSERT(is_name(name));
    if (!out.empty()) out += ',';
    out += name;
    out += "=\"";
    append_escaped(out, value, true);
    out += '"';
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::to_string(value);
}

/// `index` is that of Registry::Metric.
std::string_view type_of(std::string_view name, std::size_t index) {
  constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
  return name.ends_with("_total") ? kTypes[0] : kTypes[index];
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                   std::string_view value) {
  out += name;
  out += suffix;
  if (!labels.empty()) fmt::format_to(std::back_inserter(out), "{{{}}}", labels);
  out += ' ';
  out += value;
  out += '\n';
}

void append_histogram(std::string& out, std::string_view name, const std::string& labels,
                      const Histogram& histogram) {
  const auto counts = histogram.counts();
  std::uint64_t cumulated = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cumulated += counts[i];
    const auto end = i < histogram.bounds().size() ? number(histogram.bounds()[i]) : "+Inf";
    const auto with_end = fmt::format("{}{}le=\"{}\"", labels, labels.empty() ? "" : ",", end);
    append_sample(out, name, "_bucket", with_end, fmt::to_string(cumulated));
  }
  append_sample(out, name, "_sum", labels, number(histogram.sum()));
  append_sample(out, name, "_count", labels, fmt::to_string(cumulated));
}

}  // namespace

void Counter::advance_to(std::uint64_t total) {
  auto seen = value_.load(std::memory_order_relaxed);
  while (seen < total && !value_.compare_exchange_weak(seen, total, std::memory_order_relaxed)) {
  }
}

void Gauge::add(double change) {
  auto seen = value_.load(std::memory_order_relaxed);
  while (!value_.compare_exchange_weak(seen, seen + change, std::memory_order_relaxed)) {
  }
}

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)) {
  MAIA_ASSERT(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  const auto range = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(range)].fetch_add(1, std::memory_order_relaxed);
  sum_.add(value);
}

std::vector<std::uint64_t> Histogram::counts() const {
  std::vector<std::uint64_t> counts(bounds_.size() + 1);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = counts_[i].load(std::memory_order_relaxed);
  return counts;
}

template <class T, class... Arguments>
T& Registry::find(const Family& family, const Labels& labels, const Arguments&... arguments) {
  MAIA_ASSERT(is_name(family.name));
  const auto key = printed(labels);
  const std::lock_guard lock(mutex_);
  auto& series = families_[family.name];
  series.help = family.help;
  // One name has one type.
  MAIA_ASSERT(series.by_labels.empty() ||
              std::holds_alternative<std::unique_ptr<T>>(series.by_labels.begin()->second));
  auto found = series.by_labels.find(key);
  if (found == series.by_labels.end()) {
    found = series.by_labels.emplace(key, std::make_unique<T>(arguments...)).first;
  }
  return *std::get<std::unique_ptr<T>>(found->second);
}

Counter& Registry::counter(const Family& family, const Labels& labels) {
  return find<Counter>(family, labels);
}

Gauge& Registry::gauge(const Family& family, const Labels& labels) { return find<Gauge>(family, labels); }

Histogram& Registry::histogram(const Family& family, std::span<const double> bounds, const Labels& labels) {
  return find<Histogram>(family, labels, bounds);
}

void Registry::on_exposition(std::function<void()> refresh) {
  const std::lock_guard lock(mutex_);
  refreshes_.push_back(std::move(refresh));
}

std::string Registry::exposition() const {
  std::vector<std::function<void()>> refreshes;
  {
    const std::lock_guard lock(mutex_);
    refreshes = refreshes_;
  }
  for (const auto& refresh : refreshes) refresh();

  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, series] : families_) {
    out += "# HELP " + name + " ";
    append_escaped(out, series.help, false);
    fmt::format_to(std::back_inserter(out), "\n# TYPE {} {}\n", name,
                   type_of(name, series.by_labels.begin()->second.index()));
    for (const auto& [labels, metric] : series.by_labels) {
      if (const auto* counter = std::get_if<std::unique_ptr<Counter>>(&metric)) {
        append_sample(out, name, "", labels, fmt::to_string((*counter)->value()));
      } else if (const auto* gauge = std::get_if<std::unique_ptr<Gauge>>(&metric)) {
        append_sample(out, name, "", labels, number((*gauge)->value()));
      } else {
        append_histogram(out, name, labels, *std::get<std::unique_ptr<Histogram>>(metric));
      }
    }
  }
  return out;
}

}  // namespace maia::observe
