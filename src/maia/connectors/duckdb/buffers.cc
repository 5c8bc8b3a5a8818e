// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/buffers.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string_view>

namespace maia::duckdb {

Buffers& Buffers::of(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, Buffers> files;
  const std::lock_guard lock(mutex);
  return files[path];
}

ByteSize Buffers::size(ByteSize limit) const {
  return whole_ ? limit : std::min(limit, std::max(kLeastMemory, ByteSize{limit.bytes / 2}));
}

bool is_out_of_memory(duckdb_error_type type, const char* message) {
  if (type == DUCKDB_ERROR_OUT_OF_MEMORY) return true;
  // COMMIT wraps the reason into an error of the transaction.
  const std::string_view text = message ? message : "";
  return text.find("could not allocate block") != text.npos || text.find("failed to pin block") != text.npos;
}

}  // namespace maia::duckdb
