// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "maia/base/result.h"
#include "maia/engine/row_image.h"
#include "maia/types/window.h"

namespace maia::engine {

/// What it takes to bring rows of a table back.
struct InverseCounts {
  std::uint64_t inserts = 0;  ///< rows that were there and are gone
  std::uint64_t updates = 0;
  std::uint64_t deletes = 0;  ///< rows that were not there
  std::uint64_t lost = 0;     ///< rows whose values of then nothing retained has
  std::string lost_example;   ///< the key of one of them, for people
  std::uint64_t all() const { return inserts + updates + deletes; }
};

/// Finds out how the rows of one table were at an earlier place, from what the journal retains: out of the
/// before images of the changes since, else out of the last images before. Row by row:
///
/// | since then the row | it is brought back by |
/// | --- | --- |
/// | appeared | a delete |
/// | changed | an update; values that did not change since are left out if they are not known |
/// | vanished | an insert, which needs all values |
///
/// Use: `later` for every change after the place in order; then, while `needs_earlier`, `earlier` for every
/// change that is retained up to it, from the oldest on, and `end_of_pass`; then `write`. Takes only rows
/// whose key is in `part` of `parts`, so that memory is bounded by doing one part after the other. Rows of
/// tables without a key are told apart by all their values; their changes must carry whole before images.
class Inverse {
 public:
  struct Part {
    std::size_t part = 0;
    std::size_t parts = 1;
  };
  /// `shape` is the table's at the place; batches may have others.
  Inverse(SchemaRef shape, Part part);

  /// Rows of the batch with ordinals in [from, until).
  Status later(const Batch& batch, std::uint64_t from, std::uint64_t until);
  bool needs_earlier();
  void earlier(const Batch& batch, std::uint64_t from, std::uint64_t until);
  /// A truncate of the table among the earlier changes.
  void earlier_truncate();
  void end_of_pass();

  /// Hands on the inverse changes in batches of `shape`, deletes first.
  using Sink = std::function<Status(const Batch&)>;
  Status write(const Sink& sink);
  const InverseCounts& counts() const { return counts_; }

 private:
  struct Row {
    bool existed = false;    ///< at the place
    bool exists = false;     ///< now
    RowImage image;          ///< at the place, as far as it is known
    std::vector<bool> sent;  ///< columns that may have changed since
  };
  struct Count {  // of a table without a key
    std::int64_t net = 0;
    RowImage image;
  };
  struct Columns {
    SchemaRef shape;
    std::vector<std::optional<std::size_t>> from;  ///< by column of shape_
  };

  bool mine(const std::string& key) const;
  const Columns& columns_of(const SchemaRef& shape);
  RowImage image(const Batch& batch, std::size_t row, bool before);
  Row& touch(const std::string& key, bool existed);
  void learn(Row& known, const Batch& batch, std::size_t row);
  void later_row(const Batch& batch, std::size_t row);
  Status later_keyless(const Batch& batch, std::size_t row);
  Status count(const Batch& batch, std::size_t row, bool before, int change);
  void earlier_row(const Batch& batch, std::size_t row);
  bool lacks(const Row& row) const;
  Result<RowImage> key_image(const std::string& key) const;
  Status write_rows(const Sink& sink);
  Status write_keyless(const Sink& sink);

  const SchemaRef shape_;
  const Part part_;
  const std::vector<std::size_t> key_;
  std::unordered_map<std::string, Row> rows_;
  std::unordered_map<std::string, Count> counts_of_rows_;
  std::map<const TableSchema*, Columns> columns_;

  // Reading what came before.
  std::unordered_set<std::string> wanted_;  ///< keys that lack values, and those that became such keys
  std::unordered_map<std::string, RowImage> past_;
  bool again_ = false;  ///< a key was found that another one's values come from
  bool prepared_ = false;
  InverseCounts counts_;
};

}  // namespace maia::engine
