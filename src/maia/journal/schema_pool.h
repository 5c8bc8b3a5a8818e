// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "maia/types/schema.h"

namespace maia::journal {

/// Gives equal schemas one object, whether they come from the source or out of a segment, so that readers may
/// look things up by its address. Thread-safe. Grows with the number of schema versions that were seen.
class SchemaPool {
 public:
  SchemaRef intern(TableSchema schema);
  /// Makes `schema` the object for its equals, if there is none yet.
  void add(const SchemaRef& schema);

 private:
  std::mutex mutex_;
  std::map<TableName, std::vector<SchemaRef>> schemas_;
};

}  // namespace maia::journal
