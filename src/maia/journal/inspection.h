// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "maia/base/disk.h"
#include "maia/journal/segment.h"

namespace maia::journal {

/// What one segment holds, for people.
struct SegmentReport {
  std::uint64_t number = 0;
  std::string path;
  std::uint64_t bytes = 0;
  Sequence base;  ///< the last sequence before it
  Sequence last;
  CommitSpan span;
  bool complete = false;              ///< false for the one that is being written
  std::uint64_t unwritten_bytes = 0;  ///< at the end of that one: half-written, or torn by a crash
  std::optional<Error> damage;        ///< Code::corruption: a byte is not what was written
};

enum class Depth : std::uint8_t {
  ends,        ///< complete segments by their first and last record
  every_byte,  ///< all records are read and decoded
};
/// Looks at every segment of a directory without its lock, from the oldest on; another process may be writing
/// there. Segments that it removes meanwhile are left out. Code::invalid_config if no journal is there.
Result<std::vector<SegmentReport>> inspect(Disk& disk, const std::string& directory, Depth depth);

}  // namespace maia::journal
