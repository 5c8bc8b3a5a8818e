// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maia/connectors/duckdb/duckdb_destination.h"
#include "maia/types/value_text.h"

namespace maia::duckdb {

/// A value of a test in canonical text; nothing for NULL.
using Value = std::optional<std::string>;
/// What `unchanged` is in the rows of a test.
inline const Value kUnchanged = "<unchanged>";

/// A database file in a folder of its own, and a destination that has it open as pipeline "p".
class DestinationTest : public testing::Test {
 protected:
  DestinationTest() {
    folder_ = std::filesystem::temp_directory_path() /
              ("maia_duckdb_" + std::to_string(::getpid()) + "_" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    config_.path = (folder_ / "test.duckdb").string();
  }
  ~DestinationTest() override {
    destination_.reset();
    std::filesystem::remove_all(folder_);
  }

  DuckDbDestination& open(std::string_view pipeline = "p") {
    destination_.reset();
    destination_ = std::make_unique<DuckDbDestination>(config_);
    auto opened = destination_->open(pipeline);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    if (opened.ok()) opened_ = *opened;
    return *destination_;
  }
  DuckDbDestination& destination() { return destination_ ? *destination_ : open(); }

  static SchemaRef schema(std::vector<Column> columns, TableName name = {"s", "t"}) {
    return std::make_shared<const TableSchema>(
        TableSchema{.id = "1", .name = std::move(name), .columns = std::move(columns)});
  }
  static TableTarget target(SchemaRef schema) {
    auto key = schema->key();
    return {.name = schema->name, .schema = std::move(schema), .key = std::move(key)};
  }

  /// Adds a row; `before` may be empty.
  static void push(Batch& batch, Op op, const std::vector<Value>& after,
                   const std::vector<Value>& before = {}) {
    batch.begin_row(op, batch.rows());
    const auto put = [&](ColumnVector& column, const Type& type, const Value& value) {
      if (value == kUnchanged) return column.push_unchanged();
      if (!value) return column.push_null();
      const auto pushed = push_value_text(column, type, *value);
      ASSERT_TRUE(pushed.ok()) << pushed.error().message << ": " << *value;
    };
    for (std::size_t i = 0; i < after.size(); ++i) {
      put(batch.mutable_after(i), batch.schema()->columns[i].type, after[i]);
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
      put(batch.mutable_before(i), batch.schema()->columns[i].type, before[i]);
    }
    batch.finish_row();
  }

  Status write(const TableTarget& target, const Batch& batch, bool fresh = false) {
    const Delivery delivery{.target = &target, .batch = &batch, .fresh = fresh};
    return destination().write({&delivery, 1});
  }
  /// Everything between begin and commit.
  Status in_commit(const std::function<Status()>& work) {
    MAIA_TRY(destination().begin());
    auto done = work();
    if (!done.ok()) {
      destination().rollback();
      return done;
    }
    return destination().commit({});
  }
  void must(const Status& status) { ASSERT_TRUE(status.ok()) << status.error().message; }
  void prepare(const TableTarget& target) {
    must(in_commit([&] { return destination().prepare(target); }));
  }
  void write_and_commit(const TableTarget& target, const Batch& batch, bool fresh = false) {
    must(in_commit([&] { return write(target, batch, fresh); }));
  }

  using Rows = std::vector<std::vector<Value>>;
  Rows query(const std::string& sql) {
    const auto result = destination().query(sql, {});
    EXPECT_TRUE(result.ok()) << result.error().message << ": " << sql;
    return result.ok() ? result->rows : Rows{};
  }

  std::filesystem::path folder_;
  Config config_;
  std::unique_ptr<DuckDbDestination> destination_;
  Destination::Opened opened_;
};

}  // namespace maia::duckdb
