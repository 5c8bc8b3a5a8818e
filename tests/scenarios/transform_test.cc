// SPDX-License-Identifier: Apache-2.0
// Pipelines with transforms between real systems: what arrives is what a view of the source with the same
// meaning shows.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::HasSubstr;

class Transforms : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    execute(
        "create table customers (customer_id bigint primary key, email text, body text, amount "
        "numeric(10,2));"
        "alter table customers alter column body set storage external;"
        "create table orders (id bigint primary key, customer_id bigint, state text);"
        "insert into customers select i, 'Name' || i || '@Example.COM', repeat(md5(i::text), 300), i * 1.5 "
        "from generate_series(1, 3000) i;"
        "insert into orders select i, i % 3000, 'new' from generate_series(1, 5000) i");
  }
  void execute(const std::string& sql) {
    const auto executed = source->execute(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  /// Every kind of change, large values left alone and changed, keys changed, and a rollback.
  void work() {
    execute(
        "insert into customers select i, 'New' || i || '@Example.COM', repeat('x', 9000), -1 "
        "from generate_series(5001, 5300) i");
    execute("update customers set amount = amount + 1 where customer_id % 3 = 0");
    execute(
        "update customers set email = upper(email), body = repeat('Changed', 2000) where customer_id % 50 = "
        "1");
    execute("update customers set customer_id = customer_id + 100000 where customer_id % 100 = 7");
    execute("update customers set amount = -abs(amount) where customer_id % 20 = 4");
    execute("delete from customers where customer_id % 11 = 5");
    execute("begin; delete from customers; rollback");
    execute("update orders set state = 'sent' where id % 2 = 0; delete from orders where id > 4900");
  }
  void mirror(const std::string& destination, const std::string& more) {
    auto made =
        Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [customers, orders]\n", source->uri()),
                     destination, more);
    ASSERT_TRUE(made.ok()) << made.error().message;
    maia.emplace(std::move(*made));
  }
  /// 4: with dead letters, now or before.
  void catch_up(int code = 0) {
    const auto ended =
        maia->command({"run", maia->file(), "--state", maia->state(), "--until-caught-up"}, code);
    ASSERT_TRUE(ended.ok()) << ended.error().message;
  }
  void expect_equal(const std::string& view, const std::string& table) {
    auto left = testing::compared_postgres(source->uri());
    auto right = testing::compared_duckdb(maia->directory() / "copy.duckdb");
    ASSERT_TRUE(left.ok() && right.ok());
    const auto compared = testing::compare(**left, **right, {{"public", view}, {"public", table}, {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << compared->report();
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::optional<Mirror> maia;
};

constexpr const char* kDuckdb = "type: duckdb\npath: {}/copy.duckdb\n";

TEST_F(Transforms, the_pipeline_of_the_guide_runs_as_printed_but_for_its_destination) {
  mirror(std::string(kDuckdb) + "mode: upsert\nkey: id\n",
         "transform:\n"
         "  - name: normalize_customer\n"
         "    script: |\n"
         "      # map fields and coerce types\n"
         "      out.id = in.customer_id\n"
         "      out.email = lower(in.email)\n");
  execute("create view wanted as select customer_id as id, lower(email) as email from customers");
  catch_up();
  expect_equal("wanted", "customers");
  expect_equal("orders", "orders");
  work();
  catch_up();
  expect_equal("wanted", "customers");
  expect_equal("orders", "orders");
}

TEST_F(Transforms, a_select_with_a_filter_keeps_large_values_that_were_not_sent) {
  mirror(kDuckdb,
         "transform:\n"
         "  - name: most\n"
         "    tables: [customers]\n"
         "    sql: >\n"
         "      SELECT customer_id, upper(body) AS body, email, amount * 2 AS twice\n"
         "      FROM input WHERE customer_id % 4 > 0\n");
  execute(
      "create view wanted as select customer_id, upper(body) as body, email, "
      "(amount * 2)::numeric(11,2) as twice "
      "from customers where customer_id % 4 > 0");
  catch_up();
  expect_equal("wanted", "customers");
  work();
  catch_up();
  expect_equal("wanted", "customers");
}

TEST_F(Transforms, a_row_that_enters_the_filter_by_an_update) {
  mirror(kDuckdb,
         "transform:\n"
         "  - {name: positive, tables: [customers], sql: SELECT * FROM input WHERE amount > 0}\n"
         // A later change that brings the whole row must not wait behind the one that could not enter.
         "errors: {later_changes: go_on}\n");
  execute("create view wanted as select * from customers where amount > 0");
  execute("insert into customers select i, 'e', repeat('x', 9000), -1 from generate_series(5001, 5003) i");
  catch_up();
  execute("update customers set amount = 7, body = body || 'all of it' where customer_id = 5001");
  catch_up();
  expect_equal("wanted", "customers");
  // Without its large value it cannot enter, and says so.
  execute("update customers set amount = 7 where customer_id = 5002");
  catch_up(4);
  // With old rows in the log it can.
  execute("alter table customers replica identity full");
  execute("update customers set amount = 8 where customer_id in (5002, 5003)");
  catch_up(4);
  expect_equal("wanted", "customers");
}

TEST_F(Transforms, rows_that_fail_become_dead_letters_and_the_rest_arrives) {
  mirror(kDuckdb,
         "transform:\n"
         "  - name: number\n"
         "    tables: [orders]\n"
         "    script: |\n"
         "      out = in\n"
         "      out.state = coalesce(nullif(in.state, 'new'), '1')::int\n");
  execute("update orders set state = 'bad' where id in (17, 4711)");
  execute("create view wanted as select id, customer_id, 1 as state from orders where state <> 'bad'");
  EXPECT_THAT(maia->command({"run", maia->file(), "--state", maia->state(), "--until-caught-up"}, 4).ok(),
              true)
      << maia->log_tail();
  expect_equal("wanted", "orders");
}

TEST_F(Transforms, preview_and_plan_show_what_will_come) {
  mirror(kDuckdb,
         "transform:\n"
         "  - name: masked\n"
         "    script: |\n"
         "      out.customer_id = in.customer_id\n"
         "      out.email = mask(in.email, 4)\n");
  const auto preview = maia->command({"preview", maia->file(), "--rows", "2", "--state", maia->state()});
  ASSERT_TRUE(preview.ok()) << preview.error().message;
  EXPECT_THAT(*preview, HasSubstr("1            *************.COM"));
  const auto plan = maia->command({"plan", maia->file(), "--state", maia->state()});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(*plan, HasSubstr("through masked"));
  EXPECT_EQ(source->query("select count(*) from pg_replication_slots").value().at(0).at(0), "0");
}

}  // namespace
}  // namespace maia::tests
