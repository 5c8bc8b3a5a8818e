// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "maia/journal/journal.h"

namespace maia::simulation {

/// Mistakes that can be put in on purpose, at the seams between the engine and what is simulated, to see that
/// they are found.
enum class Flaw : std::uint8_t {
  none,
  early_confirm,         ///< the source is told that all that was read is durable
  torn_tail_accepted,    ///< after a crash the journal takes a half-written window for a whole one
  lost_epoch_check,      ///< a destination takes writes from any run
  missed_abort,          ///< what is rolled back after it was streamed is kept
  watermark_off_by_one,  ///< a snapshot says that it has one position less than it has
};
std::string_view to_string(Flaw flaw);
std::optional<Flaw> flaw_named(std::string_view name);

/// What a crash may tear: the last window that was appended. Outlives the journal.
struct LastWritten {
  Sequence sequence;
  std::optional<Window> window;
};

/// Flaw::torn_tail_accepted over a journal: if it ends just before `last`, the first half of that becomes a
/// part of it.
Result<std::unique_ptr<Journal>> accepting_torn_tail(std::unique_ptr<Journal> journal, LastWritten& last);

}  // namespace maia::simulation
