// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "maia/base/disk.h"
#include "maia/journal/schema_pool.h"
#include "maia/journal/segment.h"

namespace maia::journal {

/// What a crash had left half-written at the end of the journal, and recovery removed. None of it was
/// durable.
struct TornTail {
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

/// A journal's directory after a start.
struct Recovered {
  std::vector<SegmentEntry> segments;  ///< ascending, without holes; empty for a new journal
  bool complete = false;          ///< the last segment has its end record: the next append begins a new one
  std::uint64_t next_number = 1;  ///< of the next new segment
  Sequence last;
  Position position;
  LatestSchemas schemas;
  std::optional<TornTail> torn;
};

/// Finds the end of the journal, cuts a torn tail, removes what a reset made void. Reads the last segment
/// wholly and the ends of the others. Code::corruption, with file and offset, for everything that a crash
/// cannot explain.
Result<Recovered> recover(Disk& disk, const std::string& directory, const std::shared_ptr<SchemaPool>& pool);

}  // namespace maia::journal
