// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/journal/window_reader.h"

namespace maia::journal {

/// Reads segments that another process may be writing, looking every few milliseconds for more.
class FollowingCursor final : public JournalCursor {
 public:
  /// `segment` begins at or before what follows `after`.
  FollowingCursor(Disk& disk, std::string directory, std::shared_ptr<SchemaPool> pool, Sequence after,
                  std::uint64_t segment)
      : disk_(disk),
        directory_(directory),
        windows_(disk, std::move(directory), std::move(pool)),
        last_(after),
        first_segment_(segment),
        place_{segment, 0} {}

  Result<std::optional<WindowRef>> next(std::chrono::milliseconds wait, std::stop_token stop) override;

 private:
  /// The next window, or nothing if it is not there yet.
  Result<std::optional<WindowRef>> look();
  /// Goes on record by record. Code::corruption at the first that does not verify.
  Result<std::optional<WindowRef>> advance();
  Result<std::optional<WindowRef>> take(SegmentReader& reader, const RecordHeader& header);
  /// The segment of place_ is gone: goes on behind it if nothing was missed.
  Status pass_removed(Error error);
  Status check_open(SegmentReader& reader);
  Error begun_anew(const SegmentOpen& open) const;
  Result<bool> next_exists();

  Disk& disk_;
  std::string directory_;
  WindowReader windows_;
  Sequence last_;
  std::uint64_t first_segment_;
  Place place_;
};

}  // namespace maia::journal
