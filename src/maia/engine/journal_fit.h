// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "maia/connector/source.h"
#include "maia/journal/journal.h"

namespace maia::engine {

/// How the journal of the state directory relates to a place that a destination holds.
enum class JournalFit : std::uint8_t {
  continues,  ///< it has what comes after the place
  behind,     ///< it ends before the place: new, or an older copy of the state directory
  released,   ///< it has let go of what comes after the place: the destination went back
  foreign,  ///< it has another position under that sequence: of another pipeline, or of a run that was fenced
};
/// What is the matter, as the beginning of a sentence; empty for `continues`.
std::string_view explain(JournalFit fit);

/// Sequences are numbered by each journal for itself, so a sequence alone says nothing: the position under it
/// must be the one that the destination holds. No cursor may be open.
Result<JournalFit> fit_of(Journal& journal, const Source& source, Sequence sequence,
                          const Position& position);

}  // namespace maia::engine
