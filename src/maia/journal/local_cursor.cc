// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/local_cursor.h"

#include <fmt/format.h>

#include "maia/journal/running_transactions.h"

namespace maia::journal {

Result<std::optional<WindowRef>> LocalCursor::next(std::chrono::milliseconds wait, std::stop_token stop) {
  if (piece_ < commit_.fragments.size()) return std::optional(MAIA_TRY(next_piece()));
  const Sequence wanted{last_.value + 1};
  {
    std::unique_lock lock(state_->mutex);
    const auto there = [&] { return state_->last >= wanted; };
    if (!state_->appended.wait_for(lock, stop, wait, there)) return std::optional<WindowRef>();
    if (const auto* recent = state_->recent.find(wanted)) {
      place_ = recent->place;
      if (recent->window) {
        last_ = wanted;
        return std::optional(recent->window);
      }
    }
  }
  return std::optional(MAIA_TRY(read(wanted)));
}

Status LocalCursor::turn_to(std::unique_ptr<SegmentReader>& reader, std::uint64_t segment) {
  if (reader && reader->number() == segment) return {};
  auto opened = SegmentReader::open(state_->disk, state_->directory, segment, state_->pool);
  if (opened.ok()) {
    reader = std::move(opened).value();
    return reader->check_magic();
  }
  const std::lock_guard lock(state_->mutex);
  if (segment >= state_->segments.front().number) return std::move(opened).error();
  return Error{Error::Code::lost_history, Recovery::halt,
               fmt::format("the journal has removed what comes after sequence {}", last_.value),
               "the reader was slower than the journal's retention; resync its destination"};
}

Result<RecordHeader> LocalCursor::seek(Sequence wanted) {
  for (;;) {
    MAIA_TRY(turn_to(reader_, place_.segment));
    const auto header = MAIA_TRY(reader_->header(place_.offset));
    switch (header.type) {
      case RecordType::window:
      case RecordType::commit:
        if (header.sequence == wanted) return header;
        if (header.sequence > wanted) {
          return reader_->damaged_at(place_.offset, fmt::format("sequence {} is missing", wanted.value));
        }
        break;
      case RecordType::fragment: break;
      case RecordType::open:
      case RecordType::schema:
      case RecordType::abort:
      case RecordType::start:
      case RecordType::mark: MAIA_TRY(reader_->payload(place_.offset, header)); break;
      case RecordType::end: MAIA_TRY(reader_->payload(place_.offset, header)); break;
    }
    if (header.type == RecordType::end) {
      place_ = {place_.segment + 1, kSegmentMagic.size()};
    } else {
      place_.offset += header.bytes();
    }
  }
}

Result<WindowRef> LocalCursor::read(Sequence wanted) {
  const auto header = MAIA_TRY(seek(wanted));
  if (header.type == RecordType::window) {
    auto window = MAIA_TRY(reader_->window(place_.offset, header));
    last_ = wanted;
    return std::make_shared<const Window>(std::move(window));
  }
  auto commit = MAIA_TRY(reader_->commit(place_.offset, header));
  if (commit.fragments.empty()) {
    Window window;
    window.sequence = wanted;
    window.end = commit.transaction.position;
    window.received_at = commit.transaction.committed_at;
    window.transactions.push_back(std::move(commit.transaction));
    last_ = wanted;
    return std::make_shared<const Window>(std::move(window));
  }
  commit_ = std::move(commit);
  piece_ = 0;
  last_ = wanted;
  return next_piece();
}

Result<WindowRef> LocalCursor::next_piece() {
  const auto& ref = commit_.fragments[piece_];
  MAIA_TRY(turn_to(fragment_reader_, ref.place.segment));
  const auto header = MAIA_TRY(fragment_reader_->header(ref.place.offset));
  if (header.type != RecordType::fragment) {
    return fragment_reader_->damaged_at(ref.place.offset, "a fragment of a transaction is expected here");
  }
  auto window = MAIA_TRY(fragment_reader_->window(ref.place.offset, header));
  if (ref.keep_below != UINT64_MAX) drop_from(window, ref.keep_below);
  ++piece_;
  window.sequence = last_;
  window.transactions = {commit_.transaction};
  window.end = commit_.transaction.position;
  window.continues = piece_ < commit_.fragments.size();
  return std::make_shared<const Window>(std::move(window));
}

}  // namespace maia::journal
