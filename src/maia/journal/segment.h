// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/disk.h"
#include "maia/journal/batch_codec.h"
#include "maia/journal/record.h"
#include "maia/types/schema.h"

namespace maia::journal {

/// First bytes of each segment file; the last one is the format's version.
inline constexpr std::string_view kSegmentMagic{"MAIAJNL\x01", 8};
/// Payload of a mark record; looked for behind a damaged place.
inline constexpr std::string_view kMarkMagic{"MAIAMARK", 8};

/// "<directory>/00000000000000000001.journal"
std::string segment_path(const std::string& directory, std::uint64_t number);
/// The number in a file name; nothing if it is not a segment's name.
std::optional<std::uint64_t> segment_number(std::string_view file_name);

/// The numbers of the segments in a directory, ascending.
Result<std::vector<std::uint64_t>> segment_numbers(Disk& disk, const std::string& directory);

/// The latest shape of each table, by the source's id of the table (its name if it has none).
using LatestSchemas = std::map<std::string, SchemaRef>;
std::string table_key(const TableSchema& schema);

/// Payload of the open record: what is known before the segment's first record.
struct SegmentOpen {
  Sequence base;       ///< the last sequence before this segment
  Position position;   ///< of `base`
  bool reset = false;  ///< segments with lower numbers are void
  std::vector<TableSchema> schemas;
};
Bytes encode_open(const SegmentOpen& open);
Result<SegmentOpen> decode_open(ByteView payload);

/// The commit times of some transactions. All zero if there are none.
struct CommitSpan {
  WallMicros first = 0;
  WallMicros last = 0;
  std::uint64_t transactions = 0;
  void add(const Transaction& transaction);
  friend bool operator==(const CommitSpan&, const CommitSpan&) = default;
};

/// Payload of the end record.
struct SegmentEnd {
  Sequence last;      ///< the last sequence given up to here
  Position position;  ///< of `last`
  /// Lowest segment whose fragments a commit of this segment needs; its own number if there is none.
  std::uint64_t needs_from = 0;
  CommitSpan span;           ///< of the transactions that became visible in this segment
  std::uint64_t offset = 0;  ///< where the end record begins; also the file's last 8 bytes
};
Bytes encode_end(const SegmentEnd& end);
Result<SegmentEnd> decode_end(ByteView payload);

/// A fragment of a running transaction, as its commit names it.
struct FragmentRef {
  Place place;
  std::uint64_t keep_below =
      UINT64_MAX;  ///< rows and barriers with this ordinal or a higher one were rolled back
  friend bool operator==(const FragmentRef&, const FragmentRef&) = default;
};

/// Payload of a commit record.
struct CommitRecord {
  Transaction transaction;
  std::vector<FragmentRef> fragments;
  std::vector<std::uint64_t> schemas;  ///< numbers of the shapes that are the latest from here on
  std::vector<std::string> dropped;    ///< table keys that are gone from here on
};
Bytes encode_commit(const CommitRecord& commit);
Result<CommitRecord> decode_commit(ByteView payload);

/// One segment as the journal keeps it in mind.
struct SegmentEntry {
  std::uint64_t number = 0;
  Sequence base;  ///< the last sequence before it
  Sequence last;  ///< the last sequence in it; `base` if it has none
  std::uint64_t needs_from = 0;
  std::uint64_t bytes = 0;
  CommitSpan span;
};

}  // namespace maia::journal
