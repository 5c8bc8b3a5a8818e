// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"
#include "maia/connectors/mysql/connection.h"

namespace maia::mysql {

// MAIA's own tables at a destination, all in the database "maia":
//
//     checkpoint (pipeline, epoch, sequence, position, updated_at,   one row per pipeline
//                 taken_by, seal, altering)
//     fact       (pipeline, name, value)                             further durable facts of the engine
//     owner      (schema_name, table_name, pipeline,                 which pipeline writes a table
//                 applied_window, applied_ordinal)
//     making     (schema_name, table_name, pipeline, epoch)          tables that no checkpoint knows of yet
//
// taken_by says which process took the epoch. They change only in the transactions that change the rows they
// speak of. An ALTER TABLE commits what came before it in the running delivery, so that commit also notes how
// far each table has come (applied_...) and up to which alteration (altering): if the rest is lost, the
// delivery that comes again leaves out what is there. CREATE TABLE commits by itself too: `making` is noted
// before it and removed with the next commit, so that a table of a run that died in between is known as such.

/// Where a table has come beyond the checkpoint: everything up to and including this row.
struct Place {
  std::uint64_t window = 0;
  std::uint64_t ordinal = 0;
  auto operator<=>(const Place&) const = default;
};

/// What a delivery that an alteration has split left behind.
struct HalfDone {
  std::map<TableName, Place> tables;
  std::string altering;  ///< alteration_name() of the last alteration; empty: none
};

/// Whether all of them are there.
Result<bool> has_bookkeeping(Connection& connection);
/// Makes what is missing. Code::check_failed with the statements to run when we may not.
Status ensure_bookkeeping(Connection& connection);

struct Taken {
  Destination::Opened opened;
  HalfDone half_done;
};
/// Takes the next epoch, which waits for the commit of an older run that still lives, and reads the
/// checkpoint as that left it. Then ends the session of the older run: it can never commit, and its locks
/// would hold us up. Code::fenced if `held` is not 0 and another process has taken a newer epoch.
Result<Taken> take_epoch(Connection& connection, const std::string& pipeline, Epoch held);

/// Which run writes, and from which checkpoint on.
struct Hold {
  std::string pipeline;
  Epoch epoch;
  Sequence sequence;
};
/// Updates checkpoint and facts in the running transaction. False if epoch and sequence are not those held
/// any more; then the transaction is to be rolled back.
Result<bool> update_checkpoint(Connection& connection, const Hold& held, const CheckpointUpdate& update);
/// The same, noting what is half done in place of a checkpoint.
Result<bool> note_half_done(Connection& connection, const Hold& held, const HalfDone& half_done);
Status forget_half_done(Connection& connection, const std::string& pipeline);
/// Why the checkpoint is not the held one any more: Code::fenced with who took it, or Code::lost_history if
/// somebody has removed or edited it. Outside of a transaction.
Error not_mine(Connection& connection, const Hold& held);

/// Records that `pipeline` writes the table. Code::invalid_config if another one does.
Status own_table(Connection& connection, const std::string& pipeline, const TableName& table);
Status rename_owned_table(Connection& connection, const std::string& pipeline, const TableName& before,
                          const TableName& after);

/// Notes, at once, that this run is about to make the table. Not on the session of the running transaction.
Status note_making(Connection& connection, const Hold& held, const TableName& table);
/// The run of the pipeline that noted so and has not committed since.
Result<std::optional<Epoch>> read_making(Connection& connection, const std::string& pipeline,
                                         const TableName& table);
/// In the running transaction: its commit has all tables that were made.
Status forget_making(Connection& connection, const std::string& pipeline);
/// What a run notes in the comment of a table that it makes.
std::string made_by(const std::string& pipeline, Epoch epoch);

/// Removes every trace of the pipeline, in the running transaction, and names what was removed.
Result<std::vector<std::string>> forget_pipeline(Connection& connection, const std::string& pipeline);

}  // namespace maia::mysql
