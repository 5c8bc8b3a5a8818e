// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/duckdb_destination.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "maia/connectors/duckdb/query.h"
#include "maia/connectors/duckdb/type_map.h"

namespace maia::duckdb {
namespace {

std::filesystem::path folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

Error not_open() {
  return {Error::Code::unavailable, Recovery::reconnect, "the DuckDB destination is not open", {}};
}

}  // namespace

std::vector<ColumnMapping> DuckDbDestination::plan(const TableSchema& schema) const {
  return map_columns(schema, config_);
}

Result<Findings> DuckDbDestination::check() {
  Findings findings;
  std::error_code failed;
  const auto folder = folder_of(config_.path);
  if (!std::filesystem::exists(config_.path, failed)) {
    const bool writable = ::access(folder.c_str(), W_OK | X_OK) == 0;
    findings.push_back(
        {writable ? Finding::Level::ok : Finding::Level::error,
         writable ? fmt::format("{} will be created", config_.path)
                  : fmt::format("{}: the folder is not there or may not be written", folder.string()),
         "", writable ? "" : fmt::format("mkdir -p '{}'", folder.string())});
    return findings;
  }
  const auto database = Database::open(config_);
  if (!database.ok()) {
    findings.push_back({Finding::Level::error, database.error().message, "", database.error().hint});
    return findings;
  }
  findings.push_back({Finding::Level::ok, fmt::format("{} can be opened", config_.path), "", ""});
  return findings;
}

Status DuckDbDestination::in_transaction(Connection& connection, std::string_view doing,
                                         const std::function<Status()>& work) {
  MAIA_TRY(connection.run("BEGIN TRANSACTION", doing));
  auto done = work();
  if (done.ok()) return connection.run("COMMIT", doing);
  static_cast<void>(connection.run("ROLLBACK", doing));
  return done;
}

Result<Destination::Opened> DuckDbDestination::open(std::string_view pipeline, Epoch held) {
  auto database = MAIA_TRY(Database::open(config_));
  auto connection = MAIA_TRY(database->connect());
  pipeline_ = pipeline;
  session_ = std::make_unique<Session>(std::move(connection), database->catalog(), config_, pipeline_);
  Opened opened;
  const auto take_epoch = [&]() -> Status {
    MAIA_TRY(session_->bookkeeping.create());
    opened = MAIA_TRY(session_->bookkeeping.take_epoch(pipeline_, held));
    return {};
  };
  MAIA_TRY(in_transaction(session_->connection, "open", take_epoch));
  epoch_ = opened.epoch;
  const std::lock_guard lock(mutex_);
  database_ = std::move(database);
  return opened;
}

Status DuckDbDestination::begin() {
  if (!session_) return not_open();
  session_->tables.begin();
  return session_->connection.run("BEGIN TRANSACTION", "begin");
}

Status DuckDbDestination::prepare(const TableTarget& target) { return session_->tables.prepare(target); }

Status DuckDbDestination::alter(const TableTarget& before, const TableTarget& after,
                                const SchemaChange& change) {
  return in(fmt::format("table {}", to_string(after.name)), session_->tables.alter(before, after, change));
}

Status DuckDbDestination::truncate(std::span<const TableTarget* const> targets, const Truncate&) {
  for (const auto* target : targets) {
    MAIA_TRY(in(fmt::format("table {}", to_string(target->name)), session_->tables.truncate(*target)));
  }
  return {};
}

Status DuckDbDestination::write(std::span<const Delivery> deliveries) {
  for (const auto& delivery : deliveries) session_->tables.touch(delivery.target->name);
  return session_->writer.write(deliveries);
}

Status DuckDbDestination::commit(const CheckpointUpdate& update) {
  MAIA_TRY(session_->bookkeeping.save(pipeline_, epoch_, update));
  auto committed = session_->connection.run("COMMIT", "commit");
  if (committed.ok() || committed.error().recovery == Recovery::retry) return committed;
  auto error = std::move(committed).error();
  error.code = Error::Code::unknown_outcome;
  error.recovery = Recovery::reconnect;
  return error;
}

void DuckDbDestination::rollback() {
  // Fails if no transaction was begun, or if the error has ended it already.
  if (session_) static_cast<void>(session_->connection.run("ROLLBACK", "rollback"));
}

Status DuckDbDestination::begin_staging(const TableTarget& target) {
  if (!session_) return not_open();
  return in(fmt::format("table {}", to_string(target.name)), session_->comparer.begin(target));
}

Status DuckDbDestination::stage(const TableTarget& target, const Batch& batch) {
  return in(fmt::format("table {}", to_string(target.name)), session_->comparer.stage(target, batch));
}

Result<Destination::Reconciled> DuckDbDestination::reconcile(const TableTarget& target,
                                                             const Reconciliation& how) {
  session_->tables.touch(target.name);
  return in(fmt::format("table {}", to_string(target.name)), session_->comparer.reconcile(target, how));
}

Result<Destination::QueryResult> DuckDbDestination::query(std::string_view sql, const QueryLimits& limits) {
  std::shared_ptr<Database> database;
  {
    const std::lock_guard lock(mutex_);
    database = database_;
  }
  if (!database) {
    return Error{Error::Code::unavailable, Recovery::retry, "the DuckDB file is not open yet",
                 "Ask again when the pipeline has started."};
  }
  return run_query(*database, sql, limits);
}

Result<std::vector<std::string>> DuckDbDestination::drop(std::string_view pipeline) {
  std::error_code failed;
  std::vector<std::string> removed;
  if (!std::filesystem::exists(config_.path, failed)) return removed;
  session_.reset();
  const auto database = MAIA_TRY(Database::open(config_));
  auto connection = MAIA_TRY(database->connect());
  Bookkeeping bookkeeping(connection, database->catalog());
  const auto forget = [&]() -> Status {
    MAIA_TRY(bookkeeping.create());
    removed = MAIA_TRY(bookkeeping.drop(pipeline));
    return {};
  };
  MAIA_TRY(in_transaction(connection, "drop", forget));
  return removed;
}

}  // namespace maia::duckdb
