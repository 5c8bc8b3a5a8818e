// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "maia/base/disk.h"
#include "maia/journal/schema_pool.h"

namespace maia::journal {

/// Copies the first `bytes` bytes of a segment, each record verified, into a new file that takes its place;
/// durable on return. For a segment whose file had an error: what was written to it since the last success of
/// a sync may never reach the disk, and a later sync would not tell.
Status renew_segment(Disk& disk, const std::string& directory, std::uint64_t number, std::uint64_t bytes,
                     const std::shared_ptr<SchemaPool>& pool);

/// Removes what crashed or failed calls left in the directory: half-made copies, and segments outside of
/// `first` to `last`.
Status remove_strays(Disk& disk, const std::string& directory, std::uint64_t first, std::uint64_t last);

/// Removes segments one by one and in order, so that a crash leaves no hole; after an error it goes on where
/// it was. Not thread-safe.
class SegmentRemoval {
 public:
  SegmentRemoval(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}
  /// Ascending.
  void add(std::uint64_t number) { numbers_.push_back(number); }
  Status run();

 private:
  Disk& disk_;
  std::string directory_;
  std::deque<std::uint64_t> numbers_;
  bool first_removed_ = false;  ///< the first of them, but not durably
};

}  // namespace maia::journal
