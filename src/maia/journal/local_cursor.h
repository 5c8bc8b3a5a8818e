// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/journal/journal_state.h"
#include "maia/journal/segment_reader.h"

namespace maia::journal {

/// Reads one local journal from memory where it keeps up, otherwise from the segments.
class LocalCursor final : public JournalCursor {
 public:
  /// `place` is at or before the record that follows `after`.
  LocalCursor(std::shared_ptr<JournalState> state, Sequence after, Place place)
      : state_(std::move(state)), last_(after), place_(place) {}

  Result<std::optional<WindowRef>> next(std::chrono::milliseconds wait, std::stop_token stop) override;

 private:
  /// Opens a segment, unless `reader` has it already.
  Status turn_to(std::unique_ptr<SegmentReader>& reader, std::uint64_t segment);
  /// Moves place_ to the record of a sequence that is known to be there.
  Result<RecordHeader> seek(Sequence wanted);
  Result<WindowRef> read(Sequence wanted);
  /// The next piece of the streamed transaction that is being handed over.
  Result<WindowRef> next_piece();

  std::shared_ptr<JournalState> state_;
  Sequence last_;  ///< handed over wholly, or in pieces right now
  Place place_;
  std::unique_ptr<SegmentReader> reader_;

  std::unique_ptr<SegmentReader> fragment_reader_;
  CommitRecord commit_;
  std::size_t piece_ = 0;  ///< next one of commit_.fragments
};

}  // namespace maia::journal
