// SPDX-License-Identifier: Apache-2.0
#include "maia/app/change_record.h"

#include <fmt/format.h>

#include "maia/base/json_text.h"
#include "maia/codec/change_walk.h"
#include "maia/codec/json_value.h"
#include "maia/types/time_text.h"
#include "maia/types/value_text.h"

namespace maia::app {
namespace {

constexpr std::size_t kLongest = 80;  // of a value in a line for people

enum class Image : std::uint8_t { before, after, key };

const ColumnVector* column_of(const Batch& batch, std::size_t column, std::size_t row, Image image) {
  switch (image) {
    case Image::before: return batch.has_before() ? &batch.before(column) : nullptr;
    case Image::after: return &batch.after(column);
    case Image::key: return batch.schema()->columns[column].in_key ? &batch.old_key(column, row) : nullptr;
  }
  return nullptr;
}

/// Nothing if not one of its columns was sent.
std::optional<std::string> image_json(const Batch& batch, std::size_t row, Image image) {
  std::string out;
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const auto* column = column_of(batch, i, row, image);
    if (column == nullptr || column->presence(row) == Presence::unchanged) continue;
    out += out.empty() ? '{' : ',';
    append_json_string(out, batch.schema()->columns[i].name);
    out += ':';
    if (column->presence(row) == Presence::null) {
      out += "null";
    } else {
      codec::append_json_value(out, batch.schema()->columns[i].type, *column, row);
    }
  }
  if (out.empty()) return std::nullopt;
  return out + '}';
}

std::string value_text(const Batch& batch, std::size_t column, const ColumnVector& from, std::size_t row) {
  if (from.presence(row) == Presence::null) return "NULL";
  std::string text;
  append_value_text(text, batch.schema()->columns[column].type, from, row);
  if (text.size() > kLongest) text.replace(kLongest - 3, text.npos, "...");
  return text;
}

/// The columns that say something new, or what a deleted row was.
std::string row_text(const Batch& batch, std::size_t row) {
  std::string out;
  const bool removed = batch.op(row) == Op::remove;
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const auto& after = batch.after(i);
    const auto* before = batch.has_before() ? &batch.before(i) : nullptr;
    const bool was_sent = before != nullptr && before->presence(row) != Presence::unchanged;
    const auto* shown = removed ? before : &after;
    if (shown == nullptr || shown->presence(row) == Presence::unchanged) continue;
    const auto value = value_text(batch, i, *shown, row);
    const auto old = !removed && was_sent ? value_text(batch, i, *before, row) : value;
    if (batch.op(row) == Op::update && was_sent && old == value) continue;
    out +=
        fmt::format("  {}={}", batch.schema()->columns[i].name, old == value ? value : old + " -> " + value);
  }
  return out;
}

std::string describe(const SchemaChange& change) {
  std::string out;
  for (const auto& column : change.columns) {
    out += out.empty() ? "[" : ",";
    append_json_string(out,
                       column.old_name.empty() ? column.column : column.old_name + " -> " + column.column);
  }
  return out.empty() ? "[]" : out + "]";
}

void describe(ChangeRecord& record, const Window::Item& item, std::size_t row) {
  if (const auto* batch = std::get_if<Batch>(&item)) {
    record.table = to_string(batch->schema()->name);
    record.op = op_word(batch->op(row));
    record.key = image_json(*batch, row, Image::key);
    record.before = image_json(*batch, row, Image::before);
    record.after = image_json(*batch, row, Image::after);
  } else if (const auto* truncate = std::get_if<Truncate>(&item)) {
    record.op = "truncate";
    for (const auto& table : truncate->tables)
      record.table += (record.table.empty() ? "" : ", ") + to_string(table->name);
  } else {
    const auto& change = std::get<SchemaChange>(item);
    record.op = "schema";
    if (const auto& shape = change.after ? change.after : change.before)
      record.table = to_string(shape->name);
    record.after = describe(change);
  }
}

template <class ColumnOf>
std::optional<std::string> key_of(const Batch& batch, ColumnOf column_of, std::size_t row) {
  std::optional<std::string> out;
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const auto& column = batch.schema()->columns[i];
    if (!column.in_key) continue;
    if (out) *out += ',';
    if (!out) out.emplace();
    const ColumnVector& from = column_of(i);
    if (from.has_value(row)) append_value_text(*out, column.type, from, row);
  }
  return out;
}

std::uint64_t ordinal_of(const Window::Item& item, std::size_t row) {
  if (const auto* batch = std::get_if<Batch>(&item)) return batch->ordinal(row);
  if (const auto* truncate = std::get_if<Truncate>(&item)) return truncate->ordinal;
  return std::get<SchemaChange>(item).ordinal;
}

}  // namespace

std::string_view op_word(Op op) {
  switch (op) {
    case Op::read: return "read";
    case Op::insert: return "insert";
    case Op::update: return "update";
    case Op::remove: return "delete";
  }
  return "";
}

std::optional<std::string> key_text(const Batch& batch, std::size_t row) {
  return key_of(
      batch, [&](std::size_t column) -> const ColumnVector& { return batch.old_key(column, row); }, row);
}

std::optional<std::string> new_key_text(const Batch& batch, std::size_t row) {
  return key_of(
      batch, [&](std::size_t column) -> const ColumnVector& { return batch.after(column); }, row);
}

ChangeRecord change_record(const Window& window, std::size_t item, std::size_t row) {
  const auto ordinal = ordinal_of(window.items[item], row);
  const auto& transaction = codec::transaction_at(window.transactions, ordinal);
  ChangeRecord record;
  record.sequence = window.sequence;
  record.transaction = transaction.id;
  record.position = transaction.position.token;
  record.committed_at = transaction.committed_at;
  record.operation_id = transaction.operation_id(ordinal);
  describe(record, window.items[item], row);
  return record;
}

std::string to_json(const ChangeRecord& record) {
  std::string out = fmt::format(R"({{"sequence":{},"transaction":)", record.sequence.value);
  append_json_string(out, record.transaction);
  out += R"(,"position":)";
  append_json_string(out, record.position);
  out += R"(,"committed_at":")";
  append_iso_timestamp(out, record.committed_at, Zone::utc);
  out += R"(","table":)";
  append_json_string(out, record.table);
  out +=
      fmt::format(R"(,"op":"{}","key":{},"before":{},"after":{},"operation_id":)", record.op,
                  record.key.value_or("null"), record.before.value_or("null"), record.after.value_or("null"));
  append_json_string(out, record.operation_id);
  return out + '}';
}

std::string to_text(const ChangeRecord& record, const Window& window, std::size_t item, std::size_t row) {
  std::string out;
  append_timestamp(out, record.committed_at, Zone::utc);
  out += fmt::format("  #{}  {}  {}  {} {}", record.sequence.value, record.position, record.transaction,
                     record.op, record.table);
  if (const auto* batch = std::get_if<Batch>(&window.items[item])) {
    if (const auto key = key_text(*batch, row)) out += fmt::format(" ({})", *key);
    return out + row_text(*batch, row);
  }
  return record.after ? out + "  " + *record.after : out;
}

}  // namespace maia::app
