// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dice.h"
#include "maia/types/window.h"
#include "row.h"
#include "simulated_clock.h"
#include "trace.h"

namespace maia::simulation {

/// One change as the log has it.
struct Change {
  enum class Kind : std::uint8_t { insert, update, remove, truncate, schema };
  Kind kind = Kind::insert;
  SchemaRef schema;                   ///< of the rows; schema: the shape before, null for a new table
  SchemaRef becomes;                  ///< schema: the shape after, null for a table that is dropped
  std::vector<ColumnChange> columns;  ///< schema
  Row before, after;
  std::vector<bool> touched;  ///< update: columns that the statement set
  const std::string& table() const { return (schema ? schema : becomes)->id; }
};
using ChangeRef = std::shared_ptr<const Change>;
std::string in_words(const Change& change);
/// What the change does to the table that it is of.
void apply(const Change& change, std::map<std::string, Table>& tables);

/// One record of the log. The position after record i is i + 1.
struct LogRecord {
  enum class Kind : std::uint8_t { change, rollback_to, commit, abort };
  Kind kind = Kind::change;
  std::uint64_t transaction = 0;
  ChangeRef change;
  std::size_t keep = 0;  ///< rollback_to: changes of the transaction that stay
  WallMicros at = 0;
};

/// A transactional database with its log: the truth that destinations are compared with. Several transactions
/// run at once; they lock what they touch. A consumer of the log has a place in it, the slot, before which
/// nothing can be read again.
class Database {
 public:
  using Tables = std::map<std::string, Table>;
  Database(SimulatedClock& clock, Trace& trace) : clock_(clock), trace_(trace) { history_[0] = {}; }

  // The log
  void append(LogRecord record);
  const std::vector<LogRecord>& log() const { return log_; }
  std::uint64_t end() const { return log_.size(); }
  /// All tables as of a position.
  const Tables& at(std::uint64_t position) const { return std::prev(history_.upper_bound(position))->second; }
  const Tables& now() const { return history_.rbegin()->second; }
  /// Commits what a transaction changed.
  void commit(std::uint64_t transaction, const std::vector<ChangeRef>& changes);
  /// The next number for names and ids.
  std::uint64_t next() { return ++last_number_; }

  // The slot
  struct Slot {
    std::uint64_t confirmed = 0;  ///< nothing before is ever sent again
    std::uint64_t on_disk = 0;    ///< what a restart of the database goes back to
    std::uint64_t user = 0;       ///< the session that streams; 0: none
  };
  std::optional<Slot> slot;
  /// The largest position that was ever confirmed.
  std::uint64_t confirmed_once = 0;

  // Locks, by transaction
  bool lock_row(const std::string& table, const Row& key, std::uint64_t transaction);
  bool lock_table(const std::string& table, std::uint64_t transaction);
  void unlock(std::uint64_t transaction);

 private:
  SimulatedClock& clock_;
  Trace& trace_;
  std::vector<LogRecord> log_;
  std::map<std::uint64_t, Tables> history_;
  std::uint64_t last_number_ = 0;
  std::map<std::string, std::uint64_t> table_locks_;
  std::map<std::string, std::map<Row, std::uint64_t>> row_locks_;
};

}  // namespace maia::simulation
