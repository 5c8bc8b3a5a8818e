// SPDX-License-Identifier: Apache-2.0
// What an operator does to one table or one destination of a running pipeline, and what one of them may do to
// the others: nothing. Nothing is lost, doubled or touched that need not be, whatever is killed meanwhile.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <thread>

#include "ledger_check.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr int kCoins = 200;
constexpr std::chrono::minutes kLongest{3};

class TableControl : public ::testing::Test {
 protected:
  void SetUp() override {
    for (auto* server : {&source, &destination}) {
      auto started = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
      ASSERT_TRUE(started.ok()) << started.error().message;
      *server = std::move(*started);
    }
  }
  void pipeline(const std::string& tables, const std::string& more = {}) {
    auto made = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [{}]\n", source->uri(), tables),
                             fmt::format("type: postgres\nurl: {}\n", destination->uri()), more);
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
  }
  void start() { ASSERT_TRUE(mirror->start().ok()); }
  void at_source(std::string_view sql) {
    const auto done = source->execute(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  void at_destination(std::string_view sql) {
    const auto done = destination->execute(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  std::string value(testing::PostgresServer& server, std::string_view sql) {
    const auto rows = server.query(sql);
    return rows.ok() && !rows->empty() ? (*rows)[0][0].value_or("NULL") : "nothing";
  }
  /// Until the query's first value at the server is the expected one.
  void await_value(testing::PostgresServer& server, std::string_view sql, const std::string& expected) {
    const auto end = std::chrono::steady_clock::now() + kLongest;
    while (value(server, sql) != expected) {
      ASSERT_LT(std::chrono::steady_clock::now(), end)
          << sql << " is " << value(server, sql) << ", not " << expected << "\n"
          << mirror->log_tail();
      std::this_thread::sleep_for(milliseconds(50));
    }
  }
  Result<std::string> ask(std::vector<std::string> words, int expected = 0) {
    words.insert(words.end(), {"--state", mirror->state()});
    return mirror->command(words, expected);
  }
  void must(const std::vector<std::string>& words) {
    const auto end = std::chrono::steady_clock::now() + kLongest;
    for (;;) {
      const auto done = ask(words);
      if (done.ok()) return;
      ASSERT_LT(std::chrono::steady_clock::now(), end) << done.error().message << mirror->log_tail();
      std::this_thread::sleep_for(milliseconds(100));
    }
  }
  void await_status(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + kLongest;
    for (;;) {
      const auto status = ask({"status"});
      if (status.ok() && status->find(text) != status->npos) return;
      ASSERT_LT(std::chrono::steady_clock::now(), end)
          << text << " is not in " << (status.ok() ? *status : status.error().message) << mirror->log_tail();
      std::this_thread::sleep_for(milliseconds(100));
    }
  }

  /// Until nothing rests any more; what does not rest refuses to be resumed.
  void resume_everything() {
    const auto end = std::chrono::steady_clock::now() + kLongest;
    for (;;) {
      static_cast<void>(ask({"resume"}).ok());
      static_cast<void>(ask({"resume", "--table", "*"}).ok());
      const auto status = ask({"status"});
      if (status.ok() && status->find("paused") == status->npos && status->find("opening") == status->npos)
        return;
      ASSERT_LT(std::chrono::steady_clock::now(), end) << mirror->log_tail();
      std::this_thread::sleep_for(milliseconds(100));
    }
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::PostgresServer> destination;
  std::optional<Mirror> mirror;
  std::mt19937 random{20261125};
};

TEST_F(TableControl, a_table_that_its_destination_refuses_is_set_aside_and_loses_nothing) {
  at_source(
      "create table good (id int primary key, v text); create table bad (id int primary key, v text);"
      "insert into good select i, 'x' from generate_series(1, 100) i; insert into bad select * from good");
  pipeline("good, bad");
  start();
  await_value(*destination, "select count(*) from bad", "100");
  await_status("streaming");
  // Somebody alters the table by hand; no row of it can be written any more.
  at_destination("alter table bad drop column v");
  at_source("begin; insert into good values (1000, 'y'); insert into bad values (1000, 'y'); commit");
  await_status("quarantined");
  await_value(*destination, "select count(*) from good", "101");
  at_source(
      "insert into bad select i, 'z' from generate_series(2000, 2100) i; update bad set id = -id where id < "
      "10;"
      "insert into good values (1001, 'y')");
  await_value(*destination, "select count(*) from good", "102");
  mirror->kill9();
  start();
  // A run that ends by itself says what it leaves behind.
  await_status("quarantined");
  mirror->kill9();
  const auto left = mirror->catch_up();
  ASSERT_FALSE(left.ok());
  EXPECT_THAT(left.error().message, HasSubstr("ended with 1"));
  EXPECT_THAT(left.error().message, HasSubstr("quarantined: public.bad"));
  start();
  at_destination("alter table bad add column v text");
  must({"resume", "--table", "bad"});
  await_value(*destination, "select count(*) from bad", "202");
  // What it had is without the values that went with the column; they come with a resync.
  must({"resync", "bad"});
  const std::string sum = "select md5(string_agg(id || '|' || v, ',' order by id)) from bad";
  await_value(*destination, sum, value(*source, sum));
  EXPECT_EQ(mirror->stop(), 0);
  const auto caught_up = mirror->catch_up();
  EXPECT_TRUE(caught_up.ok()) << caught_up.error().message;
}

TEST_F(TableControl, a_resync_of_some_rows_mends_these_and_touches_nothing_else) {
  at_source(
      "create table t (id int primary key, v text, big text);"
      "insert into t select i, 'v' || i, repeat('x', 3000) from generate_series(1, 2000) i");
  pipeline("t");
  start();
  await_value(*destination, "select count(*) from t", "2000");
  await_status("streaming");
  at_destination(
      "update t set v = 'damaged' where id in (15, 500); delete from t where id = 12;"
      "insert into t values (-5, 'never there', '')");
  const std::string others =
      "select md5(string_agg(id || '|' || xmin::text || ctid::text, ',' order by id)) from t "
      "where id not in (12, 15)";
  const auto before = value(*destination, others);
  must({"resync", "t", "--rows", "id >= 10 and id < 20"});
  await_value(*destination, "select string_agg(v, ',' order by id) from t where id in (12, 15)", "v12,v15");
  EXPECT_EQ(value(*destination, others), before);
  const auto refused = ask({"resync", "t", "--rows", "v = 'damaged'"}, 2);
  ASSERT_TRUE(refused.ok()) << refused.error().message;
  EXPECT_THAT(*refused, HasSubstr("not a key column"));
  EXPECT_EQ(mirror->stop(), 0);
}

TEST_F(TableControl, pause_resume_and_resync_under_writers_with_kills_stay_exact) {
  testing::LedgerWorkload::Options options;
  options.uri = source->uri();
  options.coins = kCoins;
  options.opening_transactions = 3'000;
  options.pause = milliseconds(5);
  const auto prepared = testing::LedgerWorkload::prepare(options);
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  pipeline("ledger, acct, coin");
  testing::LedgerWorkload workload(options);
  workload.start();
  start();
  const std::string tables[] = {"ledger", "acct", "coin", "*"};
  const int rounds = long_run() ? 100 : 14;
  for (int round = 0; round < rounds; ++round) {
    const auto& table = tables[random() % 4];
    // Between start and open nobody answers; what is refused now is as good as not asked for.
    switch (random() % 5) {
      case 0: static_cast<void>(ask({"pause", "--table", table}).ok()); break;
      case 1: static_cast<void>(ask({"resume", "--table", table}).ok()); break;
      case 2: static_cast<void>(ask({"resync", table}).ok()); break;
      case 3: static_cast<void>(ask({"resync", "coin", "--rows", "id >= 50 and id < 150"}).ok()); break;
      default: static_cast<void>(ask({random() % 2 == 0 ? "pause" : "resume"}).ok()); break;
    }
    std::this_thread::sleep_for(milliseconds(random() % 500));
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    if (round % 3 == 2) {
      mirror->kill9();
      start();
    }
  }
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  await_status("mirror: streaming");
  resume_everything();
  EXPECT_EQ(mirror->stop(), 0);
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  auto left = testing::compared_postgres(source->uri());
  auto right = testing::compared_postgres(destination->uri());
  ASSERT_TRUE(left.ok() && right.ok());
  EXPECT_EQ(ledger_differences(**left, **right, kCoins), "");
}

TEST_F(TableControl, a_table_with_rows_that_is_added_is_copied_while_the_others_stream) {
  at_source(
      "create table a (id int primary key, v text); create table b (id int primary key, v text);"
      "insert into a select i, 'x' from generate_series(1, 100) i;"
      "insert into b select i, repeat('y', 500) from generate_series(1, 50000) i");
  pipeline("a");
  start();
  await_value(*destination, "select count(*) from a", "100");
  mirror->kill9();
  std::ifstream in(mirror->file());
  std::string file{std::istreambuf_iterator<char>(in), {}};
  file.replace(file.find("[a]"), 3, "[a, b]");
  std::ofstream(mirror->file()) << file;
  start();
  at_source(
      "update b set v = 'changed' where id % 10 = 0; update b set id = -id where id % 7 = 0;"
      "insert into a values (101, 'while b is copied')");
  await_value(*destination, "select count(*) from a", "101");
  mirror->kill9();
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  const std::string sum = "select md5(string_agg(id || '|' || v, ',' order by id)) from b";
  EXPECT_EQ(value(*destination, sum), value(*source, sum));
}

TEST_F(TableControl, one_of_two_destinations_dies_and_the_other_goes_on) {
  auto second = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
  ASSERT_TRUE(second.ok()) << second.error().message;
  at_source(
      "create table a (id int primary key, v text); insert into a select i, 'x' from generate_series(1, 100) "
      "i");
  auto made =
      Mirror::make_of(fmt::format("source: {{type: postgres, url: '{}', tables: [a]}}\n"
                                  "destinations:\n"
                                  "  one: {{type: postgres, url: '{}'}}\n"
                                  "  two: {{type: postgres, url: '{}'}}\n",
                                  source->uri(), destination->uri(), (*second)->uri()));
  ASSERT_TRUE(made.ok()) << made.error().message;
  mirror.emplace(std::move(*made));
  start();
  await_value(*destination, "select count(*) from a", "100");
  await_value(**second, "select count(*) from a", "100");
  ASSERT_TRUE((*second)->stop().ok());
  at_source("insert into a values (101, 'y')");
  await_value(*destination, "select count(*) from a", "101");
  // Also when maia begins while it is away.
  mirror->kill9();
  start();
  at_source("insert into a values (102, 'y')");
  await_value(*destination, "select count(*) from a", "102");
  ASSERT_TRUE((*second)->restart().ok());
  await_value(**second, "select count(*) from a", "102");
  EXPECT_EQ(mirror->stop(), 0);
}

}  // namespace
}  // namespace maia::tests
