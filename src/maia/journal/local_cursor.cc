// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/local_cursor.h"

#include <fmt/format.h>

#include <utility>

namespace maia::journal {

namespace {

Error lost(Sequence wanted) {
  return {Error::Code::lost_history, Recovery::halt,
          fmt::format("the journal has removed sequence {}, which was still to be read", wanted.value),
          "the reader was slower than the journal's retention; a destination is to be resynced"};
}

}  // namespace

LocalCursor::LocalCursor(std::shared_ptr<JournalState> state, Sequence after, Place place)
    : state_(std::move(state)),
      windows_(state_->disk, state_->directory, state_->pool),
      last_(after),
      place_(place) {
  const std::lock_guard lock(state_->mutex);
  reader_ = state_->recent.enter(after);
}

LocalCursor::~LocalCursor() {
  const std::lock_guard lock(state_->mutex);
  state_->recent.leave(reader_);
}

void LocalCursor::advance(Sequence read) {
  last_ = read;
  state_->recent.advance(reader_, read);
}

Result<std::optional<WindowRef>> LocalCursor::next(std::chrono::milliseconds wait, std::stop_token stop) {
  if (windows_.within()) return std::optional(MAIA_TRY(windows_.next_piece()));
  if (ahead_) return next_of_ahead(wait, std::move(stop));
  const Sequence wanted{last_.value + 1};
  {
    std::unique_lock lock(state_->mutex);
    const auto there = [&] { return state_->visible >= wanted; };
    if (!state_->appended.wait_for(lock, stop, wait, there)) return std::optional<WindowRef>();
    notice_renewals();
    if (const auto* recent = state_->recent.find(wanted)) {
      place_ = recent->place;
      if (auto window = recent->window) {
        advance(wanted);
        return std::optional(std::move(window));
      }
    }
    // What lies between may have been removed: nobody needs it any more.
    const auto segment = state_->segment_of(wanted);
    if (!segment) return lost(wanted);
    if (place_.segment < *segment) place_ = {*segment, kSegmentMagic.size()};
  }
  return std::optional(MAIA_TRY(read(wanted)));
}

Result<std::optional<WindowRef>> LocalCursor::next_ahead(std::chrono::milliseconds wait,
                                                         std::stop_token stop) {
  if (!windows_.within() && !ahead_) {
    std::unique_lock lock(state_->mutex);
    const auto there = [&] { return state_->visible > last_ || state_->ahead; };
    if (!state_->appended.wait_for(lock, stop, wait, there)) return std::optional<WindowRef>();
    if (state_->visible == last_) {
      ahead_ = state_->ahead;
      pieces_ = 0;
    }
  }
  return next(std::chrono::milliseconds{0}, std::move(stop));
}

Result<std::optional<WindowRef>> LocalCursor::next_of_ahead(std::chrono::milliseconds wait,
                                                            std::stop_token stop) {
  Ahead::Piece piece;
  {
    std::unique_lock lock(state_->mutex);
    const auto there = [&] { return ahead_->taken_back || ahead_->end || pieces_ < ahead_->pieces.size(); };
    if (!state_->appended.wait_for(lock, stop, wait, there)) return std::optional<WindowRef>();
    if (ahead_->taken_back) {
      ahead_.reset();
      return Error{Error::Code::cancelled, Recovery::halt, "what was read ahead of its commit is void", ""};
    }
    if (pieces_ == ahead_->pieces.size()) {
      auto end = std::exchange(ahead_, nullptr)->end;
      if (const auto* recent = state_->recent.find(end->sequence)) place_ = recent->place;
      advance(end->sequence);
      return std::optional(std::move(end));
    }
    notice_renewals();
    piece = ahead_->take(pieces_++, state_->recent.readers());
  }
  if (piece.window) return std::optional(std::move(piece.window));
  auto window = MAIA_TRY(windows_.fragment(piece.place));
  window.sequence = Sequence{last_.value + 1};
  window.continues = true;
  return std::optional(std::make_shared<const Window>(std::move(window)));
}

void LocalCursor::notice_renewals() {
  if (std::exchange(renewals_, state_->renewals) != state_->renewals) windows_.close();
}

Result<RecordHeader> LocalCursor::seek(Sequence wanted) {
  for (;;) {
    auto* reader = MAIA_TRY(windows_.segment(place_.segment));
    const auto header = MAIA_TRY(reader->header(place_.offset));
    switch (header.type) {
      case RecordType::window:
      case RecordType::commit:
        if (header.sequence == wanted) return header;
        if (header.sequence > wanted) {
          return reader->damaged_at(place_.offset, fmt::format("sequence {} is missing", wanted.value));
        }
        break;
      case RecordType::fragment: break;
      case RecordType::open:
      case RecordType::schema:
      case RecordType::abort:
      case RecordType::start:
      case RecordType::mark:
      case RecordType::end: MAIA_TRY(reader->payload(place_.offset, header)); break;
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
  auto window = MAIA_TRY(windows_.window(place_.offset, header));
  const std::lock_guard lock(state_->mutex);
  advance(wanted);
  return window;
}

}  // namespace maia::journal
