// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/state/sqlite.h"

namespace maia {

/// A table of a destination that is to be brought to what the pipeline's new settings ask for.
struct Refit {
  std::string destination;
  std::string table;    ///< at the source, with its schema
  bool reread = false;  ///< its rows are read again; otherwise only name and shape change
  friend bool operator==(const Refit&, const Refit&) = default;
};

/// The refits that were agreed to and are not done yet, in an SQLite file of the state directory: a process
/// that ends in the middle takes them up again. Thread-safe.
class Refits {
 public:
  static Result<std::unique_ptr<Refits>> open(const std::string& path);

  Status add(const std::vector<Refit>& refits);
  /// In the order in which they were added.
  Result<std::vector<Refit>> list();
  Status done(const Refit& refit);

 private:
  explicit Refits(Sqlite file) : file_(std::move(file)) {}

  std::mutex mutex_;
  Sqlite file_;
};

}  // namespace maia
