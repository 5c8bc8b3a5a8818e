// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/journal/journal_state.h"
#include "maia/journal/window_reader.h"

namespace maia::journal {

/// Reads one local journal from memory where it keeps up, otherwise from the segments.
class LocalCursor final : public JournalCursor {
 public:
  /// `place` is at or before the record that follows `after`.
  LocalCursor(std::shared_ptr<JournalState> state, Sequence after, Place place);
  ~LocalCursor() override;

  Result<std::optional<WindowRef>> next(std::chrono::milliseconds wait, std::stop_token stop) override;
  Result<std::optional<WindowRef>> next_ahead(std::chrono::milliseconds wait, std::stop_token stop) override;

 private:
  Result<std::optional<WindowRef>> next_of_ahead(std::chrono::milliseconds wait, std::stop_token stop);
  /// A file that has taken another's place is opened anew. The state's mutex is held.
  void notice_renewals();
  /// Moves place_ to the record of a sequence that is known to be there.
  Result<RecordHeader> seek(Sequence wanted);
  Result<WindowRef> read(Sequence wanted);
  void advance(Sequence read);

  std::shared_ptr<JournalState> state_;
  WindowReader windows_;
  std::uint64_t renewals_ = 0;
  Sequence last_;  ///< handed over wholly, or in pieces right now
  Place place_;
  RecentWindows::Reader reader_;  ///< guarded by the state's mutex
  std::shared_ptr<Ahead> ahead_;  ///< what is handed out before its commit; guarded likewise
  std::size_t pieces_ = 0;        ///< of ahead_, that were handed out
};

}  // namespace maia::journal
