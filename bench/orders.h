// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/connector/destination.h"

namespace maia::bench {

inline Column column(std::string name, Type type) {
  return {.name = std::move(name), .type = std::move(type), .native_type = {}, .id = {}};
}

/// Orders of a shop, by id, in the schema `at`.
inline TableTarget orders(const std::string& at) {
  auto schema = std::make_shared<TableSchema>();
  schema->name = {at, "orders"};
  schema->columns = {column("id", Type::of(TypeId::int64)),
                     column("customer_id", Type::of(TypeId::int64)),
                     column("status", Type::text()),
                     column("amount", Type::decimal(12, 2)),
                     column("note", Type::text()),
                     column("created_at", Type::of(TypeId::timestamp_tz)),
                     column("updated_at", Type::of(TypeId::timestamp_tz))};
  schema->columns[0].in_key = true;
  schema->columns[0].nullable = false;
  return {.name = schema->name, .schema = schema, .mode = TableTarget::Mode::upsert, .key = {0}};
}

/// One of them; about 150 bytes.
inline void push_row(Batch& batch, Op op, std::int64_t id) {
  static const std::string note(100, 'n');
  constexpr std::int64_t kThen = 1'790'000'000'000'000;
  batch.begin_row(op, batch.rows());
  batch.mutable_after(0).push_fixed(id);
  batch.mutable_after(1).push_fixed(id % 1000);
  batch.mutable_after(2).push_text("shipped");
  batch.mutable_after(3).push_fixed(static_cast<int128>(id * 7));
  batch.mutable_after(4).push_text(note);
  batch.mutable_after(5).push_fixed(kThen);
  batch.mutable_after(6).push_fixed(kThen + id);
  batch.finish_row();
}

}  // namespace maia::bench
