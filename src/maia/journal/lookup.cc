// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/lookup.h"

#include <fmt/format.h>

#include "maia/types/time_text.h"

namespace maia::journal {
namespace {

std::string time_text(WallMicros time) {
  std::string text;
  append_timestamp(text, time, Zone::utc);
  return text;
}

/// The largest index for which `holds`, of which holds(0) is known and which holds for a leading part only.
template <class Holds>
Result<std::size_t> last_that(std::size_t count, Holds holds) {
  std::size_t low = 0;
  std::size_t high = count;
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (MAIA_TRY(holds(middle)) ? low : high) = middle;
  }
  return low;
}

}  // namespace

Result<std::optional<SegmentScan::Found>> SegmentScan::next() {
  for (;;) {
    bool more = true;
    auto found = record(more);
    const bool unfinished = !found.ok() && !limit_ && found.error().code == Error::Code::corruption;
    if (unfinished) return std::optional<Found>();
    if (!found.ok() || *found || !more) return found;
  }
}

Result<std::optional<SegmentScan::Found>> SegmentScan::record(bool& more) {
  const auto end = limit_ ? *limit_ : MAIA_TRY(reader_.size());
  more = offset_ < end;
  std::optional<Found> found;
  if (!more) return found;
  const auto header = MAIA_TRY(reader_.header(offset_));
  if (header.type == RecordType::window || header.type == RecordType::commit) {
    found = Found{offset_, MAIA_TRY(reader_.head(offset_, header))};
  }
  offset_ += header.bytes();
  more = header.type != RecordType::end;
  return found;
}

Result<std::unique_ptr<SegmentReader>> Lookup::open(std::size_t index) {
  auto reader = MAIA_TRY(SegmentReader::open(disk_, directory_, segments_[index], pool_));
  MAIA_TRY(reader->check_magic());
  return reader;
}

Result<SegmentOpen> Lookup::begin_of(std::size_t index) {
  const auto reader = MAIA_TRY(open(index));
  return reader->open_record();
}

SegmentScan Lookup::scan(SegmentReader& reader, std::size_t index) const {
  if (index + 1 == segments_.size()) return {reader, last_bytes_};
  return {reader, UINT64_MAX};  // up to its end record
}

Result<std::optional<WallMicros>> Lookup::first_commit(std::size_t index) {
  for (; index < segments_.size(); ++index) {
    const auto reader = MAIA_TRY(open(index));
    auto walk = scan(*reader, index);
    while (const auto found = MAIA_TRY(walk.next())) {
      const auto& transactions = found->head.transactions;
      if (!transactions.empty()) return std::optional(transactions.front().committed_at);
    }
  }
  return std::optional<WallMicros>();
}

Error Lookup::before_all(std::string_view what, const SegmentOpen& first) {
  auto oldest = first_commit(0);
  if (!oldest.ok()) return std::move(oldest).error();
  const auto since = *oldest ? ", committed at " + time_text(**oldest) : "";
  return {Error::Code::lost_history, Recovery::halt,
          fmt::format("{} is before what the journal retains: the oldest that is there is sequence {}{}",
                      what, first.base.value + 1, since),
          "choose a later one; journal: retain_age and retain_bytes say how much is kept"};
}

Result<Sequence> Lookup::before_time(WallMicros moment, WallMicros now) {
  if (moment > now) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("{} is in the future: it is now {}", time_text(moment), time_text(now)),
                 "times without an offset are refused; is it the right time zone?"};
  }
  const auto first = MAIA_TRY(begin_of(0));
  const auto oldest = MAIA_TRY(first_commit(0));
  if (first.base.value > 0 && oldest && moment < *oldest) return before_all(time_text(moment), first);
  const auto earlier = [&](std::size_t middle) -> Result<bool> {
    const auto begin = MAIA_TRY(first_commit(middle));
    return begin && *begin < moment;
  };
  auto index = MAIA_TRY(last_that(segments_.size(), earlier));
  Sequence before = MAIA_TRY(begin_of(index)).base;
  for (; index < segments_.size(); ++index) {
    const auto reader = MAIA_TRY(open(index));
    auto walk = scan(*reader, index);
    while (const auto found = MAIA_TRY(walk.next())) {
      for (const auto& transaction : found->head.transactions) {
        if (transaction.committed_at >= moment) return Sequence{found->head.sequence.value - 1};
      }
      before = found->head.sequence;
    }
  }
  return before;
}

Result<Sequence> Lookup::up_to_position(const Position& position, const PositionOrder& order) {
  const auto first = MAIA_TRY(begin_of(0));
  const auto behind = [&](const Position& place) -> Result<bool> {
    if (place.empty()) return true;
    const auto compared = order.compare(place, position);
    if (compared != std::partial_ordering::unordered) return compared <= 0;
    return Error{Error::Code::lost_history, Recovery::halt,
                 fmt::format("{} is not of the history of the source that the journal holds, which is at {}",
                             order.describe(position), order.describe(place)),
                 "choose a position that maia tail shows"};
  };
  if (!MAIA_TRY(behind(first.position))) return before_all(order.describe(position), first);
  const auto begins_behind = [&](std::size_t middle) -> Result<bool> {
    const auto open = MAIA_TRY(begin_of(middle));
    return behind(open.position);
  };
  const auto index = MAIA_TRY(last_that(segments_.size(), begins_behind));
  const auto reader = MAIA_TRY(open(index));
  const auto begin = MAIA_TRY(reader->open_record());
  auto last = begin.position;
  auto sequence = begin.base;
  auto walk = scan(*reader, index);
  while (const auto found = MAIA_TRY(walk.next())) {
    if (!MAIA_TRY(behind(found->head.end))) return sequence;
    sequence = found->head.sequence;
    if (!found->head.end.empty()) last = found->head.end;
  }
  const bool at_tail = index + 1 == segments_.size();
  if (at_tail && (last.empty() || order.compare(last, position) < 0)) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("{} is after what the journal holds, which ends at {}", order.describe(position),
                             last.empty() ? "its begin" : order.describe(last)),
                 "choose an earlier one, or wait until the source's log has got there"};
  }
  return sequence;
}

Result<Position> Lookup::end_of(Sequence sequence) {
  const auto index = MAIA_TRY(index_after(sequence));
  const auto reader = MAIA_TRY(open(index));
  auto end = MAIA_TRY(reader->open_record()).position;
  auto walk = scan(*reader, index);
  while (auto found = MAIA_TRY(walk.next())) {
    if (found->head.sequence > sequence) break;
    if (!found->head.end.empty()) end = std::move(found->head.end);
  }
  return end;
}

Result<std::uint64_t> Lookup::segment_after(Sequence after) {
  return segments_[MAIA_TRY(index_after(after))];
}

Result<std::size_t> Lookup::index_after(Sequence after) {
  const auto first = MAIA_TRY(begin_of(0));
  if (after < first.base) return before_all(fmt::format("sequence {}", after.value + 1), first);
  const auto begins_before = [&](std::size_t middle) -> Result<bool> {
    const auto open = MAIA_TRY(begin_of(middle));
    return open.base <= after;
  };
  return last_that(segments_.size(), begins_before);
}

Result<Journal::Tail> Lookup::tail() {
  const auto first = MAIA_TRY(begin_of(0));
  const auto index = segments_.size() - 1;
  const auto reader = MAIA_TRY(open(index));
  const auto begin = MAIA_TRY(reader->open_record());
  Journal::Tail tail{begin.base, begin.position, Sequence{first.base.value + 1}};
  auto walk = scan(*reader, index);
  while (auto found = MAIA_TRY(walk.next())) {
    tail.sequence = found->head.sequence;
    if (!found->head.end.empty()) tail.position = std::move(found->head.end);
  }
  return tail;
}

}  // namespace maia::journal
