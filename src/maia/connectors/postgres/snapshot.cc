// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/snapshot.h"

#include <algorithm>

#include "maia/connectors/postgres/table_reader.h"

namespace maia::postgres {

Result<std::unique_ptr<Snapshot>> SlotSnapshot::open(std::unique_ptr<Connection> exporter,
                                                     SnapshotTerms terms, const LogPlace& place) {
  std::unique_ptr<SlotSnapshot> snapshot(new SlotSnapshot);
  snapshot->exporter_ = std::move(exporter);
  snapshot->position_ = place.position();
  snapshot->planner_ = MAIA_TRY(Connection::open(terms.connect));
  auto& planner = *snapshot->planner_;
  const auto bounds = MAIA_TRY(
      planner.query(begin_snapshot_sql(terms.snapshot) +
                    "SELECT pg_catalog.pg_snapshot_xmin(s), pg_catalog.pg_snapshot_xmax(s), "
                    "pg_catalog.current_setting('block_size') FROM pg_catalog.pg_current_snapshot() s"));
  MAIA_TRY(planner.run("COMMIT"));
  snapshot->bounds_ = {static_cast<std::uint64_t>(bounds.integer(0, 0)),
                       static_cast<std::uint64_t>(bounds.integer(0, 1))};
  const auto block = static_cast<std::uint64_t>(std::max<std::int64_t>(bounds.integer(0, 2), 1));
  snapshot->pages_per_chunk_ =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(terms.chunk_bytes / block, 1, 1 << 20));
  snapshot->terms_ = std::make_shared<const SnapshotTerms>(std::move(terms));
  return std::unique_ptr<Snapshot>(std::move(snapshot));
}

Result<TablePlan> SlotSnapshot::plan(const SchemaRef& table,
                                     const std::optional<TablePlanProgress>& progress) {
  const std::lock_guard lock(planning_);
  const Parameter parameters[] = {table->id};
  // Current facts, not those of the snapshot: a relation that was rewritten since has another file.
  const auto rows = MAIA_TRY(planner_->query(
      "SELECT c.oid, pg_catalog.pg_relation_filenode(c.oid), pg_catalog.pg_relation_size(c.oid) / "
      "pg_catalog.current_setting('block_size')::bigint, greatest(c.reltuples, 0)::bigint, c.relkind FROM "
      "pg_catalog.pg_class r, LATERAL (SELECT relid FROM pg_catalog.pg_partition_tree(r.oid) t WHERE "
      "t.isleaf AND "
      "r.relkind = 'p' UNION ALL SELECT r.oid WHERE r.relkind <> 'p') leaf JOIN pg_catalog.pg_class c ON "
      "c.oid = "
      "leaf.relid WHERE r.oid = $1::oid ORDER BY c.oid",
      parameters));
  std::vector<Relfile> relations;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    relations.push_back({static_cast<Oid>(rows.integer(r, 0)), static_cast<Oid>(rows.integer(r, 1)),
                         static_cast<std::uint32_t>(rows.integer(r, 2)),
                         static_cast<std::uint64_t>(rows.integer(r, 3))});
  }
  if (!progress) return plan_from_start(relations, bounds_, pages_per_chunk_);
  return in(to_string(table->name),
            plan_rest(*progress, !table->key().empty(), relations, bounds_, pages_per_chunk_));
}

Result<std::unique_ptr<ChunkReader>> SlotSnapshot::open_reader() { return TableReader::open(terms_); }

}  // namespace maia::postgres
