// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/letter.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/config/json.h"
#include "maia/journal/batch_codec.h"
#include "maia/journal/schema_codec.h"
#include "maia/types/value_text.h"

namespace maia::engine {
namespace {

constexpr std::uint8_t kVersion = 1;

Error damaged(std::string_view why) {
  return Error{Error::Code::corruption, Recovery::halt,
               fmt::format("the change of a dead letter is damaged: {}", why),
               "purge the letter; the row is also at the source"};
}

enum class Image : bool { before, after };

const ColumnVector& value_of(const Batch& batch, std::size_t column, std::size_t row, Image image) {
  const auto& after = batch.after(column);
  if (image == Image::before || after.presence(row) == Presence::unchanged) return batch.old_key(column, row);
  return after;
}

std::string key_of(const Batch& batch, std::size_t row, Image image) {
  Bytes key;
  ByteWriter out(key);
  std::string text;
  for (const auto column : batch.schema()->key()) {
    const auto& values = value_of(batch, column, row, image);
    if (!values.has_value(row)) return {};
    text.clear();
    append_value_text(text, batch.schema()->columns[column].type, values, row);
    out.text(text);
  }
  return std::string(as_text(key));
}

}  // namespace

const Transaction& transaction_of(std::span<const Transaction> transactions, std::uint64_t ordinal) {
  const auto later = std::find_if(transactions.begin(), transactions.end(),
                                  [&](const Transaction& each) { return each.first_ordinal > ordinal; });
  return *(later - 1);
}

SingleChange single_change(const Batch& batch, std::size_t row, const Transaction& transaction) {
  SingleChange change{.transaction = transaction, .batch = Batch(batch.schema())};
  change.batch.push_row(batch, row);
  change.batch.set_ordinal(0, batch.ordinal(row) - transaction.first_ordinal);
  change.transaction.first_ordinal = 0;
  return change;
}

Bytes encode_change(const SingleChange& change) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  Bytes schema;
  ByteWriter schema_out(schema);
  journal::encode_schema(schema_out, *change.batch.schema());
  out.text(as_text(schema));
  Window window;
  window.end = change.transaction.position;
  window.transactions = {change.transaction};
  window.items.emplace_back(change.batch.clone());
  // The only error of encoding is that of naming a schema.
  const auto encoded = journal::encode_window(out, window, [](const SchemaRef&) { return std::uint64_t{1}; });
  MAIA_ASSERT(encoded.ok());
  return bytes;
}

Result<SingleChange> decode_change(ByteView bytes) {
  ByteReader in(bytes);
  if (in.u8() != kVersion) return damaged("it is of no known version");
  const auto schema_bytes = in.text();
  if (!in.ok()) return damaged("it is cut off");
  auto schema = journal::decode_schema(as_bytes(schema_bytes));
  if (!schema.ok()) return damaged(schema.error().message);
  const auto shape = std::make_shared<const TableSchema>(std::move(*schema));
  auto window = journal::decode_window(in.bytes(in.left()), [&](std::uint64_t number) -> Result<SchemaRef> {
    if (number != 1) return damaged("it names a shape that is not there");
    return shape;
  });
  if (!window.ok()) return damaged(window.error().message);
  if (window->transactions.size() != 1 || window->items.size() != 1) return damaged("it is not one change");
  auto* batch = std::get_if<Batch>(&window->items[0]);
  if (!batch || batch->rows() != 1) return damaged("it is not one row");
  return SingleChange{.transaction = std::move(window->transactions[0]), .batch = std::move(*batch)};
}

std::string row_as_json(const Batch& batch, std::size_t row) {
  std::string json = "{";
  std::string text;
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const auto& column = batch.schema()->columns[i];
    const bool removed = batch.op(row) == Op::remove;
    if (removed && !batch.has_before()) continue;
    const auto& values = removed ? batch.before(i) : batch.after(i);
    if (values.presence(row) == Presence::unchanged) continue;
    if (json.size() > 1) json += ',';
    json += config::json_quoted(column.name) + ":";
    if (!values.has_value(row)) {
      json += "null";
      continue;
    }
    text.clear();
    append_value_text(text, column.type, values, row);
    json += config::json_quoted(text);
  }
  return json + "}";
}

std::string key_before(const Batch& batch, std::size_t row) { return key_of(batch, row, Image::before); }

std::string key_after(const Batch& batch, std::size_t row) { return key_of(batch, row, Image::after); }

Status set_value(SingleChange& change, std::string_view column, std::optional<std::string_view> text) {
  auto& batch = change.batch;
  const auto at = batch.schema()->find(column);
  if (!at) {
    std::string names;
    for (const auto& each : batch.schema()->columns) names += (names.empty() ? "" : ", ") + each.name;
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("{} has no column {}", to_string(batch.schema()->name), column),
                 "its columns are: " + names};
  }
  if (batch.op(0) == Op::remove) {
    return Error{Error::Code::invalid_config, Recovery::halt, "a delete carries no new values",
                 "purge the letter if the row is to stay"};
  }
  ColumnVector value(physical(batch.schema()->columns[*at].type));
  if (text) {
    auto pushed = push_value_text(value, batch.schema()->columns[*at].type, *text);
    if (!pushed.ok()) {
      return Error{Error::Code::invalid_config, Recovery::halt,
                   fmt::format("{}: {}", column, pushed.error().message), pushed.error().hint};
    }
  } else {
    value.push_null();
  }
  batch.mutable_after(*at) = std::move(value);
  return {};
}

}  // namespace maia::engine
