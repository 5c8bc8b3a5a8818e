// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/following_cursor.h"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

namespace maia::journal {
namespace {

constexpr std::chrono::milliseconds kLook{10};

}  // namespace

Result<std::optional<WindowRef>> FollowingCursor::next(std::chrono::milliseconds wait, std::stop_token stop) {
  if (windows_.within()) return std::optional(MAIA_TRY(windows_.next_piece()));
  const auto end = std::chrono::steady_clock::now() + wait;
  std::mutex mutex;
  std::condition_variable_any never;
  for (;;) {
    if (auto found = MAIA_TRY(look())) return found;
    windows_.close();  // a journal that was mended has another file there
    const auto now = std::chrono::steady_clock::now();
    if (now >= end || stop.stop_requested()) return std::optional<WindowRef>();
    std::unique_lock lock(mutex);
    never.wait_until(lock, stop, std::min(end, now + kLook), [] { return false; });
  }
}

Result<std::optional<WindowRef>> FollowingCursor::look() {
  auto found = advance();
  if (found.ok() || found.error().code != Error::Code::corruption) return found;
  // Perhaps it was half-written. If anything was written behind it, it must verify now.
  auto again = windows_.segment(place_.segment);
  if (!again.ok()) return advance();
  auto* reader = *again;
  reader->forget();
  const bool written = MAIA_TRY(next_exists()) || MAIA_TRY(reader->marked_after(place_.offset));
  reader->forget();
  found = advance();
  if (found.ok() || written || found.error().code != Error::Code::corruption) return found;
  return std::optional<WindowRef>();
}

Result<std::optional<WindowRef>> FollowingCursor::advance() {
  for (;;) {
    auto opened = windows_.segment(place_.segment);
    if (!opened.ok()) {
      MAIA_TRY(pass_removed(std::move(opened).error()));
      continue;
    }
    auto* reader = *opened;
    if (place_.offset == 0) {
      MAIA_TRY(reader->check_magic());
      place_.offset = kSegmentMagic.size();
    }
    if (place_.offset == MAIA_TRY(reader->size())) {
      if (!MAIA_TRY(next_exists()) || place_.offset != MAIA_TRY(reader->size())) {
        return std::optional<WindowRef>();
      }
      // Only a journal that was begun anew leaves a segment behind that does not end.
      place_ = {place_.segment + 1, 0};
      continue;
    }
    const auto header = MAIA_TRY(reader->header(place_.offset));
    if (auto found = MAIA_TRY(take(*reader, header))) return found;
    if (header.type == RecordType::end) {
      if (!MAIA_TRY(next_exists())) return std::optional<WindowRef>();
      place_ = {place_.segment + 1, 0};
    } else {
      place_.offset += header.bytes();
    }
  }
}

Result<std::optional<WindowRef>> FollowingCursor::take(SegmentReader& reader, const RecordHeader& header) {
  std::optional<WindowRef> found;
  switch (header.type) {
    case RecordType::window:
    case RecordType::commit:
      if (header.sequence <= last_) return found;
      if (header.sequence.value != last_.value + 1) {
        return reader.damaged_at(place_.offset, fmt::format("sequence {} is missing", last_.value + 1));
      }
      found = MAIA_TRY(windows_.window(place_.offset, header));
      last_ = header.sequence;
      place_.offset += header.bytes();
      return found;
    case RecordType::open: MAIA_TRY(check_open(reader)); return found;
    case RecordType::fragment: return found;
    case RecordType::schema:
    case RecordType::abort:
    case RecordType::start:
    case RecordType::mark:
    case RecordType::end: MAIA_TRY(reader.payload(place_.offset, header)); return found;
  }
  return found;
}

Status FollowingCursor::pass_removed(Error error) {
  if (error.code != Error::Code::lost_history) return error;
  const auto numbers = MAIA_TRY(segment_numbers(disk_, directory_));
  if (numbers.empty() || numbers.front() <= place_.segment) return error;
  auto* oldest = MAIA_TRY(windows_.segment(numbers.front()));
  const auto open = MAIA_TRY(oldest->open_record());
  if (open.reset) return begun_anew(open);
  if (open.base > last_) return error;
  place_ = {numbers.front(), 0};
  return {};
}

Status FollowingCursor::check_open(SegmentReader& reader) {
  const auto open = MAIA_TRY(reader.open_record());
  if (open.reset && place_.segment != first_segment_) return begun_anew(open);
  return {};
}

Error FollowingCursor::begun_anew(const SegmentOpen& open) const {
  return {Error::Code::lost_history, Recovery::halt,
          fmt::format("the journal was begun anew after sequence {}, while sequence {} was the last that was "
                      "read",
                      open.base.value, last_.value),
          "read it again from its begin"};
}

Result<bool> FollowingCursor::next_exists() {
  const auto numbers = MAIA_TRY(segment_numbers(disk_, directory_));
  return !numbers.empty() && numbers.back() > place_.segment;
}

}  // namespace maia::journal
