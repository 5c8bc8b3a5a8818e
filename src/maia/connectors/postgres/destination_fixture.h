// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/connectors/postgres/destination.h"
#include "maia/testing/postgres_server.h"
#include "maia/testing/test_table.h"

namespace maia::postgres {

using testing::column_of;
using testing::kSame;
using testing::TestTable;
using testing::Texts;

inline DestinationConfig config_for(const testing::PostgresServer& server, const std::string& database,
                                    ForeignKeys foreign_keys = ForeignKeys::automatic) {
  DestinationConfig config;
  config.connection.host = server.host();
  config.connection.port = static_cast<std::uint16_t>(server.port());
  config.connection.user = "postgres";
  config.connection.database = database;
  config.foreign_keys = foreign_keys;
  return config;
}

/// A destination in a database of its own, open for the pipeline "p".
class DestinationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database = *server().make_database();
    destination = open_destination();
  }
  virtual testing::PostgresServer& server() { return testing::shared_postgres(); }
  virtual ForeignKeys foreign_keys() { return ForeignKeys::automatic; }

  std::unique_ptr<PostgresDestination> open_destination(const std::string& pipeline = "p") {
    auto made = std::make_unique<PostgresDestination>(config_for(server(), database, foreign_keys()));
    auto result = made->open(pipeline);
    if (!result.ok()) ADD_FAILURE() << result.error().message;
    if (result.ok()) opened = *std::move(result);
    return made;
  }
  void execute(std::string_view sql) {
    const auto done = server().execute(sql, database);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  /// All rows of a query, each as "a|b|c" with NULL as "~", in the query's order.
  std::vector<std::string> rows(std::string_view sql) {
    auto result = server().query(sql, database);
    if (!result.ok()) {
      ADD_FAILURE() << result.error().message;
      return {};
    }
    std::vector<std::string> lines;
    for (const auto& row : *result) {
      std::string line;
      for (const auto& value : row) line += (&value == &row.front() ? "" : "|") + value.value_or("~");
      lines.push_back(line);
    }
    return lines;
  }
  CheckpointUpdate next_checkpoint() {
    ++sequence;
    return {.sequence = {sequence}, .position = {"position " + std::to_string(sequence)}, .facts = {}};
  }
  Status write(std::vector<Delivery> deliveries) {
    if (auto begun = destination->begin(); !begun.ok()) return begun;
    auto written = destination->write(deliveries);
    if (written.ok()) {
      written = destination->commit(next_checkpoint());
      if (!written.ok()) --sequence;
    }
    if (!written.ok()) destination->rollback();
    return written;
  }
  void prepare(const TestTable& table) {
    ASSERT_TRUE(destination->begin().ok());
    const auto prepared = destination->prepare(table.target);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    const auto committed = destination->commit(next_checkpoint());
    ASSERT_TRUE(committed.ok()) << committed.error().message;
  }

  std::string database;
  Destination::Opened opened;
  std::unique_ptr<PostgresDestination> destination;
  std::uint64_t sequence = 0;
};

#define EXPECT_OK(status)                                   \
  do {                                                      \
    const auto& checked_ = (status);                        \
    EXPECT_TRUE(checked_.ok()) << checked_.error().message; \
  } while (false)

}  // namespace maia::postgres
