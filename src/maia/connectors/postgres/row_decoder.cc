// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/row_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/postgres/wire.h"

namespace maia::postgres {
namespace {

Error mismatch(const Relation& relation, const Column& column, std::string_view what) {
  return {.code = Error::Code::unsupported,
          .recovery = Recovery::halt,
          .message = fmt::format("column {} of {}.{} {}", column.name, relation.schema, relation.name, what),
          .hint = {}};
}

}  // namespace

Result<RowDecoder> RowDecoder::compile(SchemaRef schema, std::span<const MappedType> mapped,
                                       const Relation& relation) {
  MAIA_ASSERT(mapped.size() == schema->columns.size());
  RowDecoder decoder;
  decoder.width_ = relation.columns.size();
  for (std::size_t i = 0; i < mapped.size(); ++i) {
    const auto& column = schema->columns[i];
    const auto sent = std::ranges::find(relation.columns, column.name, &RelationColumn::name);
    if (sent == relation.columns.end()) return mismatch(relation, column, "is not in the stream of changes");
    if (sent->type_oid != mapped[i].native_oid) {
      return mismatch(relation, column, "has another type in the stream than in the catalogue");
    }
    decoder.decoders_.emplace_back(mapped[i]);
    decoder.fields_.push_back(
        {.place = static_cast<std::size_t>(sent - relation.columns.begin()), .in_key = sent->in_key});
  }
  decoder.schema_ = std::move(schema);
  return decoder;
}

Status RowDecoder::insert(Batch& batch, std::uint64_t ordinal, const Insert& message) const {
  return push_row(batch, Op::insert, ordinal, {.after = message.after});
}

Status RowDecoder::update(Batch& batch, std::uint64_t ordinal, const Update& message) const {
  return push_row(batch, Op::update, ordinal,
                  {.old_kind = message.old_kind, .before = message.before, .after = message.after});
}

Status RowDecoder::remove(Batch& batch, std::uint64_t ordinal, const Delete& message) const {
  return push_row(batch, Op::remove, ordinal, {.old_kind = message.old_kind, .before = message.before});
}

Status RowDecoder::push_row(Batch& batch, Op op, std::uint64_t ordinal, const Images& images) const {
  MAIA_ASSERT(batch.schema() == schema_);
  MAIA_TRY(fits(op, images));
  batch.begin_row(op, ordinal);
  auto pushed = op == Op::remove ? Status{} : push_after(batch, op, images);
  if (pushed.ok() && images.old_kind != OldTuple::none) pushed = push_before(batch, images);
  if (!pushed.ok()) [[unlikely]] {
    batch.drop_last_row();
    return pushed;
  }
  batch.finish_row();
  return {};
}

Status RowDecoder::fits(Op op, const Images& images) const {
  const auto wrong_after = op != Op::remove && images.after.size() != width_;
  const auto wrong_before = images.old_kind != OldTuple::none && images.before.size() != width_;
  if (!wrong_after && !wrong_before) [[likely]]
    return {};
  const auto size = wrong_after ? images.after.size() : images.before.size();
  return corrupt(fmt::format("has {} values where its table has {} columns", size, width_));
}

Error RowDecoder::corrupt(std::string_view what) const {
  return {.code = Error::Code::corruption,
          .recovery = Recovery::halt,
          .message = fmt::format("a row of {} {}", to_string(schema_->name), what),
          .hint = {}};
}

Status RowDecoder::push_after(Batch& batch, Op op, const Images& images) const {
  const auto& [old_kind, before, after] = images;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const auto& field = fields_[i];
    const auto* value = &after[field.place];
    if (value->kind == TupleValue::Kind::unchanged) [[unlikely]] {
      if (op == Op::insert) return corrupt("is new and leaves a value out");
      if (old_kind == OldTuple::full) value = &before[field.place];
    }
    const auto outcome = push(batch.mutable_after(i), i, *value);
    if (outcome != ValueDecoder::Outcome::ok) [[unlikely]]
      return value_error(outcome, i);
  }
  return {};
}

Status RowDecoder::push_before(Batch& batch, const Images& images) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    auto& column = batch.mutable_before(i);
    if (images.old_kind == OldTuple::key && !fields_[i].in_key) {
      column.push_unchanged();
      continue;
    }
    const auto outcome = push(column, i, images.before[fields_[i].place]);
    if (outcome != ValueDecoder::Outcome::ok) [[unlikely]]
      return value_error(outcome, i);
  }
  return {};
}

ValueDecoder::Outcome RowDecoder::push(ColumnVector& column, std::size_t index,
                                       const TupleValue& value) const {
  switch (value.kind) {
    case TupleValue::Kind::text: return decoders_[index].read_text(column, value.bytes);
    case TupleValue::Kind::binary: return decoders_[index].read_binary(column, as_bytes(value.bytes));
    case TupleValue::Kind::null: column.push_null(); break;
    case TupleValue::Kind::unchanged: column.push_unchanged(); break;
  }
  return ValueDecoder::Outcome::ok;
}

Error RowDecoder::value_error(ValueDecoder::Outcome outcome, std::size_t index) const {
  return decoders_[index].error(outcome).in(
      fmt::format("{}: column {}", to_string(schema_->name), schema_->columns[index].name));
}

}  // namespace maia::postgres
