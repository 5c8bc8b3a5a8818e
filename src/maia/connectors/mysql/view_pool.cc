// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <mysqld_error.h>

#include <algorithm>

#include "maia/connectors/mysql/snapshot.h"
#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

constexpr int kLockSeconds = 3;
constexpr std::string_view kBegin = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

/// Where the view of this very session lies in MariaDB's log.
Result<LogPlace> read_place_of_view(Connection& session) {
  const auto status = MAIA_TRY(session.query("SHOW STATUS LIKE 'binlog_snapshot_%'"));
  std::string file, offset;
  for (std::size_t r = 0; r < status.size(); ++r) {
    if (status.str(r, 0) == "Binlog_snapshot_file") file = status.str(r, 1);
    if (status.str(r, 0) == "Binlog_snapshot_position") offset = status.str(r, 1);
  }
  const auto quoted = MAIA_TRY(sql::mysql_literal(file));
  const auto rows = MAIA_TRY(
      session.query(fmt::format("SELECT BINLOG_GTID_POS({}, {})", quoted, offset.empty() ? "0" : offset)));
  if (file.empty() || rows.is_null(0, 0)) {
    return Error{Error::Code::check_failed, Recovery::halt,
                 "the server does not tell where a snapshot of it lies",
                 "switch the binary log on (log_bin)"};
  }
  return LogPlace::parse(true, rows.str(0, 0));
}

/// What has committed, and at MySQL what is about to: a transaction is shown to others a moment before it
/// counts as executed. Nothing may be on its way where a view begins.
struct Moment {
  LogPlace place;
  bool quiet = true;
};
Result<Moment> read_moment(Connection& session) {
  if (session.server().mariadb) return Moment{MAIA_TRY(read_place_of_view(session)), true};
  // In this order, so that one that is on its way now is found in one of both.
  const auto owned = MAIA_TRY(session.query("SELECT @@global.gtid_owned"));
  return Moment{MAIA_TRY(read_end(session)), owned.str(0, 0).empty()};
}

}  // namespace

Result<LogPlace> read_end(Connection& connection) {
  const bool mariadb = connection.server().mariadb;
  const auto rows = MAIA_TRY(
      connection.query(mariadb ? "SELECT @@global.gtid_binlog_pos" : "SELECT @@global.gtid_executed"));
  return LogPlace::parse(mariadb, rows.str(0, 0));
}

ViewPool::Turn::Turn(ViewPool& pool) : pool_(pool) {
  std::unique_lock lock(pool.mutex_);
  pool.returned_.wait(lock, [&] { return !pool.sessions_.empty(); });
  session_ = std::move(pool.sessions_.back());
  pool.sessions_.pop_back();
}

ViewPool::Turn::~Turn() {
  {
    const std::lock_guard lock(pool_.mutex_);
    pool_.sessions_.push_back(std::move(session_));
  }
  pool_.returned_.notify_one();
}

Result<std::shared_ptr<ViewPool>> ViewPool::open(const SnapshotTerms& terms) {
  auto pool = std::make_shared<ViewPool>();
  for (std::size_t i = 0; i < terms.sessions; ++i) {
    pool->sessions_.push_back(MAIA_TRY(Connection::open(terms.connect)));
    MAIA_TRY(pool->sessions_.back()->run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
  }
  const auto image = MAIA_TRY(pool->sessions_.front()->query("SELECT @@global.binlog_row_image"));
  pool->full_images_ = image.str(0, 0) == "FULL";
  if (!MAIA_TRY(pool->begin_at_quiet_moment(terms.quiet_tries))) MAIA_TRY(pool->begin_under_locks(terms));
  return pool;
}

Status ViewPool::begin_views() {
  for (auto& session : sessions_) MAIA_TRY(session->run(kBegin));
  return {};
}

Result<bool> ViewPool::begin_at_quiet_moment(int tries) {
  auto& first = *sessions_.front();
  for (; tries > 0; --tries) {
    // At MariaDB each view knows its own place; at MySQL nobody does, so nothing may have moved meanwhile.
    std::optional<Moment> before;
    if (!first.server().mariadb) before = MAIA_TRY(read_moment(first));
    MAIA_TRY(begin_views());
    const auto after = MAIA_TRY(read_moment(first));
    bool same = after.quiet && (!before || (before->quiet && before->place == after.place));
    for (std::size_t i = 1; same && first.server().mariadb && i < sessions_.size(); ++i)
      same = MAIA_TRY(read_place_of_view(*sessions_[i])) == after.place;
    if (same) {
      place_ = after.place;
      return true;
    }
  }
  return false;
}

Status ViewPool::begin_under_locks(const SnapshotTerms& terms) {
  const auto locker = MAIA_TRY(Connection::open(terms.connect));
  std::string tables;
  for (const auto& table : terms.tables) {
    const auto name = MAIA_TRY(sql_table(table));
    tables += fmt::format("{}{} READ", tables.empty() ? "" : ", ", name);
  }
  // While it waits for a writer, every later one waits behind it.
  MAIA_TRY(locker->run(fmt::format("SET SESSION lock_wait_timeout = {}", kLockSeconds)));
  auto locked = tables.empty() ? Status() : locker->run("LOCK TABLES " + tables);
  if (!locked.ok()) {
    if (sessions_.front()->server().mariadb) return begin_one_exact();
    const bool waited = locker->last_error() == ER_LOCK_WAIT_TIMEOUT;
    auto error = std::move(locked).error();
    error.hint =
        waited ? "a transaction that has written to a table stays open; the snapshot begins when it ends"
               : "the server is never quiet for long enough to begin a snapshot; let the user lock "
                 "the tables for a moment: GRANT LOCK TABLES ON *.* TO CURRENT_USER()";
    return error;
  }
  MAIA_TRY(begin_views());
  // Whoever had written to our tables has committed, or LOCK TABLES would still wait. Others may go on.
  place_ = sessions_.front()->server().mariadb ? MAIA_TRY(read_place_of_view(*sessions_.front()))
                                               : MAIA_TRY(read_end(*sessions_.front()));
  return locker->run("UNLOCK TABLES");
}

Status ViewPool::begin_one_exact() {
  sessions_.resize(1);
  MAIA_TRY(begin_views());
  place_ = MAIA_TRY(read_place_of_view(*sessions_.front()));
  return {};
}

}  // namespace maia::mysql
