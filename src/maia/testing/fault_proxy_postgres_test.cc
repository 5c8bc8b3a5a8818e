// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "maia/testing/fault_proxy.h"
#include "maia/testing/postgres_server.h"
#include "maia/testing/postgres_session.h"

namespace maia::testing {
namespace {

/// A client of a real PostgreSQL, whose COMMIT goes through the proxy.
class CommitThroughProxy : public ::testing::Test {
 protected:
  void SetUp() override {
    auto& server = shared_postgres();
    direct = server.uri(server.make_database().value());
    auto started = FaultProxy::start(server.port());
    ASSERT_TRUE(started.ok()) << started.error().message;
    proxy = std::move(*started);
    through = direct;
    const auto port = ":" + std::to_string(server.port()) + "/";
    through.replace(through.find(port), port.size(), ":" + std::to_string(proxy->port()) + "/");
    ASSERT_TRUE(PostgresSession::open(direct)->execute("create table t (id int)").ok());
  }

  /// Inserts a row and commits with the trap set. The outcome of the commit as the client sees it.
  Status commit(Trap trap) {
    auto session = MAIA_TRY(PostgresSession::open(through));
    MAIA_TRY(session.execute("begin"));
    MAIA_TRY(session.execute("insert into t values (1)"));
    proxy->set(std::move(trap));
    return session.execute("commit");
  }
  std::string rows() { return PostgresSession::open(direct)->value("select count(*) from t").value(); }

  std::string direct;
  std::string through;
  std::unique_ptr<FaultProxy> proxy;
};

TEST_F(CommitThroughProxy, answers_in_fair_weather) {
  auto session = PostgresSession::open(through);
  ASSERT_TRUE(session.ok()) << session.error().message;
  EXPECT_TRUE(session->execute("begin; insert into t values (1); commit").ok());
  EXPECT_EQ(rows(), "1");
}

TEST_F(CommitThroughProxy, happens_although_its_answer_is_lost) {
  const auto committed = commit({.deed = Trap::Deed::lose_answer, .pattern = "commit", .answer = "COMMIT"});
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().recovery, Recovery::reconnect) << committed.error().message;
  EXPECT_EQ(proxy->sprung(), 1);
  EXPECT_EQ(rows(), "1");
}

TEST_F(CommitThroughProxy, does_not_happen_when_it_never_passes) {
  const auto committed = commit({.deed = Trap::Deed::reset_before, .pattern = "commit"});
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(proxy->sprung(), 1);
  EXPECT_EQ(rows(), "0");
}

TEST_F(CommitThroughProxy, is_cut_in_the_middle_of_the_servers_answer) {
  const auto committed = commit({.deed = Trap::Deed::half_close, .way = Way::to_client, .after = 3});
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(rows(), "1");
}

}  // namespace
}  // namespace maia::testing
