// SPDX-License-Identifier: Apache-2.0
// A password is changed while the pipeline runs: it is read anew for every new connection.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

TEST(Credentials, a_password_file_that_changes_while_the_pipeline_runs_is_read_again) {
  const testing::PostgresServer::Options options{
      .settings = {}, .initdb_arguments = {}, .authentication = "scram-sha-256", .password = "first"};
  const auto source = testing::PostgresServer::start(options).value();
  const auto destination = testing::PostgresServer::start(options).value();
  ASSERT_TRUE(source->execute("create table t (id bigint primary key); insert into t values (1)").ok());
  const auto directory = testing::TemporaryDirectory::make().value();
  const auto write_password = [&](const std::string& password) {
    std::ofstream(directory / "secret") << password << '\n';
  };
  write_password("first");
  const auto lines = [&](const testing::PostgresServer& server) {
    return fmt::format(
        "type: postgres\nhost: {}\nport: {}\nuser: postgres\ndatabase: postgres\n"
        "password: ${{file:{}}}\n",
        server.host(), server.port(), (directory / "secret").string());
  };
  auto maia = Mirror::make(lines(*source) + "tables: [t]\n", lines(*destination)).value();
  ASSERT_TRUE(maia.start().ok());
  const auto arrives = [&](int id) {
    for (int i = 0; i < 600; ++i) {
      const auto rows = destination->query(fmt::format("select count(*) from t where id = {}", id));
      if (rows.ok() && rows->at(0).at(0) == "1") return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  };
  ASSERT_TRUE(arrives(1)) << maia.log_tail();
  const auto exchange_password = [&](const std::string& password) {
    for (auto* server : {source.get(), destination.get()}) {
      ASSERT_TRUE(server->execute("alter role postgres password '" + password + "'").ok());
      ASSERT_TRUE(server
                      ->execute("select pg_terminate_backend(pid) from pg_stat_activity "
                                "where application_name like 'maia%'")
                      .ok());
    }
  };
  write_password("second");
  exchange_password("second");
  ASSERT_TRUE(source->execute("insert into t values (2)").ok());
  EXPECT_TRUE(arrives(2)) << maia.log_tail();
  // And the other way round: the servers know the new one before the file does.
  exchange_password("third");
  ASSERT_TRUE(source->execute("insert into t values (3)").ok());
  const auto waits =
      maia.await({"status", "--json", "--state", maia.state()}, "is read again at each attempt");
  ASSERT_TRUE(waits.ok()) << waits.error().message;
  write_password("third");
  EXPECT_TRUE(arrives(3)) << maia.log_tail();
  EXPECT_EQ(maia.stop(), 0);
}

}  // namespace
}  // namespace maia::tests
