// SPDX-License-Identifier: Apache-2.0
// Changing a pipeline's file: plan shows the difference, apply brings the running pipeline to it, history
// leads back.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Apply : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    execute(
        "create table orders (id bigint primary key, state text not null);"
        "create table notes (id bigint primary key, body text not null);"
        "insert into orders select i, 'New' from generate_series(1, 3000) i;"
        "insert into notes select i, 'Note ' || i from generate_series(1, 400) i");
  }
  void execute(const std::string& sql) {
    const auto executed = source->execute(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  std::string file(const std::string& tables, const std::string& more) const {
    return fmt::format("name: shop\nsource:\n  type: postgres\n  url: {}\n  tables: [{}]\n", source->uri(),
                       tables) +
           "destination:\n  type: duckdb\n  path: {}/lake.duckdb\n" + more;
  }
  void run(const std::string& text) {
    auto made = Mirror::with_file(text);
    ASSERT_TRUE(made.ok()) << made.error().message;
    maia.emplace(std::move(*made));
    const auto started = maia->start();
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  std::string tell(std::vector<std::string> words, int code = 0) {
    words.insert(words.end(), {"--state", maia->state()});
    const auto told = maia->command(words, code);
    EXPECT_TRUE(told.ok()) << told.error().message << maia->log_tail();
    return told.ok() ? *told : "";
  }
  void await_count(const std::string& from, int count) {
    const auto there = maia->await(
        {"query", "select 'rows=' || count(*) || ';' as n from " + from, "--state", maia->state()},
        fmt::format("rows={};", count));
    ASSERT_TRUE(there.ok()) << there.error().message;
  }
  void expect_equal(const std::string& view, const std::string& table) {
    auto left = testing::compared_postgres(source->uri());
    auto right = testing::compared_duckdb(maia->directory() / "lake.duckdb");
    ASSERT_TRUE(left.ok() && right.ok());
    const auto compared = testing::compare(**left, **right, {{"public", view}, {"public", table}, {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << compared->report();
  }
  std::string slot_created() {
    return source->query("select slot_name || ' ' || active from pg_replication_slots")
        .value()
        .at(0)
        .at(0)
        .value();
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::optional<Mirror> maia;
};

TEST_F(Apply, a_table_is_added_to_a_running_pipeline_and_history_leads_back) {
  run(file("orders", ""));
  await_count("orders", 3000);
  const auto process = maia->pid();
  maia->write(file("orders, notes", "delivery: {max_rows: 1000}\n"));
  const auto plan = tell({"plan", maia->file()});
  EXPECT_THAT(plan, HasSubstr("delivery added"));
  EXPECT_THAT(plan, HasSubstr("public.notes is added"));
  EXPECT_THAT(tell({"apply", maia->file()}), HasSubstr("taken up by the running pipeline"));
  await_count("notes", 400);
  execute("insert into orders values (9001, 'late'); insert into notes values (9001, 'late')");
  await_count("orders", 3001);
  await_count("notes", 401);
  EXPECT_TRUE(maia->running());
  EXPECT_EQ(maia->pid(), process);
  EXPECT_EQ(source->query("select count(*) from pg_replication_slots").value().at(0).at(0), "1");
  EXPECT_THAT(tell({"plan", maia->file()}), HasSubstr("no difference to version"));
  const auto history = tell({"history"});
  EXPECT_THAT(history, HasSubstr("first version"));
  EXPECT_THAT(history, HasSubstr("source.tables: "));
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
}

TEST_F(Apply, a_changed_transform_is_done_with_consent_only_and_brings_the_rows_that_are_there_with_it) {
  run(file("orders, notes", ""));
  await_count("orders", 3000);
  maia->write(
      file("orders, notes",
           "transform:\n  - {name: shape, tables: [orders], sql: 'SELECT id, lower(state) AS state, id "
           "% 10 AS digit FROM input'}\n"));
  EXPECT_THAT(tell({"plan", maia->file()}), HasSubstr("add column digit"));
  tell({"apply", maia->file()}, 3);
  EXPECT_THAT(tell({"history"}), Not(HasSubstr("transform")));
  EXPECT_THAT(tell({"apply", maia->file(), "--yes"}), HasSubstr("its rows are read again"));
  execute("insert into orders values (9001, 'Late')");
  await_count("orders where digit is not null", 3001);
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
  ASSERT_TRUE(maia->catch_up().ok()) << maia->log_tail();
  execute("create view wanted as select id, lower(state) as state, id % 10 as digit from orders");
  expect_equal("wanted", "orders");
  expect_equal("notes", "notes");
}

TEST_F(Apply, settings_that_do_not_work_leave_those_before_at_work) {
  run(file("orders", ""));
  await_count("orders", 3000);
  maia->write(file("orders", "destination: again\n"));
  tell({"apply", maia->file()}, 2);
  execute("insert into orders values (9001, 'late')");
  await_count("orders", 3001);
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
}

TEST_F(Apply, another_mode_is_refused_with_the_reason_and_what_to_do) {
  run(file("orders", ""));
  await_count("orders", 3000);
  maia->write(file("orders", "  mode: append\n"));
  const auto refused = tell({"apply", maia->file(), "--yes"}, 3);
  EXPECT_THAT(refused,
              HasSubstr("orders was kept in mode: upsert, and its rows do not show what append would "
                        "have made"));
  EXPECT_THAT(refused, HasSubstr("give it another name with routes: to begin anew beside it"));
  execute("insert into orders values (9001, 'late')");
  await_count("orders", 3001);
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
}

TEST_F(Apply, without_a_running_pipeline_the_next_run_begins_with_it_although_the_file_is_the_old_one) {
  const auto old = file("orders", "");
  run(old);
  await_count("orders", 3000);
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
  maia->write(file("orders, notes", ""));
  EXPECT_THAT(tell({"apply", maia->file()}), HasSubstr("its next maia run begins with it"));
  maia->write(old);
  ASSERT_TRUE(maia->catch_up().ok()) << maia->log_tail();
  expect_equal("notes", "notes");
}

}  // namespace
}  // namespace maia::tests
