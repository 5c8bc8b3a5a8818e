// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/disk.h"
#include "maia/journal/journal.h"
#include "maia/journal/segment_reader.h"

namespace maia::journal {

/// Walks through the windows and commits of one segment without their rows.
class SegmentScan {
 public:
  /// Goes as far as `limit` bytes. Without a limit the segment may be one that is being written: then it goes
  /// as far as records verify.
  SegmentScan(SegmentReader& reader, std::optional<std::uint64_t> limit) : reader_(reader), limit_(limit) {}

  struct Found {
    std::uint64_t offset = 0;
    Window head;  ///< sequence, end, transactions
  };
  /// Nothing at the end.
  Result<std::optional<Found>> next();
  /// Behind the last record that was passed.
  std::uint64_t offset() const { return offset_; }

 private:
  Result<std::optional<Found>> record(bool& more);

  SegmentReader& reader_;
  std::optional<std::uint64_t> limit_;
  std::uint64_t offset_ = kSegmentMagic.size();
};

/// Finds sequences by time and by position in segments that stay as they are: by halves over the segments,
/// then by a scan of one. Used from one thread.
class Lookup {
 public:
  /// `segments` ascend and are not empty. Without `last_bytes` the last one may be being written by another.
  Lookup(Disk& disk, std::string directory, std::shared_ptr<SchemaPool> pool,
         std::vector<std::uint64_t> segments, std::optional<std::uint64_t> last_bytes)
      : disk_(disk),
        directory_(std::move(directory)),
        pool_(std::move(pool)),
        segments_(std::move(segments)),
        last_bytes_(last_bytes) {}

  /// As in Journal.
  Result<Sequence> before_time(WallMicros moment, WallMicros now);
  Result<Sequence> up_to_position(const Position& position, const PositionOrder& order);
  Result<Position> end_of(Sequence sequence);
  /// The segment that has what follows `after`. Code::lost_history if it is not there any more.
  Result<std::uint64_t> segment_after(Sequence after);
  /// What is at the end.
  Result<Journal::Tail> tail();

 private:
  Result<std::size_t> index_after(Sequence after);
  Result<std::unique_ptr<SegmentReader>> open(std::size_t index);
  Result<SegmentOpen> begin_of(std::size_t index);
  SegmentScan scan(SegmentReader& reader, std::size_t index) const;
  /// When the first transaction in this segment or behind it committed; nothing if there is none.
  Result<std::optional<WallMicros>> first_commit(std::size_t index);
  Error before_all(std::string_view what, const SegmentOpen& first);

  Disk& disk_;
  std::string directory_;
  std::shared_ptr<SchemaPool> pool_;
  std::vector<std::uint64_t> segments_;
  std::optional<std::uint64_t> last_bytes_;
};

}  // namespace maia::journal
