// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/mysql_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maia::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MysqlServers : public ::testing::TestWithParam<MysqlProduct> {};
INSTANTIATE_TEST_SUITE_P(Products, MysqlServers,
                         ::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(MysqlServers, answer_over_tcp_and_write_a_row_based_log_with_gtids) {
  auto& server = shared_mysql(GetParam());
  auto session = MysqlSession::open(server.uri());
  ASSERT_TRUE(session.ok()) << session.error().message;
  const auto version = session->value("select version()").value();
  EXPECT_THAT(version, GetParam() == MysqlProduct::mysql ? HasSubstr("9.7") : HasSubstr("MariaDB"));
  EXPECT_EQ(session->value("select @@binlog_format").value(), "ROW");
  EXPECT_EQ(session->value("select @@binlog_row_metadata").value(), "FULL");
  const auto gtids = GetParam() == MysqlProduct::mysql ? "select @@gtid_mode" : "select @@gtid_strict_mode";
  EXPECT_THAT(session->value(gtids).value(), ::testing::AnyOf("ON", "1"));
}

TEST_P(MysqlServers, keep_what_was_committed_when_they_are_killed) {
  auto server = MysqlServer::start({.product = GetParam(), .settings = {}});
  ASSERT_TRUE(server.ok()) << server.error().message;
  const auto database = (*server)->make_database().value();
  ASSERT_TRUE(
      (*server)->execute("create table t (id int primary key); insert into t values (1)", database).ok());
  auto open = (*server)->session(database);
  ASSERT_TRUE(open->execute("begin; insert into t values (2)").ok());
  (*server)->kill9();
  EXPECT_FALSE((*server)->running());
  EXPECT_FALSE(open->execute("commit").ok());
  const auto again = (*server)->restart();
  ASSERT_TRUE(again.ok()) << again.error().message;
  const auto rows = (*server)->query("select id from t", database).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0][0], "1");
}

}  // namespace
}  // namespace maia::testing
