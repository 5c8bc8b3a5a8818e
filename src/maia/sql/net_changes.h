// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "maia/connector/destination.h"
#include "maia/sql/row_index.h"

namespace maia::sql {

/// Rows that lack the same columns, so that one statement serves all of them.
struct UpdateGroup {
  std::vector<std::size_t> columns;  ///< that the rows have, key included; all others keep what they hold
  std::vector<RowRef> rows;
};
struct MoveGroup {
  std::vector<std::size_t> columns;  ///< as in UpdateGroup
  std::vector<RowRef> from;          ///< the old keys; parallel to rows
  std::vector<RowRef> rows;          ///< the new keys and values
};

/// What some changes of one table come to, by key. All of it refers to the table as it was before the round.
/// Applying it in this order is the same as applying the changes one by one, whatever rows are there:
///
/// 1. `moves`: for each row that is found by its old key (from): whatever has the new key goes, and the row
///    gets the new key and the values. All at once: a row may move to where another one moves away from.
///    Nothing happens where the old key is not there.
/// 2. `removes`: rows that were there before the round (none that was moved in) and have these keys go. The
///    old key of a move is never among them, its new key may be.
/// 3. `updates`: rows found by key get the values. Nothing happens where there is none.
/// 4. `upserts`: the row replaces what has its key. `inserts`: the same, and nothing has its key.
///
/// No key is in two of updates, upserts, inserts and the new keys of moves.
struct NetRound {
  std::vector<RowRef> removes;  ///< only the key columns are of interest
  std::vector<RowRef> inserts;  ///< whole rows
  std::vector<RowRef> upserts;  ///< whole rows
  std::vector<UpdateGroup> updates;
  std::vector<MoveGroup> moves;
};

/// Reduces the changes of one table within one Destination::write to their outcome, column by column where
/// values are unchanged. How rows are applied one by one:
///
/// - read, insert, or an update that has every column: replaces the row of that key, or adds it;
/// - an update that lacks columns: changes the row of that key, and does nothing where there is none;
/// - either kind of update with another key in its before image: the row of the old key goes, and what has
///   the new key is replaced (with columns lacking: if the row of the old key was there);
/// - remove: the row of that key goes, if it is there.
///
/// Nearly always there is one round. Where an outcome would depend on whether rows are there (a change that
/// lacks columns of a row that was moved with columns lacking) the changes from there on are another round.
///
///     MAIA_TRY(net.start(target, deliveries));
///     while (const NetRound* round = MAIA_TRY(net.next())) apply(*round);
///
/// Keeps its memory between uses and copies only rows that are merged from several. Not thread-safe.
class NetChanges {
 public:
  /// `deliveries` are of `target` and in order; they and the target must outlive the rounds. The target has
  /// a key and is not append-only.
  void start(const TableTarget& target, std::span<const Delivery* const> deliveries);
  /// The next round, or null at the end. What it pointed to before is gone. Code::data if a change has no
  /// value for a key column.
  Result<const NetRound*> next();

 private:
  enum class State : std::uint8_t {
    original,  ///< the row of this key as it was, if it was there, with the changes of `head`
    moved,     ///< the row of the key `from` as it was, if it was there, with the changes of `head`;
               ///< otherwise what was here
    whole,     ///< the values of `head`
    absent,
  };
  struct Entry {
    State state = State::original;
    bool fresh = false;   ///< there was no row
    bool erased = false;  ///< the row that was there must go even if no row moves in
    std::uint32_t head = RowIndex::kNone;
    std::uint32_t from = RowIndex::kNone;
    std::uint32_t moved_to = RowIndex::kNone;
  };
  enum class Step : std::uint8_t { done, next_round };

  Result<Step> apply(const Delivery& delivery, std::uint32_t row);
  Step update(Entry& entry, const RowRef& row, bool whole);
  Step change_key(std::uint32_t old_number, std::uint32_t new_number, const RowRef& row, bool whole);
  std::uint32_t push(const RowRef& row, std::uint32_t older);
  Entry& entry(std::uint32_t number);
  void erase(Entry& entry);
  bool whole(const RowRef& row) const;
  void finish_round();
  RowRef merged(std::uint32_t head);

  const TableTarget* target_ = nullptr;
  std::span<const Delivery* const> deliveries_;
  std::size_t delivery_ = 0;  ///< the next row to read
  std::uint32_t row_ = 0;

  /// A change that an outcome is made of, and the one before it whose values it leaves.
  struct Link {
    RowRef row;
    std::uint32_t older;
  };
  RowIndex index_;
  std::vector<Entry> entries_;  ///< by the number in the index
  std::vector<Link> links_;
  std::vector<std::size_t> all_columns_;
  std::optional<Batch> merged_;
  std::vector<std::size_t> present_;  ///< of the row at hand, kept for its memory
  NetRound round_;
};

/// What some changes of a table without a key come to. Rows are found by all their columns, and of equal
/// rows one goes per removal: first `removes` (one row each, as many as are there), then `inserts`.
struct NetRows {
  std::vector<RowRef> removes;
  std::vector<RowRef> inserts;
};

/// The same for a target without a key, a multiset of rows. Needs whole before images (Identity::full).
class NetMultiset {
 public:
  /// Code::data if a removed row, or an updated one in both its images together, lacks columns.
  Result<const NetRows*> reduce(const TableTarget& target, std::span<const Delivery* const> deliveries);

 private:
  struct Count {
    std::uint32_t removes = 0;
    std::uint32_t inserts = 0;
  };
  Status add(const RowRef& row, bool removed);

  const TableTarget* target_ = nullptr;
  std::vector<std::size_t> all_columns_;
  RowIndex index_;
  std::vector<Count> counts_;
  NetRows rows_;
};

}  // namespace maia::sql
