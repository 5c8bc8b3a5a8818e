// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/change_sequences.h"

#include <algorithm>

namespace maia::testing {
namespace {

std::string text_of(int step) { return "text " + std::to_string(step); }

void extend(const std::vector<KeyChange>& kinds, std::size_t length, int keys_used,
            std::vector<KeyChange>& changes, const std::function<void(const std::vector<KeyChange>&)>& use) {
  if (changes.size() == length) return use(changes);
  for (const auto& kind : kinds) {
    // A key may be used if all smaller ones have been.
    int used = keys_used;
    if (kind.key > used) continue;
    used = std::max(used, kind.key + 1);
    if (kind.new_key > used) continue;
    used = std::max(used, kind.new_key + 1);
    changes.push_back(kind);
    extend(kinds, length, used, changes, use);
    changes.pop_back();
  }
}

}  // namespace

SchemaRef key_schema() {
  static const auto schema = std::make_shared<const TableSchema>(TableSchema{
      .id = "1",
      .name = {"s", "t"},
      .columns = {{.name = "key", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true},
                  {.name = "a", .type = Type::of(TypeId::int32)},
                  {.name = "b", .type = Type::text()}}});
  return schema;
}

void push(Batch& batch, const KeyChange& change, int step) {
  batch.begin_row(change.op, batch.rows());
  if (change.op != Op::remove) {
    batch.mutable_after(0).push_fixed<std::int32_t>(change.new_key);
    if (change.lacks_a) {
      batch.mutable_after(1).push_unchanged();
    } else {
      batch.mutable_after(1).push_fixed<std::int32_t>(step);
    }
    if (change.lacks_b) {
      batch.mutable_after(2).push_unchanged();
    } else {
      batch.mutable_after(2).push_text(text_of(step));
    }
  }
  if (change.op == Op::remove || change.key != change.new_key) {
    batch.mutable_before(0).push_fixed<std::int32_t>(change.key);
  }
  batch.finish_row();
}

void apply(KeyTable& table, const KeyChange& change, int step) {
  if (change.op == Op::remove) {
    table.erase(change.key);
  } else if (!change.lacks_a && !change.lacks_b) {
    table.erase(change.key);
    table[change.new_key] = {step, text_of(step)};
  } else if (const auto old = table.find(change.key); old != table.end()) {
    auto row = old->second;
    if (!change.lacks_a) row.first = step;
    if (!change.lacks_b) row.second = text_of(step);
    table.erase(old);
    table[change.new_key] = row;
  }
}

KeyTable key_rows(unsigned subset, int offset) {
  KeyTable table;
  for (int key = 0; key < 3; ++key) {
    if (subset >> key & 1) table[offset + key] = {100 + key, "old " + std::to_string(key)};
  }
  return table;
}

std::string describe(const std::vector<KeyChange>& changes) {
  static constexpr const char* kNames[] = {"read", "insert", "update", "remove"};
  std::string text;
  for (const auto& change : changes) {
    text += kNames[static_cast<std::size_t>(change.op)];
    text += " " + std::to_string(change.key);
    if (change.key != change.new_key) text += " to " + std::to_string(change.new_key);
    text += std::string(change.lacks_a ? " without a" : "") + (change.lacks_b ? " without b; " : "; ");
  }
  return text;
}

std::vector<KeyChange> kinds_of_change(bool every) {
  std::vector<KeyChange> kinds;
  for (int key = 0; key < 3; ++key) {
    kinds.push_back({Op::insert, key, key});
    kinds.push_back({Op::remove, key, key});
    kinds.push_back({Op::update, key, key, false, true});
    if (every) kinds.push_back({Op::update, key, key});
    if (every) kinds.push_back({Op::update, key, key, true, false});
    for (int other = 0; other < 3; ++other) {
      if (other == key) continue;
      kinds.push_back({Op::update, key, other});
      kinds.push_back({Op::update, key, other, false, true});
    }
  }
  return kinds;
}

void for_each_sequence(const std::vector<KeyChange>& kinds, std::size_t length,
                       const std::function<void(const std::vector<KeyChange>&)>& use) {
  std::vector<KeyChange> changes;
  extend(kinds, length, 0, changes, use);
}

}  // namespace maia::testing
