// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/journal_fit.h"

namespace maia::engine {

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
  const auto there = sequence == tail.sequence ? tail.position : MAIA_TRY(journal.end_of(sequence));
  const bool same = there.empty() || source.compare(there, position) == 0;
  return same ? JournalFit::continues : JournalFit::foreign;
}

}  // namespace maia::engine
