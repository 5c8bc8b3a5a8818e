// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/postgres/check.h"

namespace maia::postgres {
namespace {

using std::chrono::milliseconds;

/// Making a slot waits for the transactions that are running.
constexpr milliseconds kSlotPatience{120'000};

std::vector<SourceTable> without_problems(std::vector<SourceTable> tables) {
  std::erase_if(tables, [](const SourceTable& table) { return !table.problem.empty(); });
  return tables;
}

}  // namespace

PostgresSource::PostgresSource(SourceConfig config, std::string pipeline, net::ConnectionAgain again)
    : config_(std::move(config)), pipeline_(std::move(pipeline)), connection_again_(std::move(again)) {
  if (config_.publication.empty()) config_.publication = name_for_pipeline(pipeline_);
  if (config_.slot.empty()) config_.slot = name_for_pipeline(pipeline_);
  connect_.endpoint = config_.connection;
  connect_.application_name = "maia " + pipeline_;
  // A sign of life need not wait for standbys, but must be flushed to be seen.
  connect_.settings.emplace_back("synchronous_commit", "local");
}

Result<Connection*> PostgresSource::session() {
  // A server that went away while the session was idle shows only when the socket is looked at.
  if (session_ != nullptr && !session_->broken())
    static_cast<void>(session_->wait_readable(milliseconds{0}, {}));
  if (session_ == nullptr || session_->broken()) MAIA_TRY(connect_anew());
  return session_.get();
}

Status PostgresSource::connect_anew() {
  if (connection_again_) connect_.endpoint = MAIA_TRY(connection_again_());
  auto fresh = MAIA_TRY(Connection::open(connect_));
  // A caller further up may hold the broken one; it shall meet its error there.
  broken_sessions_.push_back(std::move(session_));
  if (broken_sessions_.size() > kBrokenSessions) broken_sessions_.pop_front();
  session_ = std::move(fresh);
  return {};
}

Result<std::unique_ptr<Connection>> PostgresSource::open_replication() {
  auto options = connect_;
  options.replication = true;
  return Connection::open(options);
}

Result<Selection> PostgresSource::selection(Connection& connection) {
  auto search_path = MAIA_TRY(read_search_path(connection));
  return Selection::parse(config_.tables, std::move(search_path));
}

Result<Findings> PostgresSource::check() {
  auto& connection = *MAIA_TRY(session());
  const auto selected = MAIA_TRY(tables());
  auto findings = MAIA_TRY(check_capture(connection, config_, selected));
  // The server's access rules may let ordinary sessions in and replication not. A missing privilege was found
  // above.
  const auto replication = open_replication();
  if (!replication.ok() && replication.error().code != Error::Code::check_failed) {
    findings.push_back({Finding::Level::error, replication.error().message,
                        "a replication session was refused", replication.error().hint});
  }
  return findings;
}

Result<std::vector<SourceTable>> PostgresSource::tables() {
  auto& connection = *MAIA_TRY(session());
  const auto scope = MAIA_TRY(scope_of(connection, config_.publication));
  const auto selected = MAIA_TRY(selection(connection));
  return offer_tables(connection, selected, scope);
}

Result<Source::Prepared> PostgresSource::prepare(const std::optional<Position>& resume) {
  exporter_.reset();
  auto& connection = *MAIA_TRY(session());
  auto replication = MAIA_TRY(open_replication());
  server_ = MAIA_TRY(identify(*replication));
  auto slot = MAIA_TRY(find_slot(connection, config_.slot));
  const bool goes_on = resume && !resume->empty();
  MAIA_TRY(begin_heartbeat());
  if (goes_on) {
    const auto place = MAIA_TRY(LogPlace::parse(*resume));
    MAIA_TRY(check_history(*replication, place, kReleasePatience));
  }
  const auto publication = MAIA_TRY(find_publication(connection, config_.publication));
  if (slot && !publication) {
    return Error{
        Error::Code::check_failed, Recovery::halt,
        fmt::format("replication slot {} exists, but publication {} does not; a slot can only read a "
                    "publication that is older than its position",
                    config_.slot, config_.publication),
        fmt::format("SELECT pg_drop_replication_slot('{}'); and begin anew", config_.slot)};
  }
  const auto tables = without_problems(MAIA_TRY(this->tables()));
  if (tables.empty()) {
    return Error{Error::Code::invalid_config, Recovery::halt, "no table can be synchronized",
                 "`maia check` says why for each table that is selected"};
  }
  MAIA_TRY(ensure_publication(
      connection, {config_.publication, pipeline_, config_.slot, config_.create_missing}, tables));
  const auto mark = MAIA_TRY(publication_mark());
  MAIA_TRY(remember_publication(mark));
  if (goes_on) return Prepared{*resume, false};
  // A run that was killed while its slot was being made may leave it complete, or it vanishes.
  if (slot) slot = MAIA_TRY(await_slot(*slot, {}, kReleasePatience));
  if (slot) return Prepared{server_->at(*slot->confirmed).position(), false};
  if (!config_.create_missing) {
    return Error{Error::Code::check_failed, Recovery::halt,
                 "replication slot " + config_.slot + " does not exist",
                 create_slot_sql(connection.server_version(), config_.slot)};
  }
  exported_ =
      MAIA_TRY(create_slot(*replication, connection, {config_.slot, false}, Limits{kSlotPatience, {}}));
  exporter_ = std::move(replication);
  return Prepared{server_->at(exported_.consistent).position(), true};
}

SnapshotTerms PostgresSource::snapshot_terms(PublicationScope scope) const {
  return {connect_, exported_.snapshot, std::move(scope), config_.chunk_size.bytes};
}

Result<std::unique_ptr<Snapshot>> PostgresSource::snapshot() {
  auto& connection = *MAIA_TRY(session());
  auto scope = MAIA_TRY(scope_of(connection, config_.publication));
  if (exporter_ == nullptr) {
    // A temporary slot tells the exact place in the log that its snapshot belongs to.
    auto replication = MAIA_TRY(open_replication());
    server_ = MAIA_TRY(identify(*replication));
    const auto name = fmt::format("maia_snapshot_{}", replication->backend_pid());
    exported_ = MAIA_TRY(create_slot(*replication, connection, {name, true}, Limits{kSlotPatience, {}}));
    exporter_ = std::move(replication);
  }
  return SlotSnapshot::open(std::move(exporter_), snapshot_terms(std::move(scope)),
                            server_->at(exported_.consistent));
}

Result<bool> PostgresSource::all_binary(Connection& connection, const PublicationScope& scope,
                                        const Selection& selected) {
  if (notes_->binary_refused) return false;
  const auto tables = MAIA_TRY(read_tables(connection, scope, [&](const CatalogTable& table) {
    return (table.kind == 'r' || table.kind == 'p') && !table.is_partition && selected.includes(table.name);
  }));
  return std::all_of(tables.begin(), tables.end(), [](const auto& table) { return table.all_binary(); });
}

Result<std::unique_ptr<Stream>> PostgresSource::stream(const Position& from,
                                                       std::vector<SchemaRef> known_tables) {
  exporter_.reset();
  // A stream is opened after another one broke, so the session that still lives may be of an old password.
  if (connection_again_) connect_.endpoint = MAIA_TRY(connection_again_());
  auto& connection = *MAIA_TRY(session());
  StreamTerms terms;
  terms.connect = connect_;
  terms.slot = config_.slot;
  terms.from = MAIA_TRY(LogPlace::parse(from));
  {
    // Whatever broke the last stream, another server may answer now, or things have happened to this one.
    const auto replication = MAIA_TRY(open_replication());
    server_ = MAIA_TRY(identify(*replication));
    MAIA_TRY(begin_heartbeat());
    MAIA_TRY(check_history(*replication, terms.from, milliseconds{0}));
  }
  terms.from.timeline = server_->timeline;
  terms.relations.scope = MAIA_TRY(scope_of(connection, config_.publication));
  terms.relations.selection = MAIA_TRY(selection(connection));
  terms.relations.known = std::move(known_tables);
  terms.relations.binary = MAIA_TRY(all_binary(connection, terms.relations.scope, terms.relations.selection));
  terms.publication = MAIA_TRY(publication_mark());
  terms.remembers = beats_;
  const auto publication = MAIA_TRY(find_publication(connection, config_.publication));
  if (publication && publication->made_for(pipeline_) && config_.create_missing)
    terms.wish = PublicationWish{config_.publication, pipeline_, config_.slot, true};
  terms.origin = config_.origin;
  terms.decoding_memory = config_.decoding_memory.bytes;
  terms.notes = notes_;
  return SlotStream::open(std::move(terms));
}

Result<Position> PostgresSource::end() {
  if (!server_) {
    const auto replication = MAIA_TRY(open_replication());
    server_ = MAIA_TRY(identify(*replication));
  }
  auto lsn = emit_message("end");
  if (!lsn.ok()) {
    auto& connection = *MAIA_TRY(session());
    const auto rows = MAIA_TRY(connection.query(
        "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
        "ELSE pg_catalog.pg_current_wal_flush_lsn() END"));
    lsn = parse_lsn(rows.text(0, 0));
  }
  notes_->server_end = MAIA_TRY(std::move(lsn));
  return server_->at(notes_->server_end).position();
}

Result<Position> PostgresSource::position_from_text(std::string_view text, const Position& near) const {
  const auto lsn = parse_lsn(text);
  auto place = MAIA_TRY(LogPlace::parse(near));
  if (!lsn.ok()) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("'{}' is no place in PostgreSQL's log", text), "places look like 0/16B3748"};
  }
  place.lsn = *lsn;
  return place.position();
}

std::string PostgresSource::describe(const Position& position) const {
  const auto place = LogPlace::parse(position);
  return place.ok() ? to_string(place->lsn) : "the beginning";
}

Result<std::vector<std::string>> PostgresSource::drop() {
  exporter_.reset();
  auto& connection = *MAIA_TRY(session());
  std::vector<std::string> removed;
  const auto publication = MAIA_TRY(find_publication(connection, config_.publication));
  const bool slot_is_ours = config_.slot == name_for_pipeline(pipeline_) ||
                            (publication && publication->made_for(pipeline_) &&
                             publication->comment.ends_with("; slot " + config_.slot));
  if (slot_is_ours && MAIA_TRY(drop_slot())) removed.push_back("replication slot " + config_.slot);
  if (MAIA_TRY(drop_publication(connection, config_.publication, pipeline_))) {
    removed.push_back("publication " + config_.publication);
  }
  for (auto& each : MAIA_TRY(drop_heartbeat(connection, config_.slot))) removed.push_back(std::move(each));
  return removed;
}

}  // namespace maia::postgres
