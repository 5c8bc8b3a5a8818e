// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/window_size.h"

#include <algorithm>

namespace maia::engine {
namespace {

// Below these a transaction's own price is all that one pays.
constexpr std::size_t kFewestRows = 500;
constexpr std::size_t kFewestBytes = 128 << 10;

constexpr double kGrow = 2;           // at most, from one transaction to the next
constexpr double kShrink = 0.1;       // at most
constexpr double kTimesThePrice = 4;  // a transaction may take this many times its price
constexpr double kOldWeight = 0.8;    // of what is known so far, when a transaction is added
constexpr double kAlike = 0.01;       // relative spread of sizes below which they tell nothing
constexpr double kAnother = 3;        // times off what was expected: the destination is not what it was
constexpr double kUsed = 0.5;         // of the cut: less says nothing of how long a full one takes

std::size_t part_of(std::size_t limit, double part, std::size_t fewest) {
  const auto size = static_cast<std::size_t>(static_cast<double>(limit) * part);
  return std::clamp(size, std::min(fewest, limit), limit);
}

}  // namespace

std::size_t WindowSize::rows() const { return part_of(limits_.max_rows, part_, kFewestRows); }
std::size_t WindowSize::bytes() const { return part_of(limits_.max_bytes, part_, kFewestBytes); }

void WindowSize::Trend::add(double at, double value) {
  weight = weight * kOldWeight + 1;
  x = x * kOldWeight + at;
  y = y * kOldWeight + value;
  xx = xx * kOldWeight + at * at;
  xy = xy * kOldWeight + at * value;
}

double WindowSize::Trend::says_of(double at) const {
  const double spread = weight * xx - x * x;
  if (spread <= kAlike * x * x) return -1;
  const double slope = (weight * xy - x * y) / spread;
  return std::max(0.0, (y - slope * x) / weight + slope * at);
}

double WindowSize::goal() const {
  return std::max(static_cast<double>(limits_.target.count()), kTimesThePrice * price_);
}

void WindowSize::committed(std::size_t rows_in_it, std::size_t bytes_in_it, Duration took) {
  const auto micros = std::max(1.0, static_cast<double>(took.count()));
  const auto size = std::max(static_cast<double>(rows_in_it) / static_cast<double>(limits_.max_rows),
                             static_cast<double>(bytes_in_it) / static_cast<double>(limits_.max_bytes));
  const auto expected = trend_.says_of(size);
  if (expected >= 0 && (micros > kAnother * expected || kAnother * micros < expected)) {
    trend_ = {};
    price_ = 0;
  }
  trend_.add(size, micros);
  if (const auto price = trend_.says_of(0); price >= 0) price_ = price;
  price_ = std::min(price_, micros);
  const double used = std::max(static_cast<double>(rows_in_it) / static_cast<double>(rows()),
                               static_cast<double>(bytes_in_it) / static_cast<double>(bytes()));
  const double fit = goal() / micros;
  if (used >= kUsed) {
    part_ *= std::clamp(used * fit, kShrink, kGrow);
  } else if (fit < 1) {
    part_ *= std::max(fit, kShrink);
  } else {
    // It keeps up: a burst that comes now is met with a small cut again.
    part_ = std::min(part_, std::max(kFirst, part_ / kGrow));
  }
  const double smallest =
      std::min(static_cast<double>(kFewestRows) / static_cast<double>(limits_.max_rows),
               static_cast<double>(kFewestBytes) / static_cast<double>(limits_.max_bytes));
  part_ = std::clamp(part_, std::min(1.0, smallest), 1.0);
}

}  // namespace maia::engine
