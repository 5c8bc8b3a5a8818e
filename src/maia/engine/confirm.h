// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "maia/connector/source.h"
#include "maia/types/position.h"

namespace maia::engine {

struct ConfirmOptions {
  /// What must have a change before the source may discard it: every destination, or the journal's disk.
  enum class When : std::uint8_t { delivered, journaled };
  When when = When::delivered;
  /// When the source holds more than this back for us, `journaled` counts until it does not.
  std::uint64_t retain_at_source = std::uint64_t{8} << 30;
};

/// Decides what the source may discard: the only caller of Stream::confirm in the program. It is fed with
/// nothing but what a destination has read back or committed and what the journal has made durable.
/// Thread-safe.
class Confirm {
 public:
  /// `source` outlives this.
  explicit Confirm(const Source& source, ConfirmOptions options = {}) : source_(source), options_(options) {}

  /// A destination of the pipeline; until its first `durable`, nothing is confirmed as delivered.
  void expect(const std::string& destination);
  /// Everything up to here is durable at the destination, of every table.
  void durable(const std::string& destination, Sequence sequence, const Position& position);
  /// So it is up to here of the tables that take part; others are held. Not what is confirmed.
  void delivered(const std::string& destination, const Position& position);
  /// Everything up to here is durable in the journal.
  void journaled(const Position& position);
  /// Everything up to here may have been confirmed in an earlier run because the journal had it.
  void inherited(const Position& position);

  /// Tells the stream, if there is news. Used by the capture thread, as the next two.
  Status tell(Stream& stream);
  /// The next stream has been told nothing yet.
  void reconnected() { told_.reset(); }
  /// Bytes that the source holds back since what it was told last; nothing if it cannot tell.
  void held(std::optional<std::uint64_t> bytes);

  /// More is held back at the source than wanted.
  bool over_limit() const;
  /// Some destination still needs what the source may have discarded: then nothing may reach any destination
  /// that the journal's disk does not have, or a power cut could leave a hole.
  bool relies_on_journal() const;

  /// The oldest durable position and sequence over all destinations; nothing if one is still unknown.
  struct Oldest {
    Sequence sequence;
    Position position;
  };
  std::optional<Oldest> oldest() const;
  /// Whether the destination's tables that take part have everything up to `position`.
  bool reached(const std::string& destination, const Position& position) const;
  /// The destination that is farthest behind; "" if there is none.
  std::string farthest_behind() const;

 private:
  bool journal_counts() const;  // with mutex_ held, as the next two
  std::optional<Oldest> oldest_locked() const;
  std::optional<Position> safe() const;

  const Source& source_;
  const ConfirmOptions options_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, std::optional<Oldest>> durable_;
  std::map<std::string, Position> delivered_;
  Position journaled_;  ///< empty: nothing
  Position relied_on_;  ///< the source may have discarded up to here while a destination lacks it
  bool over_limit_ = false;
  std::optional<Position> told_;  // used by the capture thread
};

}  // namespace maia::engine
