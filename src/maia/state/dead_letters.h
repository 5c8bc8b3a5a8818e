// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maia/base/bytes.h"
#include "maia/base/clock.h"
#include "maia/base/result.h"

struct sqlite3;

namespace maia {

/// A change that was not delivered, kept with all that is needed to look at it and to send it again.
struct DeadLetter {
  enum class Status : std::uint8_t {
    waiting,   ///< to be replayed or purged
    replayed,  ///< delivered after all
    purged,    ///< given up by a person; its values are gone
  };

  std::uint64_t id = 0;      ///< a number for people; given when it is recorded
  std::string operation_id;  ///< the same after every restart, so that recording twice is recording once
  std::string destination;
  std::string table;     ///< at the source, for people
  std::string table_id;  ///< at the source, stable
  std::string stage;     ///< "transform", "write", or "order": it waits behind another letter of its row
  std::string reason;
  std::string row;            ///< values as the source sent them, JSON, for people
  Bytes change;               ///< the same, typed, with its shape: engine/letter.h
  std::string key;            ///< of the row before the change, as bytes; empty: rows of the table have none
  std::string moved;          ///< its key after the change, if another
  std::string position;       ///< for people
  std::string token;          ///< the position itself
  std::uint64_t ordinal = 0;  ///< within the source's transaction
  std::string transaction;    ///< the source's own name for it
  std::string file_version;   ///< hash of the pipeline file that ran
  WallMicros failed_at = 0;

  // What happened since.
  Status status = Status::waiting;
  std::uint64_t attempts = 1;
  WallMicros last_failed_at = 0;
  bool overtaken = false;  ///< a later change of its row was delivered; it holds nothing back any more
  bool edited = false;
};
std::string_view to_string(DeadLetter::Status status);

/// Keeps dead letters. Every call returns when its effect is durable. Thread-safe.
///
/// A row is put aside before the window without it is committed. If that commit never happens (the process
/// ends, or a newer run has the destination and delivers the row), there must be no letter that holds later
/// changes of the row back. So letters are recorded under the name of a burial, which the commit carries as a
/// fact, and stand only once they are settled by it.
class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  /// Tells these letters from those of any other state directory; never changes.
  virtual std::string identity() const = 0;
  /// Before their window is committed; without a burial they stand at once. Of a letter that stands already
  /// only attempts, reason and time change: what was edited, replayed or purged stays so.
  virtual Status record(std::span<const DeadLetter> letters, const std::string& burial) = 0;
  /// `burial` is the last one that the destination's checkpoint names; empty if none. Its letters stand from
  /// now on; those of any other that was not settled go, because their rows come again.
  virtual Status settle(const std::string& destination, const std::string& burial) = 0;
  /// All that wait for a destination, settled or not, without `row`; `change` only on demand.
  virtual Result<std::vector<DeadLetter>> waiting(const std::string& destination, bool with_changes) = 0;
  /// Later changes of their rows were delivered, or are about to be.
  virtual Status overtake(const std::string& destination, std::span<const std::string> operation_ids) = 0;
  /// They are durable at the destination.
  virtual Status replayed(const std::string& destination, std::span<const std::string> operation_ids) = 0;
};

/// Which letters somebody asks for, of those that stand; all conditions hold together.
struct LetterFilter {
  std::vector<std::uint64_t> ids;            ///< empty: any
  std::string table;                         ///< "schema.table" or "table"; empty: any
  std::string destination;                   ///< empty: any
  std::optional<DeadLetter::Status> status;  ///< empty: any
  std::optional<WallMicros> failed_before;   ///< first failed before this
  std::size_t at_most = SIZE_MAX;
};

/// Dead letters in an SQLite file of the state directory. Several processes may have it open.
class DeadLetterFile final : public DeadLetters {
 public:
  /// Makes the file if it is missing. Code::storage when the disk refuses or another process blocks it;
  /// Code::corruption when it is damaged.
  static Result<std::unique_ptr<DeadLetterFile>> open(const std::string& path);
  ~DeadLetterFile() override;

  std::string identity() const override { return identity_; }
  Status record(std::span<const DeadLetter> letters, const std::string& burial) override;
  Status settle(const std::string& destination, const std::string& burial) override;
  Result<std::vector<DeadLetter>> waiting(const std::string& destination, bool with_changes) override;
  Status overtake(const std::string& destination, std::span<const std::string> operation_ids) override;
  Status replayed(const std::string& destination, std::span<const std::string> operation_ids) override;

  /// Whole letters, the oldest first.
  Result<std::vector<DeadLetter>> list(const LetterFilter& filter);
  /// How many wait.
  Result<std::uint64_t> count();
  /// Other values for a letter that waits. Code::invalid_config if it does not.
  Status edit(std::uint64_t id, const std::string& row, ByteView change);
  /// Gives up waiting letters: their values go, what remains says that they were there. Letters that were
  /// replayed go altogether. Returns how many.
  Result<std::uint64_t> purge(const LetterFilter& filter);

 private:
  explicit DeadLetterFile(sqlite3* database) : database_(database) {}
  Status execute(const char* sql);
  Status read_identity();
  /// All or nothing.
  Status together(const std::function<Status()>& work);
  Status mark(const char* sql, const std::string& destination, std::span<const std::string> operation_ids);

  std::mutex mutex_;
  sqlite3* database_;  // owned
  std::string identity_;
};

}  // namespace maia
