// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/protobuf_encoder.h"

#include <fmt/format.h>

#include "maia/base/version.h"
#include "maia/codec/json_writer.h"
#include "maia/connectors/kafka/field_name.h"
#include "maia/connectors/kafka/protobuf_parser.h"
#include "maia/connectors/kafka/protobuf_schema.h"
#include "maia/connectors/kafka/protobuf_writer.h"
#include "maia/connectors/kafka/row_images.h"

namespace maia::kafka {
namespace {

constexpr std::size_t kMostShapes = 1000;
/// Behind the schema's number: the message is the first one of the schema.
constexpr char kFirstMessage = '\0';

/// Fields of the envelope and its parts, as protobuf_schema.cc declares them.
enum Envelope : std::int32_t { before = 1, after, source_of, op, ts_ms, transaction_of, maia_of };
enum Source : std::int32_t {
  version_of = 1,
  connector,
  name,
  at_ms,
  at_us,
  snapshot,
  schema_of,
  table,
  tx_id,
  position
};
enum InTransaction : std::int32_t { id = 1, total_order };
enum Maia : std::int32_t { operation = 1, unchanged_of };
/// Places of the flat form's own fields.
enum Flat : std::size_t {
  flat_op,
  flat_table,
  flat_deleted,
  flat_ts_ms,
  flat_operation,
  flat_unchanged,
  flat_fields
};

}  // namespace

template <class Text>
Result<ProtobufEncoder::Registered> ProtobufEncoder::registered(const std::string& subject, const char* name,
                                                                ProtobufMessage message, Text text) const {
  const SchemaSubject place{subject, SchemaKind::protobuf};
  ProtobufMessage last;
  if (const auto known = MAIA_TRY(latest_schema(registry_, place, timeout_))) {
    last = MAIA_TRY(parse_protobuf_message(*known, name));
  }
  MAIA_TRY(number_fields(message, last));
  const auto number = MAIA_TRY(register_schema(registry_, place, text(message), timeout_));
  Registered result{schema_mark(number) + kFirstMessage, {}};
  for (const auto& field : message.fields) result.fields.push_back(field.number);
  return result;
}

Result<const ProtobufEncoder::Shape*> ProtobufEncoder::shape_of(const std::string& topic,
                                                                const TableTarget& target) {
  const std::pair place(topic, target.schema);
  if (const auto known = shapes_.find(place); known != shapes_.end()) return &known->second;
  MAIA_TRY(verify_field_names(*target.schema));
  Shape shape;
  if (!target.key.empty()) {
    shape.key = MAIA_TRY(registered(topic + "-key", "Key", protobuf_key(*target.schema, target.key),
                                    [&](const auto& key) { return protobuf_key_schema(topic, key); }));
  }
  shape.row =
      MAIA_TRY(registered(topic + "-value", "Value", protobuf_row(*target.schema, format_),
                          [&](const auto& row) { return protobuf_value_schema(topic, row, format_); }));
  if (shapes_.size() >= kMostShapes) shapes_.clear();
  return &shapes_.emplace(place, std::move(shape)).first->second;
}

Result<std::string> ProtobufEncoder::key(const std::string& topic, const TableTarget& target,
                                         const Batch& batch, std::size_t row, KeyImage image) {
  const auto& key = MAIA_TRY(shape_of(topic, target))->key;
  std::string out = key.mark;
  ProtobufWriter writer(out);
  for (std::size_t i = 0; i < target.key.size(); ++i) {
    const auto at = target.key[i];
    const auto& column = image == KeyImage::before ? batch.old_key(at, row) : batch.after(at);
    if (column.has_value(row)) writer.value(key.fields[i], target.schema->columns[at].type, column, row);
  }
  return out;
}

std::string ProtobufEncoder::image(const Registered& row, const TableSchema& schema, const Batch& batch,
                                   std::size_t at, bool before) const {
  const auto first = row.fields.size() - schema.columns.size();
  std::string out;
  ProtobufWriter writer(out);
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const auto& column = before ? batch.before(i) : batch.after(i);
    if (column.has_value(at)) writer.value(row.fields[first + i], schema.columns[i].type, column, at);
  }
  return out;
}

std::string ProtobufEncoder::source(const TableTarget& target, const Origin& origin) const {
  const auto committed = origin.transaction ? origin.transaction->committed_at : 0;
  const bool read = origin.op == codec::op_letter(Op::read);
  std::string out;
  ProtobufWriter writer(out);
  writer.text(Source::version_of, version());
  writer.text(Source::connector, "maia");
  writer.text(Source::name, pipeline_);
  writer.number(Source::at_ms, committed / 1000);
  writer.number(Source::at_us, committed);
  writer.boolean(Source::snapshot, read);
  writer.text(Source::schema_of, target.name.schema);
  writer.text(Source::table, target.name.table);
  if (origin.transaction && !read) writer.text(Source::tx_id, origin.transaction->id);
  if (origin.transaction) writer.text(Source::position, origin.transaction->position.token);
  return out;
}

std::string ProtobufEncoder::envelope(const TableTarget& target, const Origin& origin) const {
  std::string out;
  ProtobufWriter writer(out);
  writer.text(Envelope::source_of, source(target, origin));
  writer.text(Envelope::op, origin.op);
  writer.number(Envelope::ts_ms, origin.written_at / 1000);
  std::string part;
  ProtobufWriter in_part(part);
  if (origin.transaction && origin.op != codec::op_letter(Op::read)) {
    in_part.text(InTransaction::id, origin.transaction->id);
    in_part.number(InTransaction::total_order,
                   static_cast<std::int64_t>(origin.ordinal - origin.transaction->first_ordinal + 1));
    writer.text(Envelope::transaction_of, part);
    part.clear();
  }
  if (origin.transaction) in_part.text(Maia::operation, origin.transaction->operation_id(origin.ordinal));
  for (const auto& field : origin.unchanged) in_part.text(Maia::unchanged_of, field);
  writer.text(Envelope::maia_of, part);
  return out;
}

std::string ProtobufEncoder::flat(const Registered& row, const TableTarget& target,
                                  const Origin& origin) const {
  std::string out;
  ProtobufWriter writer(out);
  writer.text(row.fields[flat_op], origin.op);
  writer.text(row.fields[flat_table], to_string(target.name));
  writer.boolean(row.fields[flat_deleted], origin.op == codec::op_letter(Op::remove));
  writer.number(row.fields[flat_ts_ms], origin.transaction ? origin.transaction->committed_at / 1000 : 0);
  if (origin.transaction)
    writer.text(row.fields[flat_operation], origin.transaction->operation_id(origin.ordinal));
  for (const auto& field : origin.unchanged) writer.text(row.fields[flat_unchanged], field);
  return out;
}

Result<std::string> ProtobufEncoder::value(const std::string& topic, const TableTarget& target,
                                           const Batch& batch, std::size_t row,
                                           const Transaction& transaction, WallMicros written_at) {
  const auto& shape = MAIA_TRY(shape_of(topic, target))->row;
  const auto op = batch.op(row);
  const Origin origin{.op = codec::op_letter(op),
                      .transaction = &transaction,
                      .ordinal = batch.ordinal(row),
                      .written_at = written_at,
                      .unchanged = unchanged_fields(*target.schema, batch, row)};
  std::string out = shape.mark;
  if (format_ == Format::flat) {
    out += flat(shape, target, origin);
    if (op != Op::remove || batch.has_before())
      out += image(shape, *target.schema, batch, row, op == Op::remove);
    return out;
  }
  ProtobufWriter writer(out);
  if (has_before(batch, row)) writer.text(Envelope::before, image(shape, *target.schema, batch, row, true));
  if (op != Op::remove) writer.text(Envelope::after, image(shape, *target.schema, batch, row, false));
  return out + envelope(target, origin);
}

Result<std::string> ProtobufEncoder::truncate(const std::string& topic, const TableTarget& target,
                                              WallMicros written_at) {
  const auto& shape = MAIA_TRY(shape_of(topic, target))->row;
  const Origin origin{
      .op = "t", .transaction = nullptr, .ordinal = 0, .written_at = written_at, .unchanged = {}};
  return shape.mark + (format_ == Format::flat ? flat(shape, target, origin) : envelope(target, origin));
}

}  // namespace maia::kafka
