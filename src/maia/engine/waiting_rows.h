// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "maia/connector/source.h"
#include "maia/state/dead_letters.h"
#include "maia/types/window.h"

namespace maia::engine {

/// The rows of one destination that have dead letters waiting, to find the changes that come after these.
/// As large as there are waiting letters. Used from the destination's thread.
class WaitingRows {
 public:
  /// `source` outlives this; it orders positions.
  explicit WaitingRows(const Source& source) : source_(source) {}

  /// Forgets what it knew.
  void load(std::span<const DeadLetter> letters);
  void add(const DeadLetter& letter);
  /// The letter was replayed or purged.
  void forget(const std::string& table_id, const std::string& operation_id);
  /// The letter waits on, but holds no change back any more.
  void overtake(const std::string& table_id, const std::string& operation_id);

  /// Letters of the table that wait.
  std::size_t count(const std::string& table_id) const;
  bool none() const { return tables_.empty(); }
  bool none(const std::string& table_id) const { return !tables_.contains(table_id); }

  enum class Place : std::uint8_t {
    free,    ///< nothing waits before the change
    own,     ///< it is a letter itself
    behind,  ///< letters of its row come before it
  };
  struct Found {
    Place place = Place::free;
    std::vector<std::string> before;  ///< behind: operation ids of the letters
  };
  Found find(const Batch& batch, std::size_t row, const Transaction& transaction) const;

 private:
  struct Letter {
    std::string operation_id;
    Position position;
    std::uint64_t ordinal = 0;
  };
  struct Table {
    std::set<std::string> letters;                                // operation ids
    std::unordered_map<std::string, std::vector<Letter>> by_key;  // those that hold changes back
  };
  void look(const Table& table, const std::string& key, const Position& position, std::uint64_t ordinal,
            Found& found) const;

  const Source& source_;
  std::map<std::string, Table> tables_;  // by table id; none is empty
};

/// The name by which a change is known among the dead letters. A row of a snapshot that has a key is known by
/// that, because another snapshot numbers its rows anew.
std::string letter_operation_id(const Batch& batch, std::size_t row, const Transaction& transaction);

}  // namespace maia::engine
