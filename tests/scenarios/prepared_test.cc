// SPDX-License-Identifier: Apache-2.0
// Transactions of two phases at the source (PREPARE TRANSACTION), over kills of maia between the phases: each
// arrives once, whole, when its second phase commits it, and not at all if that rolls it back.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

class Prepared : public ::testing::TestWithParam<int> {};

TEST_P(Prepared, transactions_arrive_with_their_second_phase_over_kills) {
  auto server = testing::PostgresServer::start(
                    {.version = GetParam(), .settings = {{"max_prepared_transactions", "10"}}})
                    .value();
  const auto execute = [&](const std::string& sql) {
    const auto executed = server->execute(sql);
    ASSERT_TRUE(executed.ok()) << sql << ": " << executed.error().message;
  };
  execute("create table t (id int primary key, v text)");
  auto mirror = Mirror::make(
      fmt::format("type: postgres\nurl: {}\ntables: [t]\ndecoding_memory: 1MiB\n", server->uri()),
      "type: duckdb\npath: {}/copy.duckdb\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  const auto arrives = [&](int id) {
    const auto sql = fmt::format("select 'here' as row from public.t where id = {}", id);
    const auto arrived = mirror->await({"query", sql, "--state", mirror->state()}, "here");
    ASSERT_TRUE(arrived.ok()) << arrived.error().message;
  };
  ASSERT_TRUE(mirror->start().ok());
  execute("insert into t values (1, 'before')");
  arrives(1);
  // The first is so large that the server streams it while it runs.
  execute(
      "begin; insert into t select i, repeat('x', 300) from generate_series(1000, 9000) i;"
      "prepare transaction 'kept'");
  execute("begin; insert into t values (2, 'rolled back'); prepare transaction 'gone'");
  execute("begin; update t set v = 'late' where id = 1; prepare transaction 'late'");
  execute("insert into t values (3, 'beside')");
  arrives(3);
  mirror->kill9();
  execute("commit prepared 'kept'");
  ASSERT_TRUE(mirror->start().ok());
  arrives(9000);
  execute("rollback prepared 'gone'");
  execute("insert into t values (4, 'after')");
  arrives(4);
  mirror->kill9();
  execute("commit prepared 'late'");
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  auto source = testing::compared_postgres(server->uri());
  auto copy = testing::compared_duckdb(mirror->directory() / "copy.duckdb");
  ASSERT_TRUE(source.ok() && copy.ok());
  const auto compared =
      testing::compare(**source, **copy, {.left = {"public", "t"}, .right = {"public", "t"}, .except = {}});
  ASSERT_TRUE(compared.ok()) << compared.error().message;
  EXPECT_TRUE(compared->equal()) << compared->report();
  EXPECT_EQ(compared->left.rows, 8004u);
}

INSTANTIATE_TEST_SUITE_P(Versions, Prepared, ::testing::Values(15, 16, 17, 18),
                         [](const auto& each) { return fmt::format("postgres_{}", each.param); });

}  // namespace
}  // namespace maia::tests
