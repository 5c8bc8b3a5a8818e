// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connectors/postgres/row_writer.h"
#include "maia/connectors/postgres/statement_pipeline.h"
#include "maia/connectors/postgres/write_target.h"
#include "maia/sql/net_changes.h"

namespace maia::postgres {

/// Applies what many changes come to: COPY into a staging table, then a statement per table and kind of
/// change. Removes go through the tables from children to parents, everything else from parents to children.
class GroupWriter {
 public:
  explicit GroupWriter(Connection& connection) : connection_(connection), pipeline_(connection) {}

  enum class Way : std::uint8_t {
    in_place,  ///< rows are updated where they are
    put_back,  ///< all rows that change are removed first and put back after, so that none is in another's
               ///< way
  };
  /// Makes the staging tables that are missing; they stay for the session.
  Status make_stages(std::span<const TargetDeliveries> groups);
  /// `groups` from parents to children. Runs inside of a transaction, after make_stages.
  Status write(std::span<const TargetDeliveries> groups, Way way);
  /// Plain COPY into the tables: every row is new.
  Status copy(std::span<const TargetDeliveries> groups);

  /// The temporary tables that were made in the running transaction are gone.
  void rolled_back();
  void committed();
  /// Forgets a target that is about to go.
  void forget(const WriteTarget& target) { std::erase(made_, &target); }

 private:
  struct Partial {
    std::int32_t group = 0;
    std::vector<std::size_t> columns;
    std::size_t rows = 0;
  };
  /// What a target has in its staging table for one round.
  struct Round {
    std::int32_t removes = 0;  ///< groups; 0: none
    std::size_t remove_count = 0;
    std::int32_t rows = 0;  ///< whole rows that the table shall have afterwards
    std::vector<Partial> updates;
    std::vector<Partial> moves;
  };
  struct Staged {
    WriteTarget* target = nullptr;
    bool converging = false;
    std::vector<Round> rounds;
  };
  Status stage(const TargetDeliveries& group, Staged& staged);
  Status stage_by_key(const TargetDeliveries& group, Staged& staged);
  Status stage_as_multiset(const TargetDeliveries& group, Staged& staged);
  void give(const WriteTarget& target, std::span<const std::size_t> columns);
  /// One row of a staging table; `old` has the old key of a move.
  Status put(WriteTarget& target, std::int32_t group, const sql::RowRef& row,
             const sql::RowRef* old = nullptr);
  Status send_if_large(WriteTarget& target);
  Status run_round(std::span<Staged> staged, std::size_t round, Way way);
  Status queue_removes(Staged& staged, Round& round, Way way);
  Status queue_rows(Staged& staged, const Round& round);
  Status queue(const std::string& sql, std::size_t tag, std::int32_t group, std::int32_t into = 0);

  Connection& connection_;
  StatementPipeline pipeline_;
  sql::NetChanges net_;
  sql::NetMultiset multiset_;
  std::int32_t groups_ =
      0;  ///< numbers given; rows of earlier writes of a transaction stay in the staging tables
  std::vector<WriteTarget*> made_;
  ExpectedRows expected_;
  std::vector<bool> given_;  ///< by column of the target
};

}  // namespace maia::postgres
