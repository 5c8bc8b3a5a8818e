// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/source.h"
#include "maia/connectors/postgres/native_type.h"

namespace maia::postgres {

/// How a table is cut into chunks, and how a cut is continued under a later snapshot. Pure.
///
/// A chunk is a range of pages of one relation (a plain table, or a leaf of a partitioned one), [from, to);
/// the last one of a relation is open-ended, because the relation may have grown since it was measured. Under
/// one snapshot every visible row version lies in exactly one chunk, at the place where it will stay.
///
/// Continuing. Chunks D were read under an earlier snapshot S1, the rest is read under a later one, S2. A row
/// version that S2 sees is in one of three places:
///   1. in a chunk that is not in D: read under S2;
///   2. in D, written by a transaction before S1's xmin: then it was committed before S1 and, because S2
///   still
///      sees it, not removed before S1 either; versions never move, so it was read under S1 as it is;
///   3. in D, written by a transaction at or after S1's xmin. The catch-up chunks read these, with a
///   condition
///      on xmin. A row that an update moved from a chunk that is left into D is found here, whole.
/// So every row that S2 sees is delivered as S2 sees it. What else is there (rows that were deleted, or whose
/// key changed, after S1) goes away when the stream delivers those changes: TablePlan::converging. With more
/// than two snapshots S1 stays the first one, which only reads more.
///
/// This holds as long as xmin can be compared. PostgreSQL keeps 32 bits of a transaction's number, also in
/// frozen rows. A true number at or after S1's xmin is told from an older one exactly while the distance from
/// S1's xmin to the newest transaction is below 2^31; an older row whose 32 bits happen to look new is read
/// again, which does no harm. Beyond that distance the table is begun again. So it is when a relation was
/// rewritten or truncated (its file has another number), because then versions did move; when a partition
/// that was copied is gone; and when the table has no key, because then rows cannot be told apart.
struct Relfile {
  Oid oid = 0;
  Oid filenode = 0;
  std::uint32_t pages = 0;
  std::uint64_t rows_estimate = 0;
};

/// What a chunk's token says.
struct PageRange {
  Oid oid = 0;
  Oid filenode = 0;
  std::uint32_t from = 0;
  std::optional<std::uint32_t> to;     ///< nothing: to the end, wherever that is
  std::optional<std::uint64_t> since;  ///< only versions by transactions at or after this one (a catch-up)

  std::string token() const;
  static Result<PageRange> parse(std::string_view token);
  friend bool operator==(const PageRange&, const PageRange&) = default;
};

/// What a plan's token says.
struct ChunkGeometry {
  /// Chunks number `first` to `first + count - 1`, of `pages` pages each, from page 0 on.
  struct Run {
    Oid oid = 0;
    Oid filenode = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t pages = 0;
    friend bool operator==(const Run&, const Run&) = default;
  };
  std::uint64_t xmin = 0;  ///< of the first snapshot, 64 bits
  std::uint32_t next = 0;  ///< number of the next new chunk
  std::vector<Run> runs;

  std::string token() const;
  static Result<ChunkGeometry> parse(std::string_view token);
  friend bool operator==(const ChunkGeometry&, const ChunkGeometry&) = default;
};

/// What the planner knows of the snapshot.
struct SnapshotBounds {
  std::uint64_t xmin = 0;
  std::uint64_t xmax = 0;
};

/// The whole table. Numbers begin at `first_number`.
TablePlan plan_from_start(std::span<const Relfile> relations, const SnapshotBounds& snapshot,
                          std::uint32_t pages_per_chunk, std::uint32_t first_number = 0);
/// What is left of a table, or the whole of it again (`restarted`). While nothing is done, that is the whole
/// table, which then comes from this snapshot alone.
Result<TablePlan> plan_rest(const TablePlanProgress& progress, bool has_key,
                            std::span<const Relfile> relations, const SnapshotBounds& snapshot,
                            std::uint32_t pages_per_chunk);

}  // namespace maia::postgres
