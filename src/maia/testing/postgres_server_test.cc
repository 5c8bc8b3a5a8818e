// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/postgres_server.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "maia/testing/postgres_cluster.h"
#include "maia/testing/temporary_directory.h"

namespace maia::testing {
namespace {

#define ASSERT_OK(expression)                           \
  do {                                                  \
    const auto status = (expression);                   \
    ASSERT_TRUE(status.ok()) << status.error().message; \
  } while (false)

class EachVersion : public ::testing::TestWithParam<int> {};

TEST_P(EachVersion, starts_ready_for_logical_replication) {
  auto server = PostgresServer::start({.version = GetParam()});
  ASSERT_TRUE(server.ok()) << server.error().message;
  auto rows = (*server)->query(
      "select current_setting('server_version_num')::int / 10000, "
      "current_setting('wal_level'), pg_create_logical_replication_slot('s', 'pgoutput') "
      "is not null, lower('ÄÖ'), null");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(*rows, (Rows{{std::to_string(GetParam()), "logical", "t", "äö", std::nullopt}}));
}

INSTANTIATE_TEST_SUITE_P(versions, EachVersion, ::testing::Values(15, 16, 17, 18),
                         ::testing::PrintToStringParamName());

TEST(PostgresServer, rows_survive_kill9_of_every_process) {
  auto server = PostgresServer::start();
  ASSERT_TRUE(server.ok()) << server.error().message;
  ASSERT_OK((*server)->execute("create table t as select 1 as id"));
  auto session = PostgresSession::open((*server)->uri());
  ASSERT_TRUE(session.ok());
  ASSERT_OK(session->execute("begin; insert into t values (2)"));
  const int port = (*server)->port();

  ASSERT_OK((*server)->kill9());
  EXPECT_FALSE((*server)->running());
  const auto lost = session->execute("select 1");
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().recovery, Recovery::reconnect);

  ASSERT_OK((*server)->restart());
  EXPECT_EQ((*server)->port(), port);
  auto rows = (*server)->query("select id from t");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(*rows, (Rows{{"1"}}));
  EXPECT_NE((*server)->log_tail().find("not properly shut down"), std::string::npos);
}

TEST(PostgresServer, restart_after_an_immediate_stop_recovers) {
  auto server = PostgresServer::start();
  ASSERT_TRUE(server.ok()) << server.error().message;
  ASSERT_OK((*server)->execute("create table t as select generate_series(1, 100) as id"));
  ASSERT_OK((*server)->stop_immediately());
  ASSERT_OK((*server)->restart());
  EXPECT_EQ((*server)->query("select count(*) from t").value(), (Rows{{"100"}}));
}

TEST(PostgresServer, settings_and_password_are_those_asked_for) {
  auto server = PostgresServer::start({.settings = {{"max_replication_slots", "3"}},
                                       .authentication = "scram-sha-256",
                                       .password = "s3cret"});
  ASSERT_TRUE(server.ok()) << server.error().message;
  auto session = PostgresSession::open((*server)->uri());
  ASSERT_TRUE(session.ok()) << session.error().message;
  EXPECT_EQ(session->value("show max_replication_slots").value(), "3");
  const auto without = "postgresql://postgres@127.0.0.1:" + std::to_string((*server)->port()) + "/postgres";
  EXPECT_FALSE(PostgresSession::open(without).ok());
}

TEST(PostgresServer, destructor_leaves_neither_process_nor_directory) {
  auto server = PostgresServer::start();
  ASSERT_TRUE(server.ok()) << server.error().message;
  const auto data = (*server)->data_directory();
  const auto pid =
      static_cast<pid_t>(std::stol((*server)->query("select pg_backend_pid()").value()[0][0].value()));
  (*server).reset();
  EXPECT_FALSE(std::filesystem::exists(data.parent_path()));
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(PostgresServer, no_server_outlives_a_killed_test) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t test = fork();
  if (test == 0) {
    auto server = PostgresServer::start();
    const std::string root = server.ok() ? (*server)->socket_directory().string() : server.error().message;
    if (write(ends[1], root.data(), root.size()) < 0) _exit(1);
    for (;;) pause();
  }
  char text[200] = {};
  EXPECT_GT(read(ends[0], text, sizeof text - 1), 0);
  const std::string root(text);
  EXPECT_TRUE(std::filesystem::exists(root + "/data/postmaster.pid")) << root;
  ::kill(test, SIGKILL);
  waitpid(test, nullptr, 0);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::filesystem::exists(root) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(std::filesystem::exists(root));
  close(ends[0]);
  close(ends[1]);
}

TEST(PostgresServer, binaries_may_lie_in_a_directory_that_is_closed_to_others) {
  auto closed = TemporaryDirectory::make();
  ASSERT_TRUE(closed.ok());
  const auto binaries = postgres_binaries(16);
  ASSERT_TRUE(binaries.ok()) << binaries.error().message;
  ASSERT_OK(
      ChildProcess::run({"cp", "-a", binaries->parent_path().string(), (*closed / "postgres-16").string()}));
  const std::string before = std::getenv("MAIA_DEPS") != nullptr ? std::getenv("MAIA_DEPS") : "";
  setenv("MAIA_DEPS", closed->path().c_str(), 1);
  auto server = PostgresServer::start({.version = 16});
  before.empty() ? unsetenv("MAIA_DEPS") : setenv("MAIA_DEPS", before.c_str(), 1);
  ASSERT_TRUE(server.ok()) << server.error().message;
  EXPECT_EQ((*server)->query("select 1").value(), (Rows{{"1"}}));
}

TEST(PostgresServer, fresh_databases_of_the_shared_server_are_empty_and_apart) {
  auto& server = shared_postgres();
  const auto first = server.make_database();
  const auto second = server.make_database();
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_OK(server.execute("create table t ()", *first));
  EXPECT_EQ(server.query("select to_regclass('t')", *second).value(), (Rows{{std::nullopt}}));
  EXPECT_EQ(&server, &shared_postgres());
}

TEST(PostgresServer, missing_version_says_how_to_get_it) {
  const auto server = PostgresServer::start({.version = 7});
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().message.find("no PostgreSQL 7"), std::string::npos);
  EXPECT_EQ(server.error().hint, "./dev setup installs it");
}

}  // namespace
}  // namespace maia::testing
