// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/window_reader.h"

#include <fmt/format.h>

#include "maia/journal/running_transactions.h"

namespace maia::journal {

Status WindowReader::turn_to(std::unique_ptr<SegmentReader>& reader, std::uint64_t number) {
  if (reader && reader->number() == number) return {};
  auto opened = SegmentReader::open(disk_, directory_, number, pool_);
  if (opened.ok()) {
    reader = std::move(opened).value();
    return reader->check_magic();
  }
  // Segments go from the oldest on, so one that is missing before others was removed.
  const auto numbers = MAIA_TRY(segment_numbers(disk_, directory_));
  if (numbers.empty() || number >= numbers.front()) return std::move(opened).error();
  return Error{
      Error::Code::lost_history, Recovery::halt,
      fmt::format("the journal has removed {}, which was still to be read", segment_path(directory_, number)),
      "the reader was slower than the journal's retention; a destination is to be resynced"};
}

Result<SegmentReader*> WindowReader::segment(std::uint64_t number) {
  MAIA_TRY(turn_to(reader_, number));
  return reader_.get();
}

Result<WindowRef> WindowReader::window(std::uint64_t offset, const RecordHeader& header) {
  if (header.type == RecordType::window) {
    return std::make_shared<const Window>(MAIA_TRY(reader_->window(offset, header)));
  }
  auto commit = MAIA_TRY(reader_->commit(offset, header));
  if (commit.fragments.empty()) {
    return std::make_shared<const Window>(MAIA_TRY(reader_->head(offset, header)));
  }
  commit_ = std::move(commit);
  sequence_ = header.sequence;
  piece_ = 0;
  return next_piece();
}

Result<Window> WindowReader::fragment(Place place) {
  MAIA_TRY(turn_to(fragment_reader_, place.segment));
  const auto header = MAIA_TRY(fragment_reader_->header(place.offset));
  if (header.type != RecordType::fragment) {
    return fragment_reader_->damaged_at(place.offset, "a fragment of a transaction is expected here");
  }
  return fragment_reader_->window(place.offset, header);
}

Result<WindowRef> WindowReader::next_piece() {
  const auto& ref = commit_.fragments[piece_];
  auto window = MAIA_TRY(fragment(ref.place));
  if (ref.keep_below != UINT64_MAX) drop_from(window, ref.keep_below);
  ++piece_;
  window.sequence = sequence_;
  window.transactions = {commit_.transaction};
  window.end = commit_.transaction.position;
  window.continues = within();
  return std::make_shared<const Window>(std::move(window));
}

}  // namespace maia::journal
