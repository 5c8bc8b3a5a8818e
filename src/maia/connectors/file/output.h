// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "maia/base/disk.h"

namespace maia::file {

/// Where the lines go. Used from one thread.
class Output {
 public:
  virtual ~Output() = default;
  virtual Status append(std::string_view lines) = 0;
  /// Takes back what was appended beyond `bytes`, where that is possible.
  virtual Status truncate(std::uint64_t bytes) = 0;
  virtual Status sync() = 0;
  /// Length so far; 0 where nothing can be taken back.
  virtual Result<std::uint64_t> size() = 0;
};

/// A regular file, taken for this process until it is closed. Created if it is not there.
Result<std::unique_ptr<Output>> open_file_output(Disk& disk, const std::string& path);
/// An open descriptor that is not closed, such as that of standard output.
std::unique_ptr<Output> descriptor_output(int descriptor);

}  // namespace maia::file
