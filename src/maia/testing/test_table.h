// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maia/connector/destination.h"
#include "maia/types/value_text.h"

namespace maia::testing {

/// A row of a test as canonical texts: nullopt is NULL, kSame is unchanged.
inline const std::string kSame = "<unchanged>";
using Texts = std::vector<std::optional<std::string>>;

/// A table that a test delivers to; batches are built row by row from texts.
struct TestTable {
  TableTarget target;
  std::unique_ptr<Batch> batch;
  std::uint64_t ordinal = 0;

  TestTable(TableName name, std::vector<Column> columns, std::vector<std::size_t> key,
            std::uint32_t version = 1) {
    auto schema = std::make_shared<TableSchema>();
    schema->id = to_string(name);
    schema->name = name;
    schema->version = version;
    schema->identity = key.empty() ? Identity::full : Identity::key;
    for (const auto i : key) {
      columns[i].in_key = true;
      columns[i].nullable = false;
    }
    schema->columns = std::move(columns);
    target = {
        .name = std::move(name), .schema = schema, .mode = TableTarget::Mode::upsert, .key = std::move(key)};
    restart();
  }
  void restart() { batch = std::make_unique<Batch>(target.schema); }

  void push(ColumnVector& column, std::size_t i, const std::optional<std::string>& text) {
    if (!text) return column.push_null();
    if (*text == kSame) return column.push_unchanged();
    const auto pushed = push_value_text(column, target.schema->columns[i].type, *text);
    if (pushed.ok()) return;
    ADD_FAILURE() << *text << ": " << pushed.error().message;
    std::abort();
  }
  /// `before` may be empty, or have kSame where the image lacks a value.
  void change(Op op, const Texts& after, const Texts& before, std::optional<std::uint64_t> at = {}) {
    batch->begin_row(op, at ? *at : ordinal++);
    for (std::size_t i = 0; i < after.size(); ++i) push(batch->mutable_after(i), i, after[i]);
    for (std::size_t i = 0; i < before.size(); ++i) push(batch->mutable_before(i), i, before[i]);
    batch->finish_row();
  }
  void insert(const Texts& row) { change(Op::insert, row, {}); }
  void update(const Texts& row, const Texts& before = {}) { change(Op::update, row, before); }
  void remove(const Texts& before) { change(Op::remove, {}, before); }
  struct How {
    bool fresh = false;
    bool converging = false;
    std::uint64_t window = 1;
  };
  Delivery delivery() const { return delivery(How{}); }
  Delivery delivery(How how) const {
    return {.target = &target,
            .batch = batch.get(),
            .fresh = how.fresh,
            .converging = how.converging,
            .transactions = {},
            .window = how.window};
  }
};

inline Column column_of(std::string name, Type type) {
  return {.name = std::move(name), .type = std::move(type), .native_type = {}, .id = {}};
}

}  // namespace maia::testing
