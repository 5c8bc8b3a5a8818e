// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "maia/types/batch.h"
#include "maia/types/value_text.h"

namespace maia::kafka {

/// A table with a column of each type.
inline SchemaRef wide() {
  auto schema = std::make_shared<TableSchema>();
  schema->name = {"public", "wide"};
  const auto add = [&](std::string name, Type type) {
    schema->columns.push_back({.name = std::move(name), .type = std::move(type)});
  };
  add("id", Type::of(TypeId::int64));
  schema->columns[0].in_key = true;
  add("b", Type::of(TypeId::boolean));
  add("i2", Type::of(TypeId::int16));
  add("i4", Type::of(TypeId::int32));
  add("f4", Type::of(TypeId::float32));
  add("f8", Type::of(TypeId::float64));
  add("n", Type::decimal(10, 2));
  add("text", Type::text());
  add("d", Type::of(TypeId::date));
  add("t", Type::of(TypeId::time));
  add("ts", Type::of(TypeId::timestamp));
  add("tz", Type::of(TypeId::timestamp_tz));
  add("u", Type::of(TypeId::uuid));
  add("j", Type::of(TypeId::json));
  add("a", Type::array_of(Type::of(TypeId::int32)));
  add("iv", Type::of(TypeId::interval));
  add("odd name", Type::text());
  return schema;
}

/// Its values, some at the edge of their type.
inline const std::vector<const char*> kTexts = {"-9223372036854775808",
                                                "t",
                                                "-32768",
                                                "2147483647",
                                                "0.5",
                                                "-1e+300",
                                                "-12.50",
                                                "a\"\n\xc3\x9f",
                                                "2026-11-23",
                                                "24:00:00",
                                                "1969-12-31 23:59:59.999999",
                                                "2026-11-23 00:00:00+00",
                                                "00112233-4455-6677-8899-aabbccddeeff",
                                                "{\"x\":1}",
                                                "{1,NULL}",
                                                "P1M",
                                                ""};

inline Batch one_row(const SchemaRef& schema, Op op = Op::insert) {
  Batch batch(schema);
  batch.begin_row(op, 5);
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    EXPECT_TRUE(push_value_text(batch.mutable_after(i), schema->columns[i].type, kTexts[i]).ok()) << i;
  }
  batch.finish_row();
  return batch;
}

/// A change of the key alone, of which the text was not sent; all else is null.
inline Batch update_of_the_key() {
  Batch batch(wide());
  batch.begin_row(Op::update, 5);
  batch.mutable_after(0).push_fixed(std::int64_t{1});
  batch.mutable_before(0).push_fixed(std::int64_t{2});
  for (std::size_t i = 1; i < batch.columns(); ++i) {
    i == 7 ? batch.mutable_after(i).push_unchanged() : batch.mutable_after(i).push_null();
  }
  batch.finish_row();
  return batch;
}

}  // namespace maia::kafka
