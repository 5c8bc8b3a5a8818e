// SPDX-License-Identifier: Apache-2.0
// A transaction larger than memory, with a thousand savepoints of which half are rolled back, passes through
// the journal: little memory, small transactions flow on, and it lands as a whole.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "maia/testing/postgres_server.h"
#include "maia/testing/postgres_session.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using testing::PostgresServer;

constexpr int kSavepoints = 1000;
constexpr std::uint64_t kMebibyte = 1 << 20;

/// Sanitizers keep freed memory and shadow all of it, so what a process has resident says nothing there.
constexpr bool kMemoryCounts =
#ifdef __SANITIZE_ADDRESS__
    false;
#else
    true;
#endif

/// Rows of about 1 kB in each savepoint; every second savepoint is rolled back.
std::string large_insert(int rows) {
  return fmt::format(R"(
    do $$ begin
      for i in 1..{} loop
        begin
          insert into big select i * 1000000 + g, repeat(md5(g::text), 31) from generate_series(1, {}) g;
          if i % 2 = 0 then raise exception 'taken back'; end if;
        exception when raise_exception then null;
        end;
      end loop;
    end $$)",
                     kSavepoints, rows);
}

class LargeTransaction : public ::testing::Test {
 protected:
  static std::unique_ptr<PostgresServer> start() {
    auto server = PostgresServer::start();
    EXPECT_TRUE(server.ok()) << server.error().message;
    return std::move(*server);
  }
  void execute(const std::string& sql) {
    const auto done = source->execute(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  std::int64_t count(PostgresServer& server, const std::string& table) {
    const auto rows = server.query("select count(*) from " + table);
    if (!rows.ok() || rows->empty()) return -1;
    return std::stoll(rows->at(0).at(0).value_or("-1"));
  }
  /// Runs a pipeline of two tables, until a first row has come through.
  void mirror_two_tables(const std::string& decoding_memory) {
    execute(
        "create table big (id bigint primary key, payload text); create table small (id int primary key)");
    auto made =
        Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [big, small]\ndecoding_memory: {}\n",
                                 source->uri(), decoding_memory),
                     fmt::format("type: postgres\nurl: {}\n", destination->uri()));
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
    ASSERT_TRUE(mirror->start().ok());
    ASSERT_NO_FATAL_FAILURE(expect_flow(1));
  }
  /// A small transaction that arrives while the program runs.
  void expect_flow(int id) {
    execute(fmt::format("insert into small values ({})", id));
    while (count(*destination, "small") < id) {
      ASSERT_TRUE(mirror->running()) << mirror->log_tail();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  std::unique_ptr<PostgresServer> source = start();
  std::unique_ptr<PostgresServer> destination = start();
  std::optional<Mirror> mirror;
};

TEST_F(LargeTransaction, takes_little_memory_lets_small_ones_pass_and_lands_as_a_whole) {
  const int rows = long_run() ? 1000 : 60;  // 1 GB, or 60 MB
  const std::int64_t kept = std::int64_t{rows} * kSavepoints / 2;
  ASSERT_NO_FATAL_FAILURE(mirror_two_tables(long_run() ? "64MiB" : "1MiB"));

  auto session = testing::PostgresSession::open(source->uri());
  ASSERT_TRUE(session.ok()) << session.error().message;
  ASSERT_TRUE(session->execute("begin").ok());
  int small = 2;
  {
    std::jthread writer([&] {
      const auto written = session->execute(large_insert(rows));
      EXPECT_TRUE(written.ok()) << written.error().message;
    });
    for (; small < 20; ++small) ASSERT_NO_FATAL_FAILURE(expect_flow(small));
  }
  ASSERT_NO_FATAL_FAILURE(expect_flow(small));
  EXPECT_EQ(count(*destination, "big"), 0) << "nothing of a transaction that still runs may be seen";
  ASSERT_TRUE(session->execute("commit").ok());
  for (std::int64_t seen = 0; seen != kept; seen = count(*destination, "big")) {
    ASSERT_EQ(seen, 0) << "a part of the transaction was seen";
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ASSERT_NO_FATAL_FAILURE(expect_flow(small + 1));
  const auto sum = "select sum(hashtext(id || payload)::bigint) from big";
  EXPECT_EQ(source->query(sum)->at(0).at(0), destination->query(sum)->at(0).at(0));

  const auto peak = mirror->peak_memory();
  RecordProperty("peak_mebibytes", static_cast<int>(peak / kMebibyte));
  fmt::print("peak memory of maia: {} MiB for {} MB\n", peak / kMebibyte, rows);
  if (kMemoryCounts) {
    EXPECT_LT(peak, (long_run() ? 512 : 160) * kMebibyte);
  }
  EXPECT_EQ(mirror->stop(), 0);
}

TEST_F(LargeTransaction, is_written_while_it_runs_and_is_there_once_it_has_committed_or_never) {
  ASSERT_NO_FATAL_FAILURE(mirror_two_tables("1MiB"));
  auto session = testing::PostgresSession::open(source->uri());
  ASSERT_TRUE(session.ok()) << session.error().message;
  const auto insert = [&](int first) {
    const auto written = session->execute(
        fmt::format("insert into big select g, repeat(md5(g::text), 31) from generate_series({}, {}) g",
                    first, first + 29'999));
    ASSERT_TRUE(written.ok()) << written.error().message;
  };

  ASSERT_TRUE(session->execute("begin").ok());
  ASSERT_NO_FATAL_FAILURE(insert(1));
  // The server counts what was written and taken back, too.
  const auto written = [&] {
    const auto rows = destination->query("select n_tup_ins from pg_stat_user_tables where relname = 'big'");
    return rows.ok() && !rows->empty() && rows->at(0).at(0).value_or("0") != "0";
  };
  while (!written()) {
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    EXPECT_EQ(count(*destination, "big"), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ASSERT_TRUE(session->execute("rollback").ok());
  ASSERT_NO_FATAL_FAILURE(expect_flow(2));
  EXPECT_EQ(count(*destination, "big"), 0);

  ASSERT_TRUE(session->execute("begin").ok());
  ASSERT_NO_FATAL_FAILURE(insert(1));
  ASSERT_TRUE(session->execute("savepoint s").ok());
  ASSERT_NO_FATAL_FAILURE(insert(100'001));
  ASSERT_TRUE(session->execute("rollback to savepoint s").ok());
  ASSERT_NO_FATAL_FAILURE(insert(200'001));
  ASSERT_TRUE(session->execute("commit; begin").ok());
  ASSERT_NO_FATAL_FAILURE(insert(300'001));
  ASSERT_TRUE(session->execute("commit").ok());
  ASSERT_NO_FATAL_FAILURE(expect_flow(3));
  const auto sum = "select count(*), sum(hashtext(id || payload)::bigint) from big";
  EXPECT_EQ(source->query(sum)->at(0), destination->query(sum)->at(0));
  EXPECT_EQ(mirror->stop(), 0);
}

TEST_F(LargeTransaction, one_that_the_journal_may_not_hold_ends_the_program_and_is_named) {
  execute("create table big (id bigint primary key, payload bytea); create table small (id int primary key)");
  const auto file = [&](const std::string& max_bytes) {
    return fmt::format(
        "name: mirror\nsource: {{type: postgres, url: '{}', tables: [big, small], decoding_memory: 1MiB}}\n"
        "destination: {{type: postgres, url: '{}'}}\njournal: {{max_bytes: {}}}\n",
        source->uri(), destination->uri(), max_bytes);
  };
  auto made = Mirror::with_file(file("16MiB"));
  ASSERT_TRUE(made.ok()) << made.error().message;
  mirror.emplace(std::move(*made));
  ASSERT_TRUE(mirror->start().ok());
  ASSERT_NO_FATAL_FAILURE(expect_flow(1));
  auto session = testing::PostgresSession::open(source->uri());
  ASSERT_TRUE(session.ok()) << session.error().message;
  ASSERT_TRUE(session->execute("begin").ok());
  const auto written = session->execute(
      "insert into big select g, (select string_agg(sha512((g * 100 + i)::text::bytea), '') "
      "from generate_series(1, 16) i) from generate_series(1, 32000) g");
  ASSERT_TRUE(written.ok()) << written.error().message;
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (mirror->running() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(mirror->running()) << mirror->log_tail();
  EXPECT_THAT(mirror->log_tail(), ::testing::HasSubstr("has no room for transaction"));
  EXPECT_THAT(mirror->log_tail(), ::testing::HasSubstr("raise journal: max_bytes"));
  mirror->kill9();
  ASSERT_TRUE(session->execute("commit").ok());
  mirror->write(file("256MiB"));
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  EXPECT_EQ(count(*destination, "big"), 32000);
}

}  // namespace
}  // namespace maia::tests
