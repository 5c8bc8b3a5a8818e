// SPDX-License-Identifier: Apache-2.0
// Whatever keeps the server from giving all that follows our position is a named stop: at a start, and under
// a running stream.
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

using ::testing::HasSubstr;
using Steady = std::chrono::steady_clock;

class SourceHistoryTest : public SourceTest {
 protected:
  void run() {
    sql("CREATE TABLE t (id int PRIMARY KEY, a text, b text); INSERT INTO t VALUES (1, 'a', 'b')");
    sql("CREATE TABLE u (id int PRIMARY KEY)");
    open();
    begin();
    snapshot_.reset();
    must(source_->heartbeat());
    sql("INSERT INTO t VALUES (2)");
    catch_up();
  }
  void stop() {
    stream_.reset();
    const auto until = Steady::now() + std::chrono::seconds(20);
    while (value("SELECT active FROM pg_replication_slots WHERE slot_name = '" + name() + "'") == "t") {
      ASSERT_LT(Steady::now(), until);
    }
  }
  /// Of slot and publication.
  std::string name() { return name_for_pipeline("p_" + database_); }
  void end_walsender() {
    sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '" + name() +
        "' AND active");
  }
  /// Ends the session that reads the slot, and acts on the slot as soon as nobody reads it.
  void act_on_slot(const std::string& statement) {
    end_walsender();
    const auto until = Steady::now() + std::chrono::seconds(20);
    while (!server_->execute(statement, database_).ok()) ASSERT_LT(Steady::now(), until);
  }

  /// What a start says.
  Error at_start() {
    stream_.reset();
    const auto prepared = source_->prepare(replica_.position());
    EXPECT_FALSE(prepared.ok());
    return prepared.ok() ? Error{} : prepared.error();
  }
  /// What a running stream comes to say, reconnecting as the engine does; no later than 10 seconds.
  Error while_running() {
    const auto until = Steady::now() + std::chrono::seconds(10);
    while (Steady::now() < until) {
      if (!stream_) {
        auto again = source_->stream(replica_.position(), schemas());
        if (again.ok()) {
          stream_ = *std::move(again);
        } else if (again.error().recovery == Recovery::halt) {
          return again.error();
        }
        continue;
      }
      auto event = stream_->next(std::chrono::milliseconds(200), {});
      if (event.ok()) {
        if (*event) replica_.apply(std::move(**event));
      } else if (event.error().recovery == Recovery::halt) {
        return event.error();
      } else {
        stream_.reset();
        replica_.forget_running();
      }
    }
    ADD_FAILURE() << "nothing was said within 10 seconds";
    return {};
  }
  void expect_lost(const Error& error, std::string_view reason, const std::string& what) {
    EXPECT_EQ(error.code, Error::Code::lost_history) << error.message;
    EXPECT_EQ(error.reason, reason) << error.message;
    EXPECT_THAT(error.message, HasSubstr(what));
    EXPECT_THAT(error.hint, HasSubstr("either copy the tables again"));
    EXPECT_THAT(error.hint, HasSubstr("and run again"));
  }
};

TEST_F(SourceHistoryTest, a_slot_that_is_dropped_under_a_running_stream) {
  run();
  act_on_slot("SELECT pg_drop_replication_slot('" + name() + "')");
  expect_lost(while_running(), "slot_dropped", "does not exist any more");
}

TEST_F(SourceHistoryTest, a_slot_that_is_made_again_under_a_running_stream) {
  run();
  act_on_slot("SELECT pg_drop_replication_slot('" + name() + "')");
  sql("INSERT INTO t VALUES (3)");
  sql("SELECT pg_create_logical_replication_slot('" + name() + "', 'pgoutput')");
  expect_lost(while_running(), "slot_recreated", "was dropped and made again");
}

TEST_F(SourceHistoryTest, a_slot_that_is_advanced_under_a_running_stream) {
  run();
  sql("BEGIN; INSERT INTO t VALUES (3); COMMIT");
  act_on_slot("SELECT pg_replication_slot_advance('" + name() + "', pg_current_wal_lsn())");
  // Which of the two it was cannot always be told.
  const auto error = while_running();
  EXPECT_THAT(std::string(error.reason), ::testing::AnyOf("slot_advanced", "slot_recreated"));
  expect_lost(error, error.reason, "advanced");
}

TEST_F(SourceHistoryTest, a_slot_that_falls_too_far_behind_under_a_running_stream) {
  use_own({.settings = {{"max_slot_wal_keep_size", "1MB"},
                        {"min_wal_size", "32MB"},
                        {"max_wal_size", "32MB"},
                        {"wal_keep_size", "0"}}});
  run();
  // Nobody reads meanwhile.
  for (int i = 0; i < 5; ++i) {
    sql("CREATE TABLE junk AS SELECT repeat('x', 1000) FROM generate_series(1, 10000); DROP TABLE junk");
    sql("SELECT pg_switch_wal()");
    must(server_->execute("CHECKPOINT", database_));
  }
  expect_lost(while_running(), "slot_invalidated", "max_slot_wal_keep_size");
}

TEST_F(SourceHistoryTest, a_publication_that_is_dropped_under_a_running_stream) {
  run();
  sql("DROP PUBLICATION " + name());
  expect_lost(while_running(), "publication_dropped", "was dropped");
  expect_lost(at_start(), "publication_dropped", "was dropped");
  sql("CREATE PUBLICATION " + name() + " FOR TABLE t, u WITH (publish_via_partition_root)");
  expect_lost(at_start(), "publication_dropped", "was dropped and made again");
}

TEST_F(SourceHistoryTest, a_publication_that_is_dropped_before_a_change_is_named_too) {
  run();
  sql("DROP PUBLICATION " + name());
  sql("INSERT INTO t VALUES (3)");
  expect_lost(while_running(), "publication_dropped", "was dropped");
}

TEST_F(SourceHistoryTest, a_table_that_leaves_the_publication_under_a_running_stream) {
  run();
  sql("ALTER PUBLICATION " + name() + " DROP TABLE t");
  expect_lost(while_running(), "publication_changed", "public.t (it was taken out)");
  sql("INSERT INTO t VALUES (3); ALTER PUBLICATION " + name() + " ADD TABLE ONLY t");
  expect_lost(at_start(), "publication_changed", "public.t (it was taken out and put back)");
}

TEST_F(SourceHistoryTest, what_is_changed_and_changed_back_while_nobody_reads_is_seen) {
  run();
  stop();
  const auto publication = "ALTER PUBLICATION " + name();
  sql(publication + " DROP TABLE u; " + publication + " ADD TABLE ONLY u");
  expect_lost(at_start(), "publication_changed", "public.u (it was taken out and put back)");
  sql("UPDATE maia.heartbeat SET publication = ''");
  must(source_->prepare(replica_.position()));
  sql(publication + " SET (publish = 'insert'); " + publication +
      " SET (publish = 'insert, update, delete, truncate')");
  expect_lost(at_start(), "publication_changed", "altered and altered back");
}

TEST_F(SourceHistoryTest, column_lists_row_filters_and_options_are_part_of_what_is_sent) {
  run();
  const auto publication = "ALTER PUBLICATION " + name();
  sql(publication + " SET TABLE ONLY t (id, a), ONLY u");
  expect_lost(while_running(), "publication_changed", "public.t (its column list was changed)");
  sql(publication + " SET TABLE ONLY t WHERE (id > 7), ONLY u");
  expect_lost(at_start(), "publication_changed", "public.t (its row filter was changed)");
  sql(publication + " SET TABLE ONLY t, ONLY u; UPDATE maia.heartbeat SET publication = ''");
  must(source_->prepare(replica_.position()));
  follow(replica_.position());
  sql(publication + " SET (publish = 'insert, update')");
  expect_lost(while_running(), "publication_changed", "what it publishes is not what it was");
}

TEST_F(SourceHistoryTest, tables_that_come_and_tables_that_are_dropped_are_no_loss) {
  run();
  sql("CREATE TABLE v (id int PRIMARY KEY); ALTER PUBLICATION " + name() + " ADD TABLE v; DROP TABLE u");
  const auto seen = [&] {
    return value("SELECT publication LIKE '%\tv\n%' AND publication NOT LIKE '%\tu\n%' FROM maia.heartbeat");
  };
  const auto until = Steady::now() + std::chrono::seconds(20);
  while (seen() != "t") {
    ASSERT_LT(Steady::now(), until);
    if (auto event = must(stream_->next(std::chrono::milliseconds(100), {})))
      replica_.apply(std::move(*event));
  }
  stop();
  must(source_->prepare(replica_.position()));
}

TEST_F(SourceHistoryTest, a_table_that_is_no_longer_selected_is_no_loss) {
  run();
  stop();
  auto without = config();
  without.tables = {"t"};
  open(without);
  must(source_->prepare(replica_.position()));
  follow(replica_.position());
}

TEST_F(SourceHistoryTest, positions_carry_the_heartbeat_that_came_before_them) {
  run();
  const auto first = must(LogPlace::parse(replica_.position())).beat;
  EXPECT_EQ(first.text(), value("SELECT beat || '-' || nonce FROM maia.heartbeat"));
  must(source_->heartbeat());
  catch_up();
  EXPECT_EQ(must(LogPlace::parse(replica_.position())).beat.number, first.number + 1);
  stop();
  must(source_->prepare(replica_.position()));
  follow(replica_.position());
  sql("INSERT INTO t VALUES (3)");
  catch_up();
  EXPECT_EQ(must(LogPlace::parse(replica_.position())).beat.number, first.number + 1);
}

TEST_F(SourceHistoryTest, a_heartbeat_row_that_goes_back_stops_a_start_and_a_running_stream) {
  run();
  const auto nonce = value("SELECT nonce FROM maia.heartbeat");
  sql("UPDATE maia.heartbeat SET beat = beat - 1");
  const auto beat = source_->heartbeat();
  ASSERT_FALSE(beat.ok());
  expect_lost(beat.error(), "source_restored", "has gone back in time");
  stop();
  expect_lost(at_start(), "source_restored", "has gone back in time");
  sql("UPDATE maia.heartbeat SET beat = beat + 1, nonce = '00000000'");
  expect_lost(at_start(), "source_restored", "has gone back in time");
  sql("DELETE FROM maia.heartbeat");
  const auto gone = at_start();
  expect_lost(gone, "source_restored", "is gone from maia.heartbeat");
  // The hint has the statement that puts it back.
  const auto insert = gone.hint.find("INSERT INTO");
  ASSERT_NE(insert, std::string::npos) << gone.hint;
  sql(gone.hint.substr(insert, gone.hint.find(';', insert) - insert));
  EXPECT_EQ(value("SELECT nonce FROM maia.heartbeat"), nonce);
  must(source_->prepare(replica_.position()));
}

TEST_F(SourceHistoryTest, a_source_that_may_not_be_written_to_is_read_without_heartbeat) {
  sql("CREATE TABLE t (id int PRIMARY KEY); CREATE ROLE quiet LOGIN REPLICATION; GRANT SELECT ON t TO quiet");
  sql("CREATE PUBLICATION pub FOR TABLE t WITH (publish_via_partition_root)");
  auto with = config();
  with.connection.user = "quiet";
  with.publication = "pub";
  open(with);
  begin();
  must(source_->heartbeat());
  catch_up();
  EXPECT_EQ(value("SELECT to_regclass('maia.heartbeat')"), "");
  EXPECT_EQ(must(LogPlace::parse(replica_.position())).beat.number, 0U);
  snapshot_.reset();
  stop();
  const auto findings = must(source_->check());
  const auto told = std::ranges::find_if(
      findings, [](const Finding& each) { return each.what.find("no heartbeat") != std::string::npos; });
  ASSERT_NE(told, findings.end());
  EXPECT_EQ(told->level, Finding::Level::warning);
  // What it asks for is enough.
  sql(told->fix);
  must(source_->prepare(replica_.position()));
  follow(replica_.position());
  must(source_->heartbeat());
  catch_up();
  EXPECT_GT(must(LogPlace::parse(replica_.position())).beat.number, 0U);
  source_.reset();
  stop();
  sql("DROP OWNED BY quiet; DROP ROLE quiet");
}

TEST_F(SourceHistoryTest, capture_begins_anew_after_each_loss) {
  run();
  act_on_slot("SELECT pg_drop_replication_slot('" + name() + "')");
  sql("INSERT INTO t VALUES (3); ALTER PUBLICATION " + name() + " DROP TABLE t");
  stream_.reset();
  expect_lost(at_start(), "slot_dropped", "does not exist");
  const auto anew = must(source_->begin_anew());
  EXPECT_TRUE(anew.created);
  snapshot_ = must(source_->snapshot());
  EXPECT_EQ(snapshot_->position(), anew.from);
  replica_ = {};
  for (const auto& table : schemas()) {
    replica_.table(table);
    read(table, must(snapshot_->plan(table, {})));
  }
  snapshot_.reset();
  replica_.set_position(anew.from);
  follow(anew.from);
  sql("INSERT INTO t VALUES (4)");
  catch_up();
  expect_equal();
}

TEST_F(SourceHistoryTest, a_slot_that_stays_in_use_is_given_up_and_left_alone) {
  use_own({.settings = {{"wal_sender_timeout", "5s"}}});
  run();
  PostgresSource second(config(), "p_" + database_);
  std::jthread reader([&](const std::stop_token& done) {
    while (!done.stop_requested()) static_cast<void>(stream_->next(std::chrono::milliseconds(50), done));
  });
  Error error;
  while (error.recovery != Recovery::halt || error.code == Error::Code::internal) {
    const auto refused = second.stream(replica_.position(), schemas());
    ASSERT_FALSE(refused.ok());
    error = refused.error();
    ASSERT_EQ(error.code, Error::Code::unavailable) << error.message;
  }
  reader.request_stop();
  reader.join();
  const auto pid = value("SELECT active_pid FROM pg_replication_slots WHERE slot_name = '" + name() + "'");
  EXPECT_THAT(error.message,
              HasSubstr("server process " + pid + " (maia p_" + database_ + " from 127.0.0.1"));
  EXPECT_THAT(error.message, HasSubstr("still after"));
}

TEST_F(SourceHistoryTest, where_a_stream_begins_is_not_thereby_confirmed) {
  run();
  const auto confirmed = [&] {
    return value("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '" + name() + "'");
  };
  const auto before = confirmed();
  stop();
  // As when the journal is ahead of the destination.
  follow(replica_.position());
  sql("INSERT INTO t VALUES (3)");
  catch_up();
  stop();
  EXPECT_EQ(confirmed(), before);
}

class IdleSlotTest : public SourceHistoryTest {
  int version() const override { return 18; }
};

TEST_F(IdleSlotTest, a_slot_that_nobody_read_for_too_long) {
  use_own({.settings = {{"idle_replication_slot_timeout", "1s"}}});
  run();
  stop();
  const auto until = Steady::now() + std::chrono::seconds(60);
  while (value("SELECT invalidation_reason FROM pg_replication_slots WHERE slot_name = '" + name() + "'")
             .empty()) {
    ASSERT_LT(Steady::now(), until);
    sql("CHECKPOINT");
  }
  expect_lost(at_start(), "slot_invalidated", "idle_replication_slot_timeout");
}

}  // namespace
}  // namespace maia::postgres
