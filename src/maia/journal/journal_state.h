// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/disk.h"
#include "maia/journal/ahead.h"
#include "maia/journal/recent_windows.h"
#include "maia/journal/schema_pool.h"
#include "maia/journal/segment.h"

namespace maia::journal {

/// What the appender and the cursors of one local journal share.
struct JournalState {
  JournalState(Disk& on, std::string in, std::uint64_t recent_bytes)
      : disk(on), directory(std::move(in)), recent(recent_bytes) {}

  // Constant.
  Disk& disk;
  const std::string directory;
  const std::shared_ptr<SchemaPool> pool = std::make_shared<SchemaPool>();

  std::mutex mutex;
  std::condition_variable_any
      appended;  ///< a sequence became visible, or something happened to what is ahead
  // Guarded by mutex. Everything up to `last` is readable in the files.
  std::vector<SegmentEntry> segments;  ///< ascending, never empty; the last one is being written
  Sequence last;
  Sequence visible;            ///< to cursors; before `last` only while what is not synced is held back
  std::uint64_t renewals = 0;  ///< how often the file of the last segment was replaced
  Position position;
  RecentWindows recent;
  std::shared_ptr<Ahead> ahead;  ///< of the sequence after `last`; null: nothing may be handed out before it
  LatestSchemas schemas;
  /// Nothing is ahead any more: what was has committed, as `end` says, or without `end` will not be the next.
  void settle_ahead(const WindowRef& end);
  /// The segment that has `wanted`, or will have it. Nothing if it is gone.
  std::optional<std::uint64_t> segment_of(Sequence wanted) const;
  std::optional<std::uint64_t> oldest_running;  ///< lowest segment with a fragment of a running transaction
};

}  // namespace maia::journal
