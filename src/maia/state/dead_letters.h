// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "maia/base/clock.h"
#include "maia/base/result.h"

struct sqlite3;

namespace maia {

/// A row that could not be delivered, kept with what is needed to look at it and to send it again.
struct DeadLetter {
  std::string operation_id;  ///< the same after every restart, so that recording twice is recording once
  std::string destination;
  std::string table;  ///< at the source
  std::string stage;  ///< "transform"
  std::string reason;
  std::string row;  ///< values as the source sent them, JSON
  std::string position;
  WallMicros failed_at = 0;
};

/// Keeps dead letters. `record` returns when they are durable, and the rows' window is committed after that.
/// Thread-safe.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  virtual Status record(std::span<const DeadLetter> letters) = 0;
};

/// Dead letters in an SQLite file of the state directory; recording one again counts its attempts.
class DeadLetterFile final : public DeadLetters {
 public:
  /// Makes the file if it is missing. Code::storage when the disk refuses or another process has it;
  /// Code::corruption when it is damaged.
  static Result<std::unique_ptr<DeadLetterFile>> open(const std::string& path);
  ~DeadLetterFile() override;

  Status record(std::span<const DeadLetter> letters) override;
  struct Kept {
    DeadLetter letter;
    std::uint64_t attempts = 1;
    WallMicros last_failed_at = 0;
  };
  /// The oldest first.
  Result<std::vector<Kept>> list(std::size_t at_most);
  Result<std::uint64_t> count();

 private:
  explicit DeadLetterFile(sqlite3* database) : database_(database) {}
  Status execute(const char* sql);

  std::mutex mutex_;
  sqlite3* database_;  // owned
};

}  // namespace maia
