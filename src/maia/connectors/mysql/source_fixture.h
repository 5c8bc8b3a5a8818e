// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "maia/connectors/mysql/source.h"
#include "maia/testing/must.h"
#include "maia/testing/mysql_server.h"
#include "maia/testing/replica.h"

namespace maia::mysql {

using testing::must;
using testing::MysqlProduct;
using testing::Replica;

/// A database of its own on the shared server of each product, a source on it, and a replica that follows.
class MysqlSourceTest : public ::testing::TestWithParam<MysqlProduct> {
 protected:
  testing::MysqlServer& server() { return *server_; }
  bool mariadb() const { return GetParam() == MysqlProduct::mariadb; }
  void SetUp() override { use(testing::shared_mysql(GetParam())); }
  void use(testing::MysqlServer& to) {
    server_ = &to;
    database_ = must(server_->make_database());
  }
  /// A server for this test alone, which it may kill.
  testing::MysqlServer& use_own(std::map<std::string, std::string> settings = {}) {
    own_ = must(testing::MysqlServer::start({.product = GetParam(), .settings = std::move(settings)}));
    use(*own_);
    return *own_;
  }
  void sql(const std::string& text) { must(server_->execute(text, database_)); }
  std::string value(const std::string& text) {
    const auto rows = must(server_->query(text, database_));
    return rows.empty() || !rows[0][0] ? "" : *rows[0][0];
  }

  SourceConfig config() {
    SourceConfig config;
    config.connection.host = server_->host();
    config.connection.port = static_cast<std::uint16_t>(server_->port());
    config.connection.user = "root";
    config.connection.database = database_;
    return config;
  }
  MysqlSource& open(SourceConfig with) {
    source_ = std::make_unique<MysqlSource>(std::move(with), "p");
    return *source_;
  }
  MysqlSource& open() { return open(config()); }

  static std::vector<SchemaRef> schemas(Source& source) {
    std::vector<SchemaRef> schemas;
    for (auto& offered : must(source.tables())) {
      EXPECT_EQ(offered.problem, "") << to_string(offered.schema->name);
      if (offered.problem.empty()) schemas.push_back(offered.schema);
    }
    return schemas;
  }
  static void copy_all(Source& source, Snapshot& snapshot, Replica& to) {
    for (const auto& table : schemas(source)) {
      to.table(table);
      testing::copy_table(snapshot, table, must(snapshot.plan(table, {})), to);
    }
  }
  /// Copies every table and starts the stream.
  void begin() {
    const auto prepared = must(source_->prepare({}));
    ASSERT_TRUE(prepared.created);
    const auto snapshot = must(source_->snapshot());
    ASSERT_EQ(snapshot->position(), prepared.from);
    copy_all(*source_, *snapshot, replica_);
    replica_.set_position(prepared.from);
    follow(prepared.from);
  }
  void follow(const Position& from) {
    std::vector<SchemaRef> known;
    for (auto& [id, table] : replica_.tables()) known.push_back(table.schema);
    stream_ = must(source_->stream(from, known));
  }
  /// What the engine does after Recovery::reconnect.
  void reconnect() {
    stream_.reset();
    replica_.forget_running();
    must(source_->prepare(replica_.position()));
    follow(replica_.position());
  }
  /// Applies what comes until everything that is committed now has come, or until an error.
  Status try_catch_up() {
    const auto end = MAIA_TRY(source_->end());
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!(source_->compare(replica_.position(), end) >= 0)) {
      if (std::chrono::steady_clock::now() > until) {
        ADD_FAILURE() << "the stream does not get to the end: " << replica_.position().token << " of "
                      << end.token;
        return {};
      }
      auto event = MAIA_TRY(stream_->next(std::chrono::milliseconds(200), {}));
      if (event) replica_.apply(std::move(*event));
    }
    return {};
  }
  void catch_up() { must(try_catch_up()); }
  /// Compares every table that the replica has with a fresh copy of it.
  void expect_equal() {
    MysqlSource other(config(), "compare");
    must(other.prepare({}));
    const auto snapshot = must(other.snapshot());
    Replica fresh;
    copy_all(other, *snapshot, fresh);
    for (auto& [id, table] : fresh.tables()) {
      std::multiset<Replica::Row> theirs, ours;
      for (const auto& [key, row] : table.rows) theirs.insert(row);
      for (const auto& [key, row] : replica_.tables()[id].rows) ours.insert(row);
      EXPECT_EQ(ours, theirs) << id;
    }
  }
  /// The first column of table t, in its order.
  void expect_equal_rows(const std::vector<std::string>& first_column) {
    std::vector<std::string> ours;
    for (const auto& row : rows_of("t")) ours.push_back(row[0].value_or("NULL"));
    EXPECT_EQ(ours, first_column);
  }
  std::vector<Replica::Row> rows_of(const std::string& table) {
    std::vector<Replica::Row> rows;
    for (const auto& [key, row] : replica_.tables()[database_ + "." + table].rows) rows.push_back(row);
    return rows;
  }

  std::unique_ptr<testing::MysqlServer> own_;
  testing::MysqlServer* server_ = nullptr;
  std::string database_;
  std::unique_ptr<MysqlSource> source_;
  std::unique_ptr<Stream> stream_;
  Replica replica_;
};

#define MAIA_MYSQL_TESTS(suite)                                                                            \
  INSTANTIATE_TEST_SUITE_P(Products, suite, ::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql), \
                           [](const auto& each) { return std::string(to_string(each.param)); })

}  // namespace maia::mysql
