// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <istream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace maia::tests {

/// What a reader of the `file` destination's lines holds after the last one: the rows of the ledger
/// workload's tables, put together as any consumer of the envelope would, and what was wrong with the lines
/// on the way.
struct ChangeLines {
  /// Columns in the order of the lines, with their texts.
  using Columns = std::vector<std::pair<std::string, std::string>>;
  std::map<std::string, std::map<std::string, Columns>>
      tables;                        ///< by table and key, without the key's columns
  std::set<std::string> operations;  ///< ids of all changes of the stream
  std::size_t lines = 0;
  std::size_t snapshot_lines = 0;
  std::vector<std::string>
      faults;  ///< a line that is none; an operation that came twice, or late for its key

  /// The rows of a table, texts joined with "|": key to other columns.
  std::map<std::string, std::string> rows(const std::string& table) const;
};

/// Lines that are no changes (of a log, where both share one stream) are passed over.
ChangeLines read_change_lines(std::istream& lines);

}  // namespace maia::tests
