// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maia/app/table_plan.h"
#include "maia/config/node.h"
#include "maia/config/pipeline_file.h"
#include "maia/state/refits.h"

namespace maia::app {

/// What new settings do to one table at one destination.
struct TableChange {
  enum class Kind : std::uint8_t { added, removed, changed };
  Kind kind = Kind::changed;
  std::string table;                  ///< at the source
  std::string target;                 ///< at the destination, afterwards
  std::vector<std::string> shape;     ///< what is done to the destination's table, in words
  std::vector<std::string> fidelity;  ///< columns whose values arrive in another way than before
  std::string reread;                 ///< why its rows are read (again); empty if they are not
  std::uint64_t rows = 0;             ///< about so many, if they are read
  std::string refused, hint;          ///< why it cannot be done in place, and what to do
};

/// What they do to one destination.
struct DestinationChange {
  enum class Kind : std::uint8_t { added, removed, changed, same };
  Kind kind = Kind::same;
  std::string name;
  std::vector<TableChange> tables;              ///< those that change
  std::optional<std::int64_t> rows_per_second;  ///< that its last snapshot reached

  std::uint64_t rows_to_read() const;
  /// Of `rows_to_read` at the measured rate; nothing if none was measured.
  std::optional<std::uint64_t> seconds() const;
};

/// The difference between the settings that a pipeline runs with and new ones.
struct PipelineChange {
  std::string from;      ///< the version that is in use; empty if none has run
  std::string settings;  ///< what the file says differently, in words; empty if nothing
  std::vector<DestinationChange> destinations;

  /// Whether rows that are at a destination already are read again: that is done only with consent.
  bool needs_consent() const;
  /// The first table that cannot be changed in place; null if all can.
  const TableChange* refused() const;
  /// The tables that are to be brought to the new settings.
  std::vector<Refit> refits() const;
};

/// A table's way under the old and under the new settings, and whether the text of its transforms differs.
/// Nothing if it is the same.
std::optional<TableChange> compare(const TableWay& before, const TableWay& after, bool other_transforms);

/// All tables of a destination that is in both. `before` and `after` are its settings.
DestinationChange compare(const config::DestinationSettings& before, std::span<const TableWay> ways_before,
                          const config::DestinationSettings& after, std::span<const TableWay> ways_after);

config::Node json_of(const PipelineChange& change);
void print(std::ostream& out, const PipelineChange& change);

}  // namespace maia::app
