// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

namespace maia::engine {

/// How much goes into one transaction at a destination. Delivery takes what is there and never waits for
/// more, so while it keeps up its transactions are as small as the traffic; this only says where to cut when
/// more waits. The cut grows while transactions stay well below the time that one should take, and shrinks
/// when they take longer, between a floor and the limits of the settings. Where a transaction has a price of
/// its own that is close to that time, they may take a few times that price instead: shorter ones would only
/// pay it more often. Pure: it knows no clock.
class WindowSize {
 public:
  using Duration = std::chrono::microseconds;
  struct Limits {
    std::size_t max_rows = 100'000;
    std::size_t max_bytes = 32 << 20;
    Duration target = std::chrono::milliseconds{200};  ///< of one transaction, from its begin to its end
  };
  explicit WindowSize(const Limits& limits) : limits_(limits) {}

  std::size_t rows() const;
  std::size_t bytes() const;

  /// A transaction with so much in it took so long.
  void committed(std::size_t rows, std::size_t bytes, Duration took);

 private:
  /// The line through what the last transactions took, by how much was in them: weighted sums, old ones
  /// count less and less.
  struct Trend {
    double weight = 0, x = 0, y = 0, xx = 0, xy = 0;
    void add(double at, double value);
    /// What it says of a transaction of a size; a negative number if the transactions were too much alike to
    /// tell.
    double says_of(double at) const;
  };
  double goal() const;

  Limits limits_;
  double part_ = kFirst;  ///< of the limits
  Trend trend_;           ///< microseconds by parts of the limits
  double price_ = 0;      ///< microseconds that a transaction takes whatever is in it

  static constexpr double kFirst = 1.0 / 32;
};

}  // namespace maia::engine
