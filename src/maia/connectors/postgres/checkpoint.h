// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/statement_pipeline.h"

namespace maia::postgres {

// MAIA's own tables at a destination, all in the schema "maia":
//
//     checkpoint (pipeline, epoch, sequence, position, updated_at,   one row per pipeline
//                 taken_by, backend, seal)
//     fact       (pipeline, key, value)                              further durable facts of the engine
//     owner      (schema_name, table_name, pipeline)                 which pipeline writes a table
//
// taken_by and backend say which process, and which of the server's, took the epoch.
//
// They change only in the transactions that change the rows they speak of.

/// Makes what is missing. Code::check_failed with the statements to run when we may not.
Status ensure_bookkeeping(Connection& connection);

/// Takes the next epoch in one statement, which waits for the commit of an older run whose backend still
/// lives, and reads the checkpoint as that left it. Then ends the transaction that the older run may have
/// left open: it can never commit, and its locks would hold us up. Code::fenced if `held` is not 0 and
/// another process has taken a newer epoch.
Result<Destination::Opened> take_epoch(Connection& connection, const std::string& pipeline, Epoch held);

/// Queues the checkpoint's update and the facts. The statement fails at the server (kNotMine), and with it
/// the rest of the pipeline, unless epoch and sequence are still those of `held`, so that a COMMIT may be
/// queued behind it.
Status queue_checkpoint(StatementPipeline& pipeline, const std::string& name, Epoch epoch, Sequence held,
                        const CheckpointUpdate& update);
/// SQLSTATE of that failure (division by zero, which nothing else in the statement can raise).
inline constexpr std::string_view kNotMine = "22012";
/// Why the checkpoint is not that of `epoch` any more: Code::fenced with who took it, or Code::lost_history
/// if somebody has removed or edited it. Outside of a transaction.
Error not_mine(Connection& connection, const std::string& pipeline, Epoch epoch);

/// Records that `pipeline` writes the table. Code::invalid_config if another one does.
Status own_table(Connection& connection, const std::string& pipeline, const TableName& table);
Status rename_owned_table(Connection& connection, const std::string& pipeline, const TableName& before,
                          const TableName& after);
/// The tables that the pipeline writes.
Result<std::vector<TableName>> owned_tables(Connection& connection, const std::string& pipeline);

/// Removes every trace of the pipeline, in the running transaction, and names what was removed.
Result<std::vector<std::string>> forget_pipeline(Connection& connection, const std::string& pipeline);

}  // namespace maia::postgres
