// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "maia/base/result.h"
#include "maia/state/sqlite.h"

namespace maia {

/// Numbers that a run has measured and a plan for the next one asks for, in an SQLite file of the state
/// directory. Thread-safe.
class Measurements {
 public:
  static Result<std::unique_ptr<Measurements>> open(const std::string& path);

  /// Rows per second that the last snapshot reached at a destination.
  Status set_copy_rate(const std::string& destination, std::int64_t rows_per_second);
  Result<std::optional<std::int64_t>> copy_rate(const std::string& destination);

 private:
  explicit Measurements(Sqlite file) : file_(std::move(file)) {}

  std::mutex mutex_;
  Sqlite file_;
};

}  // namespace maia
