// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/avro_encoder.h"

#include "maia/base/version.h"
#include "maia/codec/json_writer.h"
#include "maia/connectors/kafka/avro_schema.h"
#include "maia/connectors/kafka/field_name.h"
#include "maia/connectors/kafka/row_images.h"

namespace maia::kafka {
namespace {

constexpr std::size_t kMostMarks = 1000;

void append_unchanged(AvroWriter& out, const TableSchema& schema, const Batch& batch, std::size_t row) {
  const auto fields = unchanged_fields(schema, batch, row);
  if (!fields.empty()) out.number(static_cast<std::int64_t>(fields.size()));
  for (const auto& field : fields) out.text(field);
  out.number(0);
}

}  // namespace

Result<const AvroEncoder::Marks*> AvroEncoder::marks_of(const std::string& topic, const TableTarget& target) {
  const std::pair place(topic, target.schema);
  if (const auto known = marks_.find(place); known != marks_.end()) return &known->second;
  MAIA_TRY(verify_field_names(*target.schema));
  Marks marks;
  if (!target.key.empty()) {
    const auto schema = avro_key_schema(topic, *target.schema, target.key);
    marks.key = schema_mark(
        MAIA_TRY(register_schema(registry_, {topic + "-key", SchemaKind::avro}, schema, timeout_)));
  }
  const auto schema = avro_value_schema(topic, *target.schema, format_);
  marks.value = schema_mark(
      MAIA_TRY(register_schema(registry_, {topic + "-value", SchemaKind::avro}, schema, timeout_)));
  if (marks_.size() >= kMostMarks) marks_.clear();
  return &marks_.emplace(place, std::move(marks)).first->second;
}

Result<std::string> AvroEncoder::key(const std::string& topic, const TableTarget& target, const Batch& batch,
                                     std::size_t row, KeyImage image) {
  std::string out = MAIA_TRY(marks_of(topic, target))->key;
  AvroWriter writer(out);
  for (const auto i : target.key) {
    const auto& column = image == KeyImage::before ? batch.old_key(i, row) : batch.after(i);
    if (column.has_value(row)) {
      writer.some();
      writer.value(target.schema->columns[i].type, column, row);
    } else {
      writer.null();
    }
  }
  return out;
}

void AvroEncoder::append_image(AvroWriter& out, const TableSchema& schema, const Batch& batch,
                               std::size_t row, bool before) const {
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const auto& column = before ? batch.before(i) : batch.after(i);
    if (!column.has_value(row)) {
      out.null();
      continue;
    }
    out.some();
    out.value(schema.columns[i].type, column, row);
  }
}

void AvroEncoder::append_source(AvroWriter& out, const TableTarget& target, const Transaction* transaction,
                                bool snapshot) const {
  const auto committed = transaction ? transaction->committed_at : 0;
  out.text(version());
  out.text("maia");
  out.text(pipeline_);
  out.number(committed / 1000);
  out.number(committed);
  out.boolean(snapshot);
  out.text(target.name.schema);
  out.text(target.name.table);
  transaction && !snapshot ? out.some(transaction->id) : out.null();
  transaction ? out.some(transaction->position.token) : out.null();
}

void AvroEncoder::append_envelope(AvroWriter& out, const TableTarget& target, const Batch& batch,
                                  std::size_t row, const Transaction& transaction,
                                  WallMicros written_at) const {
  const auto op = batch.op(row);
  if (has_before(batch, row)) {
    out.some();
    append_image(out, *target.schema, batch, row, true);
  } else {
    out.null();
  }
  if (op != Op::remove) {
    out.some();
    append_image(out, *target.schema, batch, row, false);
  } else {
    out.null();
  }
  append_source(out, target, &transaction, op == Op::read);
  out.text(codec::op_letter(op));
  out.number(written_at / 1000);
  if (op == Op::read) {
    out.null();
  } else {
    out.some(transaction.id);
    out.number(static_cast<std::int64_t>(batch.ordinal(row) - transaction.first_ordinal + 1));
  }
  out.some(transaction.operation_id(batch.ordinal(row)));
  append_unchanged(out, *target.schema, batch, row);
}

Result<std::string> AvroEncoder::value(const std::string& topic, const TableTarget& target,
                                       const Batch& batch, std::size_t row, const Transaction& transaction,
                                       WallMicros written_at) {
  std::string out = MAIA_TRY(marks_of(topic, target))->value;
  AvroWriter writer(out);
  if (format_ != Format::flat) {
    append_envelope(writer, target, batch, row, transaction, written_at);
    return out;
  }
  const auto op = batch.op(row);
  if (op == Op::remove && !batch.has_before()) {
    for (std::size_t i = 0; i < batch.columns(); ++i) writer.null();
  } else {
    append_image(writer, *target.schema, batch, row, op == Op::remove);
  }
  writer.text(codec::op_letter(op));
  writer.text(to_string(target.name));
  writer.boolean(op == Op::remove);
  writer.number(transaction.committed_at / 1000);
  writer.some(transaction.operation_id(batch.ordinal(row)));
  append_unchanged(writer, *target.schema, batch, row);
  return out;
}

Result<std::string> AvroEncoder::truncate(const std::string& topic, const TableTarget& target,
                                          WallMicros written_at) {
  std::string out = MAIA_TRY(marks_of(topic, target))->value;
  AvroWriter writer(out);
  if (format_ == Format::flat) {
    for (std::size_t i = 0; i < target.schema->columns.size(); ++i) writer.null();
    writer.text("t");
    writer.text(to_string(target.name));
    writer.boolean(false);
    writer.number(0);
    writer.null();
    writer.number(0);
    return out;
  }
  writer.null();
  writer.null();
  append_source(writer, target, nullptr, false);
  writer.text("t");
  writer.number(written_at / 1000);
  writer.null();
  writer.null();
  writer.number(0);
  return out;
}

}  // namespace maia::kafka
