// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/row_decoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/mysql/json_node.h"

namespace maia::mysql {
namespace {

bool bit(ByteView bits, std::size_t at) { return (bits[at / 8] >> (at % 8) & 1) != 0; }

Op op_of(RowsKind kind) {
  switch (kind) {
    case RowsKind::insert: return Op::insert;
    case RowsKind::update: return Op::update;
    case RowsKind::remove: return Op::remove;
  }
  return Op::insert;
}

}  // namespace

RowDecoder::RowDecoder(SchemaRef schema, std::vector<ColumnDecoder> decoders, std::vector<std::size_t> places)
    : schema_(std::move(schema)),
      decoders_(std::move(decoders)),
      places_(std::move(places)),
      decoder_of_(schema_->columns.size()),
      key_(schema_->key()),
      json_columns_(static_cast<std::size_t>(
          std::count_if(decoders_.begin(), decoders_.end(), [](const auto& d) { return d.is_json(); }))) {
  for (std::size_t i = 0; i < places_.size(); ++i) decoder_of_[places_[i]] = i;
}

Error RowDecoder::error(std::string_view what) const {
  return Error{.code = Error::Code::corruption,
               .message = fmt::format("a row of {} in the binary log {}", to_string(schema_->name), what)};
}

Status RowDecoder::decode(const RowsEvent& rows, Batch& batch, std::uint64_t& ordinal) {
  if (rows.columns != decoders_.size()) return error("has another number of columns than its table");
  WireReader in(rows.images);
  while (in.left() > 0) {
    if (rows.kind != RowsKind::insert) MAIA_TRY(read_image(in, rows.before, false, before_));
    if (rows.kind != RowsKind::remove) MAIA_TRY(read_image(in, rows.after, rows.partial_json, after_));
    batch.begin_row(op_of(rows.kind), ordinal);
    if (auto pushed = push_row(rows, batch); !pushed.ok()) {
      batch.finish_row();
      batch.drop_last_row();
      return pushed;
    }
    batch.finish_row();
    ++ordinal;
  }
  return {};
}

Status RowDecoder::read_image(WireReader& in, ByteView columns, bool may_be_partial, Image& image) {
  image.assign(schema_->columns.size(), Cell{});
  constexpr std::uint64_t kPartialJson = 1;
  const bool partial = may_be_partial && (in.packed() & kPartialJson) != 0;
  const auto differs = partial ? in.bytes((json_columns_ + 7) / 8) : ByteView();
  std::size_t present = 0;
  for (std::size_t i = 0; i < decoders_.size(); ++i) present += bit(columns, i) ? 1 : 0;
  const auto nulls = in.bytes((present + 7) / 8);
  if (!in.ok()) return error("ends too early");
  const auto left = in.left();
  std::size_t place = 0, json = 0;
  for (std::size_t i = 0; i < decoders_.size(); ++i) {
    const auto json_place = decoders_[i].is_json() ? json++ : 0;
    if (!bit(columns, i)) continue;
    auto& cell = image[places_[i]];
    cell.presence = bit(nulls, place++) ? Presence::null : Presence::value;
    if (cell.presence == Presence::null) continue;
    cell.bytes = decoders_[i].take(in);
    cell.partial = partial && decoders_[i].is_json() && bit(differs, json_place);
  }
  if (!in.ok()) return error("ends too early");
  // An image without any bytes would be read for ever.
  if (left == in.left() && nulls.empty() && !partial) return error("has no columns");
  return {};
}

Status RowDecoder::push_row(const RowsEvent& rows, Batch& batch) {
  const auto op = op_of(rows.kind);
  if (op == Op::insert) return push_after(op, batch);
  const bool whole = schema_->identity == Identity::full;
  if (op == Op::remove) return push_before(batch, whole);
  MAIA_TRY(push_after(op, batch));
  return whole || key_changed() ? push_before(batch, whole) : Status();
}

Status RowDecoder::push_after(Op op, Batch& batch) {
  for (std::size_t i = 0; i < after_.size(); ++i) {
    const auto* cell = &after_[i];
    if (cell->presence == Presence::unchanged) {
      if (op == Op::insert) {
        return Error{Error::Code::unsupported, Recovery::halt,
                     fmt::format("a row that was inserted into {} leaves out column {}, and which default it "
                                 "had then the log does not tell",
                                 to_string(schema_->name), schema_->columns[i].name),
                     "SET GLOBAL binlog_row_image = 'FULL', and copy the table anew"};
      }
      // Only the image before it has a key that did not change.
      cell = &before_[i];
    }
    MAIA_TRY(push(i, *cell, batch.mutable_after(i)));
  }
  return {};
}

Status RowDecoder::push_before(Batch& batch, bool whole) {
  for (std::size_t i = 0; i < before_.size(); ++i) {
    auto& to = batch.mutable_before(i);
    if (!whole && !schema_->columns[i].in_key) {
      to.push_unchanged();
    } else if (before_[i].presence == Presence::unchanged) {
      return error("does not say which row it is: column " + schema_->columns[i].name + " is missing");
    } else {
      MAIA_TRY(push(i, before_[i], to));
    }
  }
  return {};
}

Status RowDecoder::push(std::size_t column, const Cell& cell, ColumnVector& to) {
  if (cell.presence == Presence::null) {
    to.push_null();
  } else if (cell.presence == Presence::unchanged) {
    to.push_unchanged();
  } else {
    auto pushed =
        cell.partial ? push_partial(column, cell, to) : decoders_[decoder_of_[column]].push(cell.bytes, to);
    if (!pushed.ok()) {
      return std::move(pushed).error().in(
          fmt::format("{}: column {}", to_string(schema_->name), schema_->columns[column].name));
    }
  }
  return {};
}

Status RowDecoder::push_partial(std::size_t column, const Cell& cell, ColumnVector& to) {
  constexpr std::size_t kLength = 4;
  const auto& old = before_[column];
  if (old.presence != Presence::value) return error("changes a part of a JSON value that is not there");
  auto document = MAIA_TRY(parse_json(old.bytes.subspan(kLength)));
  MAIA_TRY(apply_json_differences(document, cell.bytes.subspan(kLength)));
  std::string text;
  append_json(text, document);
  to.push_text(text);
  return {};
}

bool RowDecoder::key_changed() const {
  return std::any_of(key_.begin(), key_.end(), [&](std::size_t column) {
    const auto& now = after_[column];
    return now.presence != Presence::unchanged && !std::ranges::equal(now.bytes, before_[column].bytes);
  });
}

}  // namespace maia::mysql
