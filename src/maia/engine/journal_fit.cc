// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/journal_fit.h"

namespace maia::engine {
namespace {

/// The position of a record that is there.
Result<Position> position_of(Journal& journal, Sequence sequence) {
  const auto cursor = MAIA_TRY(journal.read(Sequence{sequence.value - 1}));
  for (;;) {
    const auto window = MAIA_TRY(cursor->next(std::chrono::milliseconds{0}, {}));
    if (!window) {
      return Error{Error::Code::corruption, Recovery::halt,
                   "the journal does not hold a record that it claims to hold",
                   "remove the pipeline's state directory: it goes on from the destination's checkpoint"};
    }
    if (!(*window)->continues) return (*window)->end;
  }
}

}  // namespace

std::string_view explain(JournalFit fit) {
  switch (fit) {
    case JournalFit::continues: return "";
    case JournalFit::behind:
      return "the journal in the state directory is new, or older than what the destination holds";
    case JournalFit::released:
      return "the destination has gone back to an earlier state, perhaps restored from a backup, and the "
             "journal no longer holds what came after it";
    case JournalFit::foreign:
      return "the journal in the state directory is not the one that the destination was written from";
  }
  return "";
}

Result<JournalFit> fit_of(Journal& journal, const Source& source, Sequence sequence,
                          const Position& position) {
  const auto tail = journal.tail();
  if (sequence > tail.sequence) return JournalFit::behind;
  if (sequence.value + 1 < tail.first.value) return JournalFit::released;
  // Nothing is known of the place at which a journal that holds nothing yet began.
  if (sequence.value + 1 == tail.first.value && sequence != tail.sequence) return JournalFit::continues;
  const auto there = sequence == tail.sequence ? tail.position : MAIA_TRY(position_of(journal, sequence));
  const bool same = there.empty() || source.compare(there, position) == 0;
  return same ? JournalFit::continues : JournalFit::foreign;
}

}  // namespace maia::engine
