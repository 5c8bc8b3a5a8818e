// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "maia/connector/source.h"
#include "maia/connectors/postgres/catalog.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/position.h"
#include "maia/connectors/postgres/snapshot_plan.h"

namespace maia::postgres {

/// What every reader of one snapshot needs; constant, shared between threads.
struct SnapshotTerms {
  Connection::Options connect;
  std::string snapshot;  ///< name for SET TRANSACTION SNAPSHOT
  PublicationScope scope;
  std::uint64_t chunk_bytes = 16 << 20;
};

/// A snapshot that a new slot has exported. Keeps the session that exported it; another session plans.
class SlotSnapshot final : public Snapshot {
 public:
  /// `exporter`: the replication session that made the slot, idle since then.
  static Result<std::unique_ptr<Snapshot>> open(std::unique_ptr<Connection> exporter, SnapshotTerms terms,
                                                const LogPlace& place);

  Position position() const override { return position_; }
  Result<TablePlan> plan(const SchemaRef& table, const std::optional<TablePlanProgress>& progress) override;
  Result<std::unique_ptr<ChunkReader>> open_reader() override;

 private:
  SlotSnapshot() = default;

  std::unique_ptr<Connection> exporter_;
  std::mutex planning_;
  std::unique_ptr<Connection> planner_;  // guarded by planning_
  std::shared_ptr<const SnapshotTerms> terms_;
  Position position_;
  SnapshotBounds bounds_;
  std::uint32_t pages_per_chunk_ = 1;
};

}  // namespace maia::postgres
