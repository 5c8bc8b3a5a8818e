// SPDX-License-Identifier: Apache-2.0
// MariaDB and MySQL as a primary and its replica: the primary is killed for good, the name leads to the
// replica, and MAIA goes on there by global transaction ids. A replica that lacks what was read ends the run
// by name.
// shows: mysql -> postgres
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "maia/testing/fault_proxy.h"
#include "maia/testing/must.h"
#include "maia/testing/mysql_server.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"
#include "mysql_transfers.h"

namespace maia::tests {
namespace {

using testing::must;
using testing::MysqlProduct;
using testing::MysqlServer;

class MysqlFailover : public ::testing::TestWithParam<MysqlProduct> {
 protected:
  bool mariadb() const { return GetParam() == MysqlProduct::mariadb; }
  void SetUp() override {
    primary = must(MysqlServer::start({.product = GetParam(), .settings = {}}));
    std::map<std::string, std::string> settings{{"server-id", "2"}};
    if (mariadb()) settings["log-slave-updates"] = "ON";  // MySQL does so by itself
    replica = must(MysqlServer::start({.product = GetParam(), .settings = settings}));
    must(replica->follow(*primary));
    must(MysqlTransfers::prepare(*primary));
    copy = must(testing::PostgresServer::start());
    proxy = must(testing::FaultProxy::start(primary->port()));
    mirror.emplace(must(
        Mirror::make(fmt::format("type: mysql\nurl: mysql://root@127.0.0.1:{}/shop\ntables: [\"shop.*\"]\n",
                                 proxy->port()),
                     fmt::format("type: postgres\nurl: {}\n", copy->uri()))));
    must(mirror->catch_up());
  }
  /// The primary is lost, and its name is the replica's from now on.
  void fail_over() {
    primary->kill9();
    must(replica->be_primary());
    proxy->lead_to(replica->port());
    proxy->heal();
    proxy->reset_all();
  }
  std::string at(auto& server, const std::string& sql) {
    const auto rows = must(server.query(sql));
    return rows[0][0].value_or("NULL");
  }
  /// Until the copy, while MAIA runs, has every transfer of the server.
  void await_copy_of(MysqlServer& server) {
    const std::string all = "select count(*) from shop.transfer";
    const auto wanted = at(server, all);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (at(*copy, all) != wanted) {
      ASSERT_TRUE(mirror->running()) << mirror->log_tail();
      ASSERT_LT(std::chrono::steady_clock::now(), until) << mirror->log_tail();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  void expect_equal_to(MysqlServer& server) {
    expect_equal_transfers(server, [&](const auto& sql) { return copy->query(sql); });
  }

  std::unique_ptr<MysqlServer> primary, replica;
  std::unique_ptr<testing::PostgresServer> copy;
  std::unique_ptr<testing::FaultProxy> proxy;
  std::optional<Mirror> mirror;
};
INSTANTIATE_TEST_SUITE_P(Of, MysqlFailover, ::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(MysqlFailover, goes_on_at_the_replica_without_loss_doubling_or_another_copy) {
  must(mirror->start());
  {
    MysqlTransfers transfers(*primary);
    must(transfers.await(100));
    // What follows is on the replica when the primary dies, and MAIA has yet to read it.
    proxy->set(testing::Weather{.stall_to_client = true});
    must(transfers.await(300));
  }
  must(replica->await_all_of(*primary));
  // A row that only the stream's reader still has: another copy of the table would not.
  must(replica->execute("set sql_log_bin = 0; insert into shop.transfer values (-2, 0, 0, 0)"));
  must(copy->execute("insert into shop.transfer values (-1, 0, 0, 0)"));
  fail_over();
  {
    MysqlTransfers transfers(*replica);
    must(transfers.await(100));
    must(replica->execute("alter table account add column note varchar(9) default 'new'", "shop"));
    must(transfers.await(200));
  }
  await_copy_of(*replica);
  EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
  EXPECT_EQ(at(*copy, "select count(*) from shop.transfer where id = -1"), "1");
  EXPECT_EQ(at(*copy, "select count(*) from shop.transfer where id = -2"), "0");
  must(copy->execute("delete from shop.transfer where id = -1"));
  must(replica->execute("set sql_log_bin = 0; delete from shop.transfer where id = -2"));
  must(mirror->catch_up());
  expect_equal_to(*replica);
  EXPECT_EQ(at(*copy, "select count(*) from shop.account where note = 'new'"),
            std::to_string(MysqlTransfers::kAccounts));
}

TEST_P(MysqlFailover, a_replica_that_lacks_what_was_read_ends_the_run_by_name) {
  must(replica->await_all_of(*primary));
  must(replica->be_primary());
  const auto change = [](int id) {
    return fmt::format("insert into shop.transfer values ({}, 0, 0, 0)", id);
  };
  must(primary->execute(change(1)));
  must(mirror->catch_up());
  fail_over();
  // As many transactions and more, so that the numbers alone do not tell.
  for (int id = 2; id <= 5; ++id) must(replica->execute(change(id)));
  const auto said =
      must(mirror->command({"run", mirror->file(), "--state", mirror->state(), "--until-caught-up"}, 1));
  EXPECT_THAT(said, ::testing::HasSubstr("lacks transaction"));

  EXPECT_EQ(at(*copy, "select sum(id) from shop.transfer"), "1");
}

}  // namespace
}  // namespace maia::tests
