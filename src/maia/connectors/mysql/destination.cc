// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/destination.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/mysql/group_writer.h"
#include "maia/connectors/mysql/row_writer.h"
#include "maia/connectors/mysql/tables.h"
#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

/// Below so many rows a write is quickest row by row (bench/mysql_write_bench).
constexpr std::size_t kFewRows = 20;

Error not_open() { return {.message = "the destination was used before it was opened"}; }

bool has_only(const Batch& batch, std::initializer_list<Op> kinds) {
  return std::all_of(batch.ops().begin(), batch.ops().end(),
                     [&](Op op) { return std::find(kinds.begin(), kinds.end(), op) != kinds.end(); });
}

bool only_new_rows(const TargetDeliveries& group) {
  if (group.target->appends()) return true;
  return std::all_of(group.deliveries.begin(), group.deliveries.end(), [](const Delivery* delivery) {
    return delivery->fresh && has_only(*delivery->batch, {Op::read, Op::insert});
  });
}

bool only_inserts(const TargetDeliveries& group) {
  return std::all_of(group.deliveries.begin(), group.deliveries.end(),
                     [](const Delivery* delivery) { return has_only(*delivery->batch, {Op::insert}); });
}

/// The source has checked that they are new; only rows that somebody else has put there can be met.
bool likely_new_rows(const TargetDeliveries& group) {
  const bool converges = std::any_of(group.deliveries.begin(), group.deliveries.end(),
                                     [](const Delivery* delivery) { return delivery->converging; });
  return only_inserts(group) && !converges && !group.target->meets_rows;
}

std::size_t count_rows(std::span<const TargetDeliveries> groups) {
  std::size_t rows = 0;
  for (const auto& group : groups) {
    for (const auto* delivery : group.deliveries) rows += delivery->batch->rows();
  }
  return rows;
}

/// Names an alteration the same way each time it is delivered.
std::string alteration_name(const TableTarget& after) {
  return fmt::format("{} version {}", to_string(after.name), after.schema->version);
}

}  // namespace

std::vector<ColumnMapping> MysqlDestination::plan(const TableSchema& schema) const {
  std::vector<ColumnMapping> mappings;
  auto stored = stored_types(schema, schema.key());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    mappings.push_back(
        {schema.columns[i].name, std::move(stored[i].sql), stored[i].fidelity, std::move(stored[i].note)});
  }
  return mappings;
}

Result<std::unique_ptr<Connection>> MysqlDestination::connect(std::string_view pipeline) {
  Connection::Options options{.endpoint = config_.connection,
                              .program_name = "maia/" + std::string(pipeline)};
  options.endpoint.database.clear();  // it may be one that we are to make
  auto connection = MAIA_TRY(Connection::open(options));
  if (config_.foreign_keys == ForeignKeys::off)
    MAIA_TRY(connection->run("set session foreign_key_checks = 0"));
  return connection;
}

Result<Connection*> MysqlDestination::second_session() {
  if (!second_ || second_->broken()) second_ = MAIA_TRY(connect(held_.pipeline));
  return second_.get();
}

Result<Destination::Opened> MysqlDestination::open(std::string_view pipeline, Epoch held) {
  forget_session();
  held_ = {.pipeline = std::string(pipeline), .epoch = {}, .sequence = {}};
  connection_ = MAIA_TRY(connect(pipeline));
  MAIA_TRY(ensure_bookkeeping(*connection_));
  // A DELETE from one of several tables wants any database to be chosen.
  MAIA_TRY(connection_->run("use maia"));
  auto taken = MAIA_TRY(take_epoch(*connection_, held_.pipeline, held));
  held_.epoch = taken.opened.epoch;
  held_.sequence = taken.opened.checkpoint.sequence;
  position_ = taken.opened.checkpoint.position;
  half_done_ = std::move(taken.half_done);
  before_alteration_ = !half_done_.altering.empty();
  return std::move(taken.opened);
}

Status MysqlDestination::begin() {
  if (!connection_) return not_open();
  written_.clear();
  prepared_ = false;
  return connection_->run("start transaction");
}

TableTarget MysqlDestination::placed(const TableTarget& target) const {
  auto copy = target;
  if (copy.name.schema.empty() || copy.name.schema == config_.default_schema)
    copy.name.schema = config_.connection.database;
  return copy;
}

Status MysqlDestination::prepare(const TableTarget& target) {
  if (!connection_) return not_open();
  const auto table = placed(target);
  targets_.erase(table.name);
  MAIA_TRY(own_table(*connection_, held_.pipeline, table.name));
  auto* second = MAIA_TRY(second_session());
  prepared_ = true;
  return in("table " + to_string(table.name), make_table(*second, held_, table));
}

Status MysqlDestination::alter(const TableTarget& before, const TableTarget& after,
                               const SchemaChange& change) {
  if (!connection_) return not_open();
  const auto old = placed(before);
  const auto now = placed(after);
  const auto alteration = alteration_name(now);
  MAIA_TRY(settle(alteration));
  targets_.erase(old.name);
  targets_.erase(now.name);
  auto altered = in("table " + to_string(now.name), alter_table(*connection_, old, now, change));
  if (connection_->broken()) return altered;
  MAIA_TRY(connection_->run("start transaction"));
  MAIA_TRY(std::move(altered));
  if (old.name != now.name) MAIA_TRY(rename_owned_table(*connection_, held_.pipeline, old.name, now.name));
  if (half_done_.altering == alteration) before_alteration_ = false;
  return {};
}

Status MysqlDestination::settle(const std::string& alteration) {
  if (written_.empty()) return connection_->run("commit");
  auto half_done = half_done_;
  for (const auto& [table, place] : written_)
    half_done.tables[table] = std::max(half_done.tables[table], place);
  half_done.altering = alteration;
  if (!MAIA_TRY(note_half_done(*connection_, held_, half_done))) return refuse();
  MAIA_TRY(send_commit());
  half_done_ = std::move(half_done);
  written_.clear();
  return {};
}

Status MysqlDestination::truncate(std::span<const TableTarget* const> targets, const Truncate&) {
  if (!connection_) return not_open();
  for (const auto* target : targets) {
    const auto& bound_to = *MAIA_TRY(bound(*target));
    // What has been done before an alteration is not done again.
    if (before_alteration_ && half_done_.tables.contains(bound_to.target().name)) continue;
    // TRUNCATE would commit.
    MAIA_TRY(in("table " + to_string(bound_to.target().name), connection_->run(bound_to.remove_all())));
    written_.try_emplace(bound_to.target().name);
  }
  return {};
}

Result<WriteTarget*> MysqlDestination::bound(const TableTarget& target) {
  auto table = placed(target);
  const auto known = targets_.find(table.name);
  if (known != targets_.end()) {
    const auto& at_hand = known->second->target();
    const bool same_shape =
        at_hand.schema == table.schema || at_hand.schema->columns == table.schema->columns;
    if (at_hand.mode == table.mode && at_hand.key == table.key && same_shape) return known->second.get();
    targets_.erase(known);
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

void MysqlDestination::forget_session() {
  targets_.clear();
  written_.clear();
  half_done_ = {};
  second_.reset();
  connection_.reset();
}

const Batch* MysqlDestination::without_what_is_there(const TableName& name, const Delivery& delivery) {
  const auto& batch = *delivery.batch;
  const auto done = half_done_.tables.find(name);
  // Rows of a copy are of no window.
  if (delivery.fresh || done == half_done_.tables.end() || delivery.window == 0) return &batch;
  const auto is_new = [&](std::size_t row) {
    return Place{delivery.window, batch.ordinal(row)} > done->second;
  };
  if (is_new(0)) return &batch;
  auto rest = std::make_unique<Batch>(batch.schema());
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    if (is_new(row)) rest->push_row(batch, row);
  }
  cut_.push_back(std::move(rest));
  return cut_.back().get();
}

Status MysqlDestination::write(std::span<const Delivery> deliveries) {
  if (!connection_) return not_open();
  cut_.clear();
  std::vector<Delivery> kept;
  for (const auto& delivery : deliveries) {
    if (delivery.batch->rows() == 0) continue;
    const auto name = placed(*delivery.target).name;
    const auto* batch = without_what_is_there(name, delivery);
    if (batch->rows() == 0) continue;
    kept.push_back(delivery);
    kept.back().batch = batch;
    auto& place = written_[name];
    if (!delivery.fresh) place = std::max(place, {delivery.window, batch->ordinal(batch->rows() - 1)});
  }
  auto groups = MAIA_TRY(group(kept));
  if (groups.empty()) return {};
  if (std::all_of(groups.begin(), groups.end(), only_new_rows))
    return GroupWriter(*connection_).insert(groups);
  return write_changes(groups);
}

Result<std::vector<TargetDeliveries>> MysqlDestination::group(std::span<const Delivery> deliveries) {
  std::vector<TargetDeliveries> groups;
  for (const auto& delivery : deliveries) {
    auto* target = MAIA_TRY(bound(*delivery.target));
    auto found =
        std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.target == target; });
    if (found == groups.end()) found = groups.insert(groups.end(), {target, {}});
    found->deliveries.push_back(&delivery);
  }
  return groups;
}

Status MysqlDestination::write_changes(std::span<const TargetDeliveries> groups) {
  RowWriter rows(*connection_);
  if (config_.foreign_keys == ForeignKeys::check) return rows.write(groups);
  std::vector<TargetDeliveries> keyed, others;
  for (const auto& group : groups) (group.target->by_key() ? keyed : others).push_back(group);
  const bool only_more = std::all_of(others.begin(), others.end(), only_inserts);
  MAIA_TRY(only_more ? GroupWriter(*connection_).insert(others) : rows.write(others));
  if (keyed.empty()) return {};
  const bool many = count_rows(keyed) >= kFewRows;
  const bool likely_new = many && std::all_of(keyed.begin(), keyed.end(), likely_new_rows);
  if (many && !likely_new) return GroupWriter(*connection_).write(keyed);
  MAIA_TRY(connection_->run("savepoint maia_write"));
  auto written = likely_new ? GroupWriter(*connection_).insert(keyed) : rows.write(keyed);
  if (written.ok() || !met_unique_value(*connection_)) return written;
  for (auto& group : keyed) group.target->meets_rows = group.target->meets_rows || likely_new;
  // Values may change places between the changes, which holds only at their end.
  MAIA_TRY(connection_->run("rollback to savepoint maia_write"));
  return GroupWriter(*connection_).write(keyed);
}

/// The checkpoint is somebody else's.
Status MysqlDestination::refuse() {
  MAIA_TRY(connection_->run("rollback"));
  return not_mine(*connection_, held_);
}

Status MysqlDestination::send_commit() {
  if (prepared_) MAIA_TRY(forget_making(*connection_, held_.pipeline));
  auto done = connection_->run("commit");
  if (done.ok() || !connection_->broken()) return done;
  return Error{.code = Error::Code::unknown_outcome,
               .recovery = Recovery::reconnect,
               .message = "the answer to COMMIT was lost: " + std::move(done).error().message};
}

Status MysqlDestination::commit(const CheckpointUpdate& update) {
  if (!connection_) return not_open();
  // Other sequences for the same position are those of a new journal; older ones than before too.
  const bool renumbered =
      update.sequence < held_.sequence || (update.sequence != held_.sequence && update.position == position_);
  auto left = half_done_;
  std::erase_if(left.tables,
                [&](const auto& each) { return renumbered || each.second.window <= update.sequence.value; });
  const bool forget = left.tables.size() != half_done_.tables.size();
  if (!MAIA_TRY(update_checkpoint(*connection_, held_, update))) return refuse();
  if (forget) {
    auto now = held_;
    now.sequence = update.sequence;
    if (left.tables.empty()) left.altering.clear();
    MAIA_TRY(forget_half_done(*connection_, held_.pipeline));
    MAIA_TRY(note_half_done(*connection_, now, left));
  }
  MAIA_TRY(send_commit());
  held_.sequence = update.sequence;
  position_ = update.position;
  if (forget) half_done_ = std::move(left);
  written_.clear();
  return {};
}

void MysqlDestination::rollback() {
  written_.clear();
  before_alteration_ = !half_done_.altering.empty();
  if (!connection_ || connection_->broken()) return;
  const auto done = connection_->run("rollback");
  static_cast<void>(done);  // a session that cannot even do this is broken, and the next call says so
}

Result<std::vector<std::string>> MysqlDestination::drop(std::string_view pipeline) {
  if (!connection_) connection_ = MAIA_TRY(connect(pipeline));
  if (!MAIA_TRY(has_bookkeeping(*connection_))) return std::vector<std::string>{};
  MAIA_TRY(connection_->run("start transaction"));
  auto removed = MAIA_TRY(forget_pipeline(*connection_, std::string(pipeline)));
  MAIA_TRY(connection_->run("commit"));
  return removed;
}

}  // namespace maia::mysql
