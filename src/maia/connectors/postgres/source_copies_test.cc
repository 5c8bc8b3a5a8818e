// SPDX-License-Identifier: Apache-2.0
// Other servers under the same name: older copies, promoted standbys, strangers.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "maia/connectors/postgres/source_fixture.h"
#include "maia/testing/child_process.h"
#include "maia/testing/temporary_directory.h"

namespace maia::postgres {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Steady = std::chrono::steady_clock;

void copy_tree(const fs::path& from, const fs::path& to) {
  must(testing::ChildProcess::run({"cp", "-a", from.string(), to.string()}));
}

std::string content(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class SourceCopiesTest : public SourceTest {
 protected:
  void run() {
    sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    open();
    begin();
    snapshot_.reset();
    pass(2);
  }
  /// A heartbeat and a row, both read.
  void pass(int id) {
    must(source_->heartbeat());
    sql("INSERT INTO t VALUES (" + std::to_string(id) + ")");
    catch_up();
  }
  Error refused(PostgresSource& source) {
    const auto prepared = again([&] { return source.prepare(replica_.position()); });
    EXPECT_FALSE(prepared.ok());
    return prepared.ok() ? Error{} : prepared.error();
  }
  void expect_lost(const Error& error, std::string_view reason, const std::string& what) {
    EXPECT_EQ(error.code, Error::Code::lost_history) << error.message;
    EXPECT_EQ(error.reason, reason) << error.message;
    EXPECT_THAT(error.message, HasSubstr(what));
  }

  /// Ends the stream first: a server that shuts down waits until its readers have everything.
  void stop_source() {
    stream_.reset();
    must(own_->stop());
  }
  /// Stops the server, and puts another data directory in the place of its own.
  void replace_data(const fs::path& by) {
    stop_source();
    fs::remove_all(own_->data_directory());
    copy_tree(by, own_->data_directory());
    must(own_->restart());
  }

  /// A standby of the own server as a base backup makes it: without slots.
  void make_standby(const std::string& more = {}) {
    testing::PostgresServer::Options options;
    options.version = version();
    standby_ = must(testing::PostgresServer::start(options));
    must(standby_->stop());
    const auto data = standby_->data_directory();
    const auto settings = content(data / "maia.conf");
    stop_source();
    fs::remove_all(data);
    copy_tree(own_->data_directory(), data);
    must(own_->restart());
    for (const auto& slot : fs::directory_iterator(data / "pg_replslot")) fs::remove_all(slot.path());
    std::ofstream(data / "maia.conf")
        << settings << "primary_conninfo = 'host=127.0.0.1 port=" << own_->port()
        << " user=postgres dbname=postgres'\n"
        << more;
    std::ofstream(data / "standby.signal") << "";
    must(standby_->restart());
  }
  void await_replay() {
    const auto lsn = value("SELECT pg_current_wal_insert_lsn()");
    await_standby("SELECT pg_last_wal_replay_lsn() >= '" + lsn + "'");
  }
  void await_standby(const std::string& condition) {
    const auto until = Steady::now() + std::chrono::seconds(60);
    for (;;) {
      const auto rows = standby_->query(condition);
      if (rows.ok() && !rows->empty() && (*rows)[0][0] == "t") return;
      ASSERT_LT(Steady::now(), until) << condition << standby_->log_tail();
    }
  }
  PostgresSource on_standby() {
    auto with = config();
    with.connection.port = static_cast<std::uint16_t>(standby_->port());
    return PostgresSource(with, "p_" + database_);
  }

  testing::TemporaryDirectory directory_ = must(testing::TemporaryDirectory::make());
  std::unique_ptr<testing::PostgresServer> standby_;
};

TEST_F(SourceCopiesTest, a_cold_copy_from_before_our_position) {
  use_own();
  run();
  stop_source();
  copy_tree(own_->data_directory(), directory_ / "copy");
  must(own_->restart());
  reconnect();
  sql("INSERT INTO t SELECT generate_series(100, 20000)");
  pass(3);
  stream_.reset();
  replace_data(directory_ / "copy");
  expect_lost(refused(*source_), "source_restored", "log ends at");
}

TEST_F(SourceCopiesTest, a_cold_copy_whose_log_has_grown_past_our_position_with_other_changes) {
  use_own();
  run();
  stop_source();
  copy_tree(own_->data_directory(), directory_ / "copy");
  must(own_->restart());
  reconnect();
  pass(3);
  replace_data(directory_ / "copy");
  sql("INSERT INTO t SELECT generate_series(100, 20000)");
  const auto place = must(LogPlace::parse(replica_.position()));
  ASSERT_EQ(value("SELECT pg_current_wal_flush_lsn() > '" + to_string(place.lsn) + "'"), "t");
  expect_lost(refused(*source_), "source_restored", "has gone back in time");
  const auto streamed = again([&] { return source_->stream(replica_.position(), schemas()); });
  ASSERT_FALSE(streamed.ok());
  expect_lost(streamed.error(), "source_restored", "has gone back in time");
}

TEST_F(SourceCopiesTest, another_server_behind_the_same_name) {
  use_own();
  run();
  testing::PostgresServer::Options options;
  options.version = version();
  options.initdb_arguments = {"--data-checksums"};
  const auto other = must(testing::PostgresServer::start(options));
  must(other->execute("CREATE DATABASE " + database_));
  auto with = config();
  with.connection.port = static_cast<std::uint16_t>(other->port());
  PostgresSource source(with, "p_" + database_);
  expect_lost(refused(source), "other_server", "is another database system");
}

TEST_F(SourceCopiesTest, a_promoted_standby_without_the_slot) {
  use_own();
  run();
  make_standby();
  reconnect();
  pass(3);
  await_replay();
  must(own_->kill9());
  must(standby_->execute("SELECT pg_promote()"));
  auto source = on_standby();
  const auto error = refused(source);
  expect_lost(error, "slot_dropped", "was a standby that has been promoted");
}

TEST_F(SourceCopiesTest, a_promoted_standby_that_had_not_received_what_we_have_read) {
  use_own();
  run();
  make_standby();
  reconnect();
  await_replay();
  must(standby_->stop());
  pass(3);
  must(own_->kill9());
  must(standby_->restart());
  must(standby_->execute("SELECT pg_promote()"));
  auto source = on_standby();
  expect_lost(refused(source), "history_parted", "we had read timeline 1 up to there");
}

class FailoverSlotTest : public SourceCopiesTest {
  int version() const override { return 17; }
};

TEST_F(FailoverSlotTest, a_promoted_standby_that_has_synchronized_the_slot_goes_on_without_loss) {
  use_own();
  must(own_->execute("SELECT pg_create_physical_replication_slot('standby', true)"));
  run();
  make_standby("primary_slot_name = 'standby'\nhot_standby_feedback = on\nsync_replication_slots = on\n");
  must(own_->execute(
      "SELECT pg_create_physical_replication_slot('standby', true) WHERE NOT EXISTS (SELECT FROM "
      "pg_replication_slots WHERE slot_name = 'standby')"));
  reconnect();
  pass(3);
  must(stream_->confirm(replica_.position()));
  // What moves the slot, and with it what the standby may take over.
  const auto until = Steady::now() + std::chrono::seconds(60);
  for (int id = 4;; ++id) {
    ASSERT_LT(Steady::now(), until) << standby_->log_tail();
    pass(id);
    must(stream_->confirm(replica_.position()));
    const auto rows =
        must(standby_->query("SELECT synced AND NOT temporary FROM pg_replication_slots "
                             "WHERE slot_name LIKE 'maia%'"));
    if (!rows.empty() && rows[0][0] == "t") break;
  }
  sql("INSERT INTO t VALUES (1000000)");
  await_replay();
  stream_.reset();
  must(own_->kill9());
  must(standby_->execute("SELECT pg_promote()"));
  auto with = config();
  with.connection.port = static_cast<std::uint16_t>(standby_->port());
  server_ = standby_.get();
  open(with);
  must(source_->prepare(replica_.position()));
  follow(replica_.position());
  sql("INSERT INTO t VALUES (1000001)");
  catch_up();
  expect_equal();
  stream_.reset();
  source_.reset();
}

}  // namespace
}  // namespace maia::postgres
