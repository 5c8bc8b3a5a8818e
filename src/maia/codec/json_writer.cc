// SPDX-License-Identifier: Apache-2.0
#include "maia/codec/json_writer.h"

#include <fmt/format.h>

#include <iterator>

#include "maia/base/json_text.h"
#include "maia/base/version.h"
#include "maia/codec/json_value.h"

namespace maia::codec {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// The three members that say one time, in three units.
void append_times(std::string& out, WallMicros micros) {
  fmt::format_to(std::back_inserter(out), R"("ts_ms":{},"ts_us":{},"ts_ns":{})", micros / 1000, micros,
                 micros * 1000);
}

/// A number where the source's own name for the transaction is one, as the envelope has it.
void append_transaction_id(std::string& out, std::string_view id) {
  const bool number = !id.empty() && id.size() <= 18 && id.find_first_not_of("0123456789") == id.npos &&
                      (id.size() == 1 || id[0] != '0');
  if (number) {
    out += id;
  } else {
    append_json_string(out, id);
  }
}

}  // namespace

std::string_view op_letter(Op op) {
  switch (op) {
    case Op::read: return "r";
    case Op::insert: return "c";
    case Op::update: return "u";
    case Op::remove: return "d";
  }
  return "";
}

JsonWriter::JsonWriter(JsonForm form, const ChangeOrigin& origin, const TableName& table,
                       const TableSchema& schema)
    : form_(form), table_(in_quotes(to_string(table))) {
  for (const auto& column : schema.columns) {
    types_.push_back(column.type);
    names_.push_back(in_quotes(column.name) + ":");
  }
  source_start_ = fmt::format(R"("version":{},"connector":{},"name":{})", in_quotes(version()),
                              in_quotes(origin.connector), in_quotes(origin.name));
  source_table_ = fmt::format(R"("db":{},"sequence":null,"schema":{},"table":{})", in_quotes(origin.database),
                              in_quotes(table.schema), in_quotes(table.table));
}

void JsonWriter::append_row(std::string& out, const Batch& batch, std::size_t row,
                            const Transaction& transaction, WallMicros written_at) const {
  if (form_ == JsonForm::flat) return append_flat(out, batch, row, transaction);
  append_envelope(out, batch, row, transaction, written_at);
}

void JsonWriter::append_members(std::string& out, const Batch& batch, std::size_t row, Image image) const {
  bool first = true;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto& column = image == Image::before ? batch.before(i) : batch.after(i);
    const auto presence = column.presence(row);
    if (presence == Presence::unchanged && image == Image::before) continue;
    if (!first) out += ',';
    first = false;
    out += names_[i];
    switch (presence) {
      case Presence::value: append_json_value(out, types_[i], column, row); break;
      case Presence::null: out += "null"; break;
      case Presence::unchanged: append_json_string(out, kUnavailableValue); break;
    }
  }
}

void JsonWriter::append_image(std::string& out, const Batch& batch, std::size_t row, Image image) const {
  const auto start = out.size();
  out += '{';
  if (image == Image::after || batch.has_before()) append_members(out, batch, row, image);
  const bool absent = image == Image::after ? batch.op(row) == Op::remove : out.size() == start + 1;
  if (absent) {
    out.resize(start);
    out += "null";
  } else {
    out += '}';
  }
}

void JsonWriter::append_source(std::string& out, const Transaction* transaction, bool snapshot) const {
  out += R"("source":{)";
  out += source_start_;
  out += ',';
  append_times(out, transaction ? transaction->committed_at : 0);
  fmt::format_to(std::back_inserter(out), R"(,"snapshot":"{}",{},"txId":)", snapshot, source_table_);
  if (transaction && !snapshot) {
    append_transaction_id(out, transaction->id);
  } else {
    out += "null";
  }
  out += R"(,"position":)";
  if (transaction) {
    append_json_string(out, transaction->position.token);
  } else {
    out += "null";
  }
  out += '}';
}

void JsonWriter::append_envelope(std::string& out, const Batch& batch, std::size_t row,
                                 const Transaction& transaction, WallMicros written_at) const {
  const auto op = batch.op(row);
  out += R"({"before":)";
  append_image(out, batch, row, Image::before);
  out += R"(,"after":)";
  append_image(out, batch, row, Image::after);
  out += ',';
  append_source(out, &transaction, op == Op::read);
  out += R"(,"op":")";
  out += op_letter(op);
  out += R"(",)";
  append_times(out, written_at);
  out += R"(,"transaction":)";
  if (op == Op::read) {
    out += "null";
  } else {
    out += R"({"id":)";
    append_json_string(out, transaction.id);
    fmt::format_to(std::back_inserter(out), R"(,"total_order":{}}})",
                   batch.ordinal(row) - transaction.first_ordinal + 1);
  }
  out += R"(,"maia":{"operation":)";
  append_json_string(out, transaction.operation_id(batch.ordinal(row)));
  out += "}}";
}

void JsonWriter::append_flat(std::string& out, const Batch& batch, std::size_t row,
                             const Transaction& transaction) const {
  const bool removed = batch.op(row) == Op::remove;
  out += '{';
  const auto start = out.size();
  if (!removed || batch.has_before()) {
    append_members(out, batch, row, removed ? Image::before : Image::after);
  }
  if (out.size() > start) out += ',';
  fmt::format_to(std::back_inserter(out),
                 R"("__op":"{}","__table":{},"__deleted":"{}","__source_ts_ms":{},"__operation":)",
                 op_letter(batch.op(row)), table_, removed, transaction.committed_at / 1000);
  append_json_string(out, transaction.operation_id(batch.ordinal(row)));
  out += '}';
}

void JsonWriter::append_truncate(std::string& out, WallMicros written_at) const {
  if (form_ == JsonForm::flat) {
    fmt::format_to(std::back_inserter(out), R"({{"__op":"t","__table":{}}})", table_);
    return;
  }
  out += R"({"before":null,"after":null,)";
  append_source(out, nullptr, false);
  out += R"(,"op":"t",)";
  append_times(out, written_at);
  out += R"(,"transaction":null,"maia":{"operation":null}})";
}

}  // namespace maia::codec
