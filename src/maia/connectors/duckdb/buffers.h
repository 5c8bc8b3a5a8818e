// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <string>

#include "maia/base/byte_size.h"
#include "maia/connectors/duckdb/config.h"
#include "maia/connectors/duckdb/handle.h"

namespace maia::duckdb {

/// The memory that DuckDB has for the buffers of one file. Most of what lies there it could read again, so it
/// gets half of what it may have. Work that does not fit, such as thousands of large values or hundreds of
/// tables, ends in an error of DuckDB and is done again with all of it, which the file keeps from then on.
/// Measured in docs/decisions/0009. Thread-safe.
class Buffers {
 public:
  /// Those of the file at `path`: the same for everyone in the process, and until its end.
  static Buffers& of(const std::string& path);

  /// What connections that are opened from now on set, where `limit` is what there may be.
  ByteSize size(ByteSize limit) const;
  /// Something did not fit: connections that are opened from now on set all of the limit.
  void grow() { whole_ = true; }

 private:
  std::atomic<bool> whole_ = false;
};

/// Whether an error of DuckDB says that its buffers are too small. It says so under several types.
bool is_out_of_memory(duckdb_error_type type, const char* message);

}  // namespace maia::duckdb
