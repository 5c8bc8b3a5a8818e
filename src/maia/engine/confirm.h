// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "maia/connector/source.h"
#include "maia/types/position.h"

namespace maia::engine {

/// Decides what the source may discard: the only caller of Stream::confirm in the program. It is fed with
/// nothing but what a destination has read back or committed, and it confirms the oldest of these.
/// Thread-safe.
class Confirm {
 public:
  /// `source` outlives this.
  explicit Confirm(const Source& source) : source_(source) {}

  /// A destination of the pipeline; until its first `durable`, nothing is confirmed.
  void expect(const std::string& destination);
  /// Everything up to here is durable at the destination, of every table.
  void durable(const std::string& destination, Sequence sequence, const Position& position);
  /// So it is up to here of the tables that take part; others are held. Not what is confirmed.
  void delivered(const std::string& destination, const Position& position);

  /// Tells the stream, if there is news.
  Status tell(Stream& stream);
  /// The oldest durable position and sequence over all destinations; nothing if one is still unknown.
  struct Oldest {
    Sequence sequence;
    Position position;
  };
  std::optional<Oldest> oldest() const;
  /// Whether the destination's tables that take part have everything up to `position`.
  bool reached(const std::string& destination, const Position& position) const;

 private:
  const Source& source_;
  mutable std::mutex mutex_;
  std::map<std::string, std::optional<Oldest>> durable_;  // guarded by mutex_
  std::map<std::string, Position> delivered_;             // guarded by mutex_
  Position told_;                                         // used by the capture thread
};

}  // namespace maia::engine
