// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "maia/connectors/postgres/catalog.h"
#include "maia/connectors/postgres/source.h"
#include "maia/testing/must.h"
#include "maia/testing/postgres_server.h"
#include "maia/testing/replica.h"

namespace maia::postgres {

using testing::must;
using testing::Replica;

/// A database of its own on the shared server, a source on it, and a replica that follows.
class SourceTest : public ::testing::Test {
 protected:
  testing::PostgresServer& server() { return *server_; }
  /// MAIA_TEST_POSTGRES=17 runs every test on that version; a few run on each version always.
  virtual int version() const {
    const char* chosen = std::getenv("MAIA_TEST_POSTGRES");
    return chosen == nullptr ? 15 : std::atoi(chosen);
  }
  void SetUp() override { use(testing::shared_postgres(version())); }
  void TearDown() override {
    stream_.reset();
    snapshot_.reset();
    source_.reset();
    if (server_ != nullptr && server_->running()) {
      static_cast<void>(
          server_->execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE "
                           "database = '" +
                           database_ + "' AND NOT active"));
    }
  }
  void use(testing::PostgresServer& to) {
    server_ = &to;
    database_ = must(server_->make_database());
  }
  /// A server for this test alone, which it may kill.
  testing::PostgresServer& use_own(testing::PostgresServer::Options options = {}) {
    options.version = version();
    own_ = must(testing::PostgresServer::start(options));
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
    config.connection.user = "postgres";
    config.connection.database = database_;
    config.chunk_size = ByteSize::mib(1);
    config.decoding_memory = ByteSize::mib(1);
    return config;
  }
  PostgresSource& open(SourceConfig with) {
    source_ = std::make_unique<PostgresSource>(std::move(with), "p_" + database_);
    return *source_;
  }
  PostgresSource& open() { return open(config()); }

  std::vector<SchemaRef> schemas() {
    std::vector<SchemaRef> schemas;
    for (auto& offered : must(source_->tables())) {
      if (offered.problem.empty()) schemas.push_back(offered.schema);
    }
    return schemas;
  }
  void read(const SchemaRef& table, const TablePlan& plan) {
    testing::copy_table(*snapshot_, table, plan, replica_);
  }
  /// Makes the slot, copies every table, starts the stream.
  void begin() {
    const auto prepared = must(source_->prepare({}));
    ASSERT_TRUE(prepared.created);
    snapshot_ = must(source_->snapshot());
    ASSERT_EQ(snapshot_->position(), prepared.from);
    for (const auto& table : schemas()) {
      replica_.table(table);
      read(table, must(snapshot_->plan(table, {})));
    }
    replica_.set_position(prepared.from);
    follow(prepared.from);
  }
  void follow(const Position& from) {
    std::vector<SchemaRef> known;
    for (auto& [id, table] : replica_.tables()) known.push_back(table.schema);
    if (known.empty()) known = schemas();
    stream_ = must(source_->stream(from, known));
  }
  /// Calls once more, as the engine does, where a session turns out to be broken.
  template <class Call>
  static auto again(Call call) -> decltype(call()) {
    auto result = call();
    for (int more = 5; more > 0 && !result.ok() && result.error().recovery == Recovery::reconnect; --more)
      result = call();
    return result;
  }
  /// What the engine does after Recovery::reconnect.
  void reconnect() {
    stream_.reset();
    replica_.forget_running();
    must(again([&] { return source_->prepare(replica_.position()); }));
    follow(replica_.position());
  }
  /// Applies what comes until everything that is committed now has come.
  void catch_up() {
    const auto end = must(source_->end());
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!(source_->compare(replica_.position(), end) >= 0)) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "the stream does not get to the end";
      auto event = stream_->next(std::chrono::milliseconds(200), {});
      if (!event.ok() && event.error().recovery == Recovery::reconnect) {
        reconnect();
        continue;
      }
      if (auto taken = must(std::move(event))) replica_.apply(std::move(*taken));
    }
  }
  /// Compares every table that the replica has with the server's.
  void expect_equal() {
    Connection::Options options;
    options.endpoint = config().connection;
    const auto connection = must(Connection::open(options));
    for (auto& [id, table] : replica_.tables()) {
      std::string columns;
      for (const auto& column : table.schema->columns) {
        columns += (columns.empty() ? "" : ", ") + sql_name(column.name) + "::text";
      }
      const auto rows =
          must(connection->query("SELECT " + columns + " FROM " + sql_name(table.schema->name)));
      std::multiset<Replica::Row> theirs, ours;
      for (const auto& [key, row] : table.rows) ours.insert(row);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        Replica::Row row;
        for (std::size_t c = 0; c < rows.columns(); ++c) row.push_back(rows.optional(r, c));
        theirs.insert(std::move(row));
      }
      EXPECT_EQ(ours.size(), theirs.size()) << to_string(table.schema->name);
      EXPECT_TRUE(ours == theirs) << to_string(table.schema->name) << " differs";
    }
  }

  std::unique_ptr<testing::PostgresServer> own_;
  testing::PostgresServer* server_ = nullptr;
  std::string database_;
  std::unique_ptr<PostgresSource> source_;
  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<Stream> stream_;
  Replica replica_;
};

}  // namespace maia::postgres
