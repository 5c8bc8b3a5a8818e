// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/destination.h"

#include <algorithm>

#include "maia/connectors/postgres/checkpoint.h"
#include "maia/connectors/postgres/destination_tables.h"
#include "maia/connectors/postgres/write_order.h"

namespace maia::postgres {
namespace {

Error not_open() { return Error{.message = "the destination was used before it was opened"}; }

}  // namespace

std::vector<ColumnMapping> PostgresDestination::plan(const TableSchema& schema) const {
  std::vector<ColumnMapping> mappings;
  for (const auto& column : schema.columns) {
    auto stored = stored_type(column.type, types_);
    mappings.push_back({column.name, stored.sql(), stored.fidelity, std::move(stored.note)});
  }
  return mappings;
}

Status PostgresDestination::connect(std::string_view pipeline) {
  Connection::Options options{
      .endpoint = config_.connection, .application_name = "maia/" + std::string(pipeline), .settings = {}};
  connection_ = MAIA_TRY(Connection::open(options));
  // Durable when the commit returns, whatever the role's default; stricter settings stay.
  MAIA_TRY(
      connection_->run("select pg_catalog.set_config('synchronous_commit', 'on', false) "
                       "where pg_catalog.current_setting('synchronous_commit') = 'off'"));
  const auto may_flush = MAIA_TRY(connection_->query(
      "select coalesce(pg_catalog.bool_and(pg_catalog.has_function_privilege(oid, 'execute')), false) "
      "from pg_catalog.pg_proc where proname = 'pg_logical_emit_message' "
      "and pronamespace = 'pg_catalog'::pg_catalog.regnamespace"));
  shows_early_ = may_flush.boolean(0, 0);
  types_ = MAIA_TRY(read_server_types(*connection_));
  row_writer_.emplace(*connection_, statements_);
  array_writer_.emplace(*connection_, statements_);
  group_writer_.emplace(*connection_);
  return choose_role();
}

Status PostgresDestination::choose_role() {
  checks_foreign_keys_ = true;
  if (config_.foreign_keys == ForeignKeys::check) return {};
  auto set = connection_->run("set session_replication_role = replica");
  checks_foreign_keys_ = !set.ok();
  if (set.ok() ||
      (config_.foreign_keys == ForeignKeys::automatic && connection_->last_sqlstate() == "42501")) {
    return {};
  }
  auto error = std::move(set).error();
  error.hint =
      "from PostgreSQL 15 on: GRANT SET ON PARAMETER session_replication_role TO the user; before, only a "
      "superuser may; or set foreign_keys: check";
  return error;
}

Result<Destination::Opened> PostgresDestination::open(std::string_view pipeline, Epoch held) {
  forget_session();
  pipeline_ = pipeline;
  MAIA_TRY(connect(pipeline));
  MAIA_TRY(ensure_bookkeeping(*connection_));
  auto opened = MAIA_TRY(take_epoch(*connection_, pipeline_, held));
  epoch_ = opened.epoch;
  sequence_ = opened.checkpoint.sequence;
  return opened;
}

Status PostgresDestination::begin() {
  if (!connection_) return not_open();
  changed_.clear();
  return connection_->run(shows_early_
                              ? "begin; set constraints all deferred; set local synchronous_commit = off"
                              : "begin; set constraints all deferred");
}

TableTarget PostgresDestination::placed(const TableTarget& target) const {
  auto copy = target;
  if (copy.name.schema.empty()) copy.name.schema = config_.schema;
  return copy;
}

Status PostgresDestination::prepare(const TableTarget& target, bool key_later) {
  if (!connection_) return not_open();
  const auto table = placed(target);
  unbind(table.name);
  changed_.push_back(table.name);
  MAIA_TRY(own_table(*connection_, pipeline_, table.name));
  return in("table " + to_string(table.name), make_table(*connection_, table, types_, key_later));
}

Status PostgresDestination::make_key_that_lacks(const TableTarget& target) {
  const auto* known = MAIA_TRY(bound(target));
  if (!known->stored().lacks_key || !known->by_key()) return {};
  const auto table = placed(target);
  unbind(table.name);
  changed_.push_back(table.name);
  return in("table " + to_string(table.name), make_key(*connection_, table));
}

Status PostgresDestination::alter(const TableTarget& before, const TableTarget& after,
                                  const SchemaChange& change) {
  if (!connection_) return not_open();
  const auto old = placed(before);
  const auto now = placed(after);
  for (const auto& name : {old.name, now.name}) {
    unbind(name);
    changed_.push_back(name);
  }
  if (old.name != now.name) MAIA_TRY(rename_owned_table(*connection_, pipeline_, old.name, now.name));
  return in("table " + to_string(now.name), alter_table(*connection_, old, now, change, types_));
}

Status PostgresDestination::truncate(std::span<const TableTarget* const> targets, const Truncate& truncate) {
  if (!connection_) return not_open();
  std::vector<TargetDeliveries> groups;
  for (const auto* target : targets) groups.push_back({MAIA_TRY(bound(*target)), {}});
  parents_first(groups);
  std::vector<TableName> names;
  for (auto group = groups.rbegin(); group != groups.rend(); ++group)
    names.push_back(group->target->target().name);
  return truncate_tables(*connection_, names, truncate.restart_identity);
}

Result<WriteTarget*> PostgresDestination::bound(const TableTarget& target) {
  auto table = placed(target);
  auto known = targets_.find(table.name);
  if (known != targets_.end()) {
    const auto& at_hand = known->second->target();
    if (at_hand.mode == table.mode && at_hand.key == table.key &&
        (at_hand.schema == table.schema || at_hand.schema->columns == table.schema->columns)) {
      return known->second.get();
    }
    unbind(table.name);
  }
  auto stored = MAIA_TRY(read_stored_table(*connection_, table.name));
  if (!stored) {
    return Error{.code = Error::Code::invalid_config,
                 .message = "the table " + to_string(table.name) + " is not at the destination any more",
                 .hint = "`maia resync` makes it and copies its rows again"};
  }
  auto fresh = MAIA_TRY(WriteTarget::bind(table, *std::move(stored), ++targets_made_));
  auto& place = targets_[table.name];
  place = std::make_unique<WriteTarget>(std::move(fresh));
  return place.get();
}

void PostgresDestination::unbind(const TableName& name) {
  const auto known = targets_.find(name);
  if (known == targets_.end()) return;
  statements_.forget(*known->second);
  group_writer_->forget(*known->second);
  targets_.erase(known);
}

void PostgresDestination::forget_session() {
  statements_ = {};
  targets_.clear();
  changed_.clear();
  row_writer_.reset();
  array_writer_.reset();
  group_writer_.reset();
  connection_.reset();
}

Result<std::vector<TargetDeliveries>> PostgresDestination::group(std::span<const Delivery> deliveries) {
  std::vector<TargetDeliveries> groups;
  for (const auto& delivery : deliveries) {
    if (delivery.batch->rows() == 0) continue;
    auto* target = MAIA_TRY(bound(*delivery.target));
    if (target->stored().lacks_key && target->by_key() && !delivery.fresh) {
      MAIA_TRY(make_key_that_lacks(*delivery.target));
      return group(deliveries);
    }
    auto found =
        std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.target == target; });
    if (found == groups.end()) found = groups.insert(groups.end(), {target, {}});
    found->deliveries.push_back(&delivery);
  }
  if (checks_foreign_keys_) parents_first(groups);
  return groups;
}

Status PostgresDestination::write(std::span<const Delivery> deliveries) {
  if (!connection_) return not_open();
  auto groups = MAIA_TRY(group(deliveries));
  if (groups.empty()) return {};
  if (std::all_of(groups.begin(), groups.end(), only_new_rows)) return group_writer_->copy(groups);
  return write_changes(groups);
}

bool PostgresDestination::may_put_back(std::span<const TargetDeliveries> groups) const {
  return std::all_of(groups.begin(), groups.end(), [&](const TargetDeliveries& group) {
    const auto& stored = group.target->stored();
    // What foreign keys or triggers would do to a removed row cannot be taken back.
    return !group.target->has_columns_of_its_own() &&
           !(checks_foreign_keys_ && (stored.is_referenced || stored.has_triggers));
  });
}

/// From the fastest to the one that is left when constraints are in the way of the others.
std::vector<PostgresDestination::Way> PostgresDestination::ways_for(
    std::span<const TargetDeliveries> groups) const {
  std::vector<Way> ways;
  const bool put_back = may_put_back(groups);
  const auto rows = count_rows(groups);
  if (rows < kFewRows || (!put_back && any_key_change(groups))) {
    ways.push_back(Way::rows);
  } else {
    if (rows >= kCopiedRows && std::all_of(groups.begin(), groups.end(), likely_new_rows))
      ways.push_back(Way::copied);
    if (rows < kManyRows) ways.push_back(Way::arrays);
    ways.push_back(Way::staged);
    // In the source's order each step satisfies what the source has checked.
    if (!put_back) ways.push_back(Way::rows);
  }
  if (put_back) ways.push_back(Way::put_back);
  return ways;
}

Result<bool> PostgresDestination::write_by(Way way, std::span<const TargetDeliveries> groups) {
  if (way == Way::arrays) return array_writer_->write(groups, "maia_write");
  if (way == Way::rows) {
    MAIA_TRY(row_writer_->write(groups, "maia_write"));
    return true;
  }
  if (way == Way::copied) {
    MAIA_TRY(connection_->run("savepoint maia_write"));
    MAIA_TRY(group_writer_->copy(groups));
    MAIA_TRY(connection_->run("release savepoint maia_write"));
    return true;
  }
  // Before the savepoint, since a temporary table would go with what is rolled back to it.
  MAIA_TRY(group_writer_->make_stages(groups));
  MAIA_TRY(connection_->run("savepoint maia_write"));
  MAIA_TRY(group_writer_->write(
      groups, way == Way::staged ? GroupWriter::Way::in_place : GroupWriter::Way::put_back));
  MAIA_TRY(connection_->run("release savepoint maia_write"));
  return true;
}

/// Goes on to the next way when one does not do, or is stopped by a constraint that holds only between the
/// changes and not at their end.
Status PostgresDestination::write_changes(std::span<const TargetDeliveries> groups) {
  auto ways = ways_for(groups);
  for (std::size_t i = 0;; ++i) {
    auto done = write_by(ways[i], groups);
    if (done.ok() && *done) return {};
    if (done.ok()) continue;
    const auto& state = connection_->last_sqlstate();
    const bool by_value = ways[i] == Way::rows || ways[i] == Way::copied || ways[i] == Way::arrays;
    const bool refused_value = state.starts_with("22") && by_value;
    if (ways[i] == Way::copied && state == kUniqueViolation) {
      for (const auto& group : groups) group.target->meets_rows = true;
    }
    if (refused_value) {
      // The staging table tells in which column.
      ways.resize(i + 1);
      ways.push_back(Way::staged);
    }
    const bool again = refused_value || stopped_by_order(state);
    if (connection_->broken() || !again || i + 1 == ways.size()) return std::move(done).error();
    MAIA_TRY(connection_->run("rollback to savepoint maia_write"));
  }
}

Status PostgresDestination::commit(const CheckpointUpdate& update) {
  if (!connection_) return not_open();
  StatementPipeline pipeline(*connection_);
  MAIA_TRY(pipeline.start());
  auto queued = queue_checkpoint(pipeline, pipeline_, epoch_, sequence_, update);
  if (queued.ok()) queued = pipeline.run("commit");
  auto done = pipeline.finish();
  if (!queued.ok()) return queued;
  if (!done.ok()) {
    auto error = std::move(done).error();
    if (connection_->broken()) {
      return Error{.code = Error::Code::unknown_outcome,
                   .recovery = Recovery::reconnect,
                   .message = "the answer to COMMIT was lost: " + error.message};
    }
    if (connection_->last_sqlstate() != kNotMine) return error;
    static_cast<void>(connection_->run("rollback"));
    return not_mine(*connection_, pipeline_, epoch_);
  }
  if (pipeline.last_command() != "COMMIT") {
    return Error{.message = "the destination's transaction had failed before its commit"};
  }
  if (shows_early_) MAIA_TRY(flush_commits());
  sequence_ = update.sequence;
  group_writer_->committed();
  changed_.clear();
  return {};
}

/// A transaction that changes no row, but waits at its commit as the session's synchronous_commit says: then
/// all before it is as durable.
Status PostgresDestination::flush_commits() {
  const auto flushed = connection_->query("select pg_catalog.pg_logical_emit_message(true, 'maia', '')");
  if (flushed.ok()) return {};
  return Error{.code = Error::Code::unknown_outcome,
               .recovery = Recovery::reconnect,
               .message = "whether a transaction is durable was not said: " + flushed.error().message};
}

void PostgresDestination::rollback() {
  if (!connection_) return;
  if (!connection_->broken()) {
    const auto done = connection_->run("rollback");
    static_cast<void>(done);  // a session that cannot even do this is broken, and the next call says so
  }
  group_writer_->rolled_back();
  for (const auto& name : changed_) unbind(name);
  changed_.clear();
}

Status PostgresDestination::finish_snapshot(std::span<const TableTarget* const> targets) {
  if (!connection_) return not_open();
  for (const auto* target : targets) {
    MAIA_TRY(make_key_that_lacks(*target));
    const auto name = placed(*target).name;
    MAIA_TRY(in("table " + to_string(name), raise_sequences(*connection_, name)));
  }
  return {};
}

Result<std::vector<std::string>> PostgresDestination::drop(std::string_view pipeline) {
  const std::string name(pipeline);
  if (!connection_) MAIA_TRY(connect(pipeline));
  const auto there = MAIA_TRY(connection_->query("select pg_catalog.to_regclass('maia.owner') is not null"));
  if (!there.boolean(0, 0)) return std::vector<std::string>{};
  MAIA_TRY(connection_->run("begin"));
  // From here on the destination is its owner's alone, who will draw from its sequences.
  const auto tables = MAIA_TRY(owned_tables(*connection_, name));
  for (const auto& table : tables) {
    if (MAIA_TRY(read_stored_table(*connection_, table))) MAIA_TRY(raise_sequences(*connection_, table));
  }
  auto removed = MAIA_TRY(forget_pipeline(*connection_, name));
  MAIA_TRY(connection_->run("commit"));
  return removed;
}

}  // namespace maia::postgres
