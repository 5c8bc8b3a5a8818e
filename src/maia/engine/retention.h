// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "maia/base/clock.h"
#include "maia/journal/journal.h"

namespace maia::engine {

/// How much of what has been delivered stays in the journal, to be read again, and how large it may get.
struct RetentionOptions {
  std::chrono::microseconds age = std::chrono::hours(24);  ///< what is older may go
  std::uint64_t bytes = std::uint64_t{1} << 30;            ///< the oldest of what is beyond this may go
  std::uint64_t max_bytes = 0;  ///< of the whole journal; 0: as much as the disk has
  bool drop_behind = false;     ///< what may go goes even if a destination has not got it yet
};

/// Decides what the journal may forget. Knows no clock, no disk and no destination; thread-safe.
class Retention {
 public:
  explicit Retention(const RetentionOptions& options) : options_(options) {}

  struct Decision {
    std::optional<Sequence> through;  ///< whole parts up to here may go; nothing: keep all
    bool full = false;                ///< the journal has reached its limit and may not grow
    friend bool operator==(const Decision&, const Decision&) = default;
  };
  /// `parts` from the oldest on, the last one being written; `delivered` is durable in every destination,
  /// nothing if one of them is unknown. The limit of the whole journal comes before what is kept to be read
  /// again, and a destination's need before the limit.
  Decision decide(std::span<const Journal::Part> parts, std::optional<Sequence> delivered,
                  WallMicros now) const;

 private:
  const RetentionOptions options_;
};

}  // namespace maia::engine
