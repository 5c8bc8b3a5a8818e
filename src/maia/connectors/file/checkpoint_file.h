// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "maia/base/bytes.h"
#include "maia/base/disk.h"
#include "maia/connector/destination.h"

namespace maia::file {

/// What is kept beside the data file.
struct SavedCheckpoint {
  std::string pipeline;
  Epoch epoch;
  std::string taken_by;          ///< who has the epoch
  std::uint64_t data_bytes = 0;  ///< length of the data file that belongs to the checkpoint
  Checkpoint checkpoint;
};

/// Decoding fails with Code::corruption on anything that encoding did not make.
Bytes encode(const SavedCheckpoint& saved);
Result<SavedCheckpoint> decode(ByteView bytes);

/// Nothing if there is no file.
Result<std::optional<SavedCheckpoint>> load_checkpoint(Disk& disk, const std::string& path);
/// Replaces the file atomically; durable on return.
Status save_checkpoint(Disk& disk, const std::string& path, const SavedCheckpoint& saved);

}  // namespace maia::file
