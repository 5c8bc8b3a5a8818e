// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/journal/journal.h"
#include "maia/journal/segment_reader.h"

namespace maia::journal {

/// Turns window and commit records of a directory into windows; those of a streamed transaction one by one.
/// Used from one thread.
class WindowReader {
 public:
  WindowReader(Disk& disk, std::string directory, std::shared_ptr<SchemaPool> pool)
      : disk_(disk), directory_(std::move(directory)), pool_(std::move(pool)) {}

  /// The segment to read records from; stays open until another is asked for. Code::lost_history if it has
  /// been removed.
  Result<SegmentReader*> segment(std::uint64_t number);
  /// Opens the file again at the next `segment`: another may have taken its place.
  void close() {
    reader_.reset();
    fragment_reader_.reset();
  }
  /// The window of a window record, the first one of a commit record. The segment is the one asked for last.
  Result<WindowRef> window(std::uint64_t offset, const RecordHeader& header);
  /// More windows of the same transaction follow.
  bool within() const { return piece_ < commit_.fragments.size(); }
  Result<WindowRef> next_piece();
  /// The rows of a fragment record, in any segment.
  Result<Window> fragment(Place place);

 private:
  Status turn_to(std::unique_ptr<SegmentReader>& reader, std::uint64_t number);

  Disk& disk_;
  std::string directory_;
  std::shared_ptr<SchemaPool> pool_;
  std::unique_ptr<SegmentReader> reader_;
  std::unique_ptr<SegmentReader> fragment_reader_;
  CommitRecord commit_;
  Sequence sequence_;      ///< of commit_
  std::size_t piece_ = 0;  ///< next one of commit_.fragments
};

}  // namespace maia::journal
