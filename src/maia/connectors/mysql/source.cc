// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>

#include "maia/connectors/mysql/catalog.h"
#include "maia/connectors/mysql/check.h"
#include "maia/connectors/mysql/stream.h"

namespace maia::mysql {
namespace {

Error lost(std::string message, std::string_view reason) {
  return Error{Error::Code::lost_history, Recovery::halt, std::move(message), "copy the tables anew", reason};
}

/// Whether a MariaDB has the last transaction that was read of each domain. A number alone does not say so:
/// a replica that lacked it may have given its number to another when it became the primary.
Status check_domains(Connection& connection, const DomainPositions& passed) {
  const auto state = MAIA_TRY(connection.query("SELECT @@global.gtid_binlog_state")).str(0, 0);
  const auto newest = MAIA_TRY(DomainPositions::parse_state(state));
  for (const auto& [domain, last] : passed.domains()) {
    const auto found = newest.find({domain, last.server});
    if (found != newest.end() && found->second >= last.number) continue;
    return lost(fmt::format("{} lacks transaction {}-{}-{}, which was read", connection.where(), domain,
                            last.server, last.number),
                "server_behind");
  }
  return {};
}

}  // namespace

MysqlSource::MysqlSource(SourceConfig config, const std::string& pipeline, net::ConnectionAgain again)
    : config_(std::move(config)), connection_again_(std::move(again)) {
  connect_.endpoint = config_.connection;
  connect_.program_name = "maia " + pipeline;
}

Result<Connection*> MysqlSource::session() {
  if (session_ != nullptr && !session_->broken() && session_->run("DO 0").ok()) return session_.get();
  if (connection_again_) connect_.endpoint = MAIA_TRY(connection_again_());
  session_ = MAIA_TRY(Connection::open(connect_));
  return session_.get();
}

Result<Findings> MysqlSource::check() {
  auto& connection = *MAIA_TRY(session());
  const auto selected = MAIA_TRY(tables());
  return check_capture(connection, selected);
}

Result<std::vector<SourceTable>> MysqlSource::tables() {
  auto& connection = *MAIA_TRY(session());
  const auto choice = MAIA_TRY(TableChoice::make(config_));
  std::vector<SourceTable> offered;
  for (const auto& table : MAIA_TRY(read_tables(connection, choice)))
    offered.push_back(offer(table, config_.zero_dates));
  return offered;
}

Result<Source::Prepared> MysqlSource::prepare(const std::optional<Position>& resume) {
  views_.reset();
  auto& connection = *MAIA_TRY(session());
  for (const auto& finding : MAIA_TRY(check_log(connection))) {
    if (finding.level == Finding::Level::error)
      return Error{Error::Code::check_failed, Recovery::halt, finding.what, finding.fix};
  }
  if (resume && !resume->empty()) {
    const auto place = MAIA_TRY(LogPlace::parse(*resume));
    MAIA_TRY(check_history(connection, place));
    return Prepared{*resume, false};
  }
  views_ = MAIA_TRY(open_views());
  return Prepared{views_->place().position(), true};
}

Status MysqlSource::check_history(Connection& connection, const LogPlace& place) {
  if (connection.server().mariadb != place.mariadb()) {
    return lost(fmt::format("{} is of another product than the one that was read so far", connection.where()),
                "other_server");
  }
  if (place.mariadb()) return check_domains(connection, std::get<DomainPositions>(place.passed));
  const auto end = MAIA_TRY(read_end(connection));
  if (!std::is_lteq(mysql::compare(place.position(), end.position()))) {
    auto missing = std::get<GtidSet>(place.passed);
    missing.subtract(std::get<GtidSet>(end.passed));
    return lost(fmt::format("{} lacks transactions that were read: {}", connection.where(), missing.text()),
                "server_behind");
  }
  const auto rows = MAIA_TRY(connection.query("SELECT @@global.gtid_purged"));
  auto purged = MAIA_TRY(GtidSet::parse(rows.str(0, 0)));
  purged.subtract(std::get<GtidSet>(place.passed));
  if (purged.empty()) return {};
  return lost(
      fmt::format("{} has purged binary logs that were not read: {}", connection.where(), purged.text()),
      "log_purged");
}

Result<std::shared_ptr<ViewPool>> MysqlSource::open_views() {
  SnapshotTerms terms;
  terms.connect = connect_;
  for (const auto& table : MAIA_TRY(tables())) {
    if (table.problem.empty()) terms.tables.push_back(table.schema->name);
  }
  return ViewPool::open(terms);
}

Result<std::unique_ptr<Snapshot>> MysqlSource::snapshot() {
  if (views_ == nullptr) views_ = MAIA_TRY(open_views());
  SnapshotTerms terms;
  terms.connect = connect_;
  terms.zero_dates = config_.zero_dates;
  terms.chunk_rows = config_.chunk_rows;
  return std::unique_ptr<Snapshot>(
      std::make_unique<KeySnapshot>(std::exchange(views_, nullptr), std::move(terms)));
}

Result<std::unique_ptr<Stream>> MysqlSource::stream(const Position& from,
                                                    std::vector<SchemaRef> known_tables) {
  views_.reset();
  auto& connection = *MAIA_TRY(session());
  StreamTerms terms;
  terms.connect = connect_;
  terms.from = MAIA_TRY(LogPlace::parse(from));
  MAIA_TRY(check_history(connection, terms.from));
  terms.tables.choice = MAIA_TRY(TableChoice::make(config_));
  terms.tables.zero_dates = config_.zero_dates;
  terms.tables.known = std::move(known_tables);
  return LogStream::open(std::move(terms));
}

Result<Position> MysqlSource::end() {
  auto& connection = *MAIA_TRY(session());
  return MAIA_TRY(read_end(connection)).position();
}

std::string MysqlSource::describe(const Position& position) const {
  const auto place = LogPlace::parse(position);
  return place.ok() ? place->text() : position.token;
}

Result<Position> MysqlSource::position_from_text(std::string_view text, const Position& near) const {
  const auto place = MAIA_TRY(LogPlace::parse(near));
  auto wanted = LogPlace::parse(place.mariadb(), text);
  if (wanted.ok()) return wanted->position();
  return Error{Error::Code::invalid_config, Recovery::halt, "what was given is no place in the binary log",
               place.mariadb() ? "write domain-server-number, such as 0-1-42"
                               : "write a GTID set, such as 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"};
}

}  // namespace maia::mysql
