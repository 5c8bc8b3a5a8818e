// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/random_window.h"

#include <fmt/format.h>

namespace maia::testing {
namespace {

std::string text_of(const SchemaRef& schema) {
  if (!schema) return "none";
  auto text = fmt::format("{}/{}/v{}/{}", schema->id, to_string(schema->name), schema->version,
                          static_cast<int>(schema->identity));
  for (const auto& column : schema->columns) {
    text +=
        fmt::format(" {}:{}:{}{}{}:{}:{}:{}", column.name, to_string(column.type), column.nullable,
                    column.in_key, column.generated, column.native_type, column.id, column.type.dimensions);
  }
  return text;
}

std::string text_of(const ColumnVector& column) {
  std::string text = fmt::format("{}{} ", static_cast<int>(column.physical()), column.any_unchanged());
  for (std::size_t row = 0; row < column.size(); ++row) {
    const auto presence = column.presence(row);
    if (presence != Presence::value) {
      text += presence == Presence::null ? "N " : "U ";
    } else if (const auto each = width(column.physical()); each == 0) {
      text += fmt::format("'{}' ", column.text(row));
    } else {
      for (std::size_t i = 0; i < each; ++i)
        text += fmt::format("{:02x}", column.fixed_bytes()[row * each + i]);
      text += ' ';
    }
  }
  return text;
}

std::string text_of(const Window::Item& item) {
  if (const auto* batch = std::get_if<Batch>(&item)) return testing::dump(*batch);
  if (const auto* truncate = std::get_if<Truncate>(&item)) {
    auto text =
        fmt::format("truncate {} {} {}", truncate->cascade, truncate->restart_identity, truncate->ordinal);
    for (const auto& table : truncate->tables) text += " " + text_of(table);
    return text + "\n";
  }
  const auto& change = std::get<SchemaChange>(item);
  auto text =
      fmt::format("change {} {} -> {}", change.ordinal, text_of(change.before), text_of(change.after));
  for (const auto& column : change.columns) {
    text += fmt::format(" {} {} {} {}", static_cast<int>(column.kind), column.column, column.old_name,
                        column.existing_rows.value_or("-"));
  }
  return text + "\n";
}

}  // namespace

std::string RandomWindows::text(std::size_t longest) {
  std::string text(below(longest + 1), ' ');
  for (auto& c : text) c = static_cast<char>('a' + below(26));
  return text;
}

Type RandomWindows::type(bool element) {
  const auto id = TypeId{static_cast<std::uint8_t>(1 + below(element ? 16 : 17))};
  if (id == TypeId::decimal && below(2) == 0) {
    return Type::decimal(static_cast<std::uint16_t>(1 + below(38)), static_cast<std::uint16_t>(below(3)));
  }
  if (id == TypeId::array) return Type::array_of(type(true), static_cast<std::uint8_t>(below(3)));
  if (id == TypeId::string && below(3) == 0) return Type::text("inet");
  return Type::of(id);
}

SchemaRef RandomWindows::schema(std::uint32_t version) {
  auto schema = std::make_shared<TableSchema>();
  schema->id = text(6);
  schema->name = {text(5), "t" + text(10)};
  schema->version = version;
  schema->identity = below(2) == 0 ? Identity::key : Identity::full;
  schema->columns.resize(1 + below(12));
  for (std::size_t i = 0; i < schema->columns.size(); ++i) {
    auto& column = schema->columns[i];
    column.name = fmt::format("c{}_{}", i, text(5));
    column.type = i == 0 ? Type::of(TypeId::int64) : type();
    column.in_key = i == 0;
    column.nullable = i != 0;
    column.generated = below(10) == 0;
    column.native_type = text(8);
    column.id = text(3);
  }
  return schema;
}

void RandomWindows::push(ColumnVector& column, Presence presence) {
  if (presence == Presence::null) return column.push_null();
  if (presence == Presence::unchanged) return column.push_unchanged();
  const auto bits = below(3) == 0 ? random_() : below(100);
  switch (column.physical()) {
    case Physical::u8: return column.push_fixed(static_cast<std::uint8_t>(bits % 2));
    case Physical::i16: return column.push_fixed(static_cast<std::int16_t>(bits));
    case Physical::i32: return column.push_fixed(static_cast<std::int32_t>(bits));
    case Physical::i64: return column.push_fixed(static_cast<std::int64_t>(bits));
    case Physical::f32: return column.push_fixed(static_cast<float>(bits));
    case Physical::f64: return column.push_fixed(static_cast<double>(bits));
    case Physical::i128: return column.push_fixed(static_cast<int128>(bits) * 1000);
    case Physical::interval:
      return column.push_fixed(
          Interval{static_cast<std::int32_t>(bits), -3, static_cast<std::int64_t>(bits)});
    case Physical::uuid: {
      Uuid uuid;
      for (auto& byte : uuid.bytes) byte = static_cast<std::uint8_t>(below(256));
      return column.push_fixed(uuid);
    }
    case Physical::varlen: return column.push_text(text(bits % 40));
  }
}

Batch RandomWindows::batch(const SchemaRef& schema, std::size_t rows, std::uint64_t first_ordinal) {
  Batch batch(schema);
  const bool mixed = below(2) == 0;
  const bool nulls = below(2) == 0;
  auto ordinal = first_ordinal;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto op = mixed ? Op{static_cast<std::uint8_t>(below(4))} : Op::insert;
    batch.begin_row(op, ordinal);
    ordinal += 1 + (below(4) == 0 ? below(3) : 0);
    for (std::size_t i = 0; op != Op::remove && i < batch.columns(); ++i) {
      auto presence = nulls && i > 0 && below(4) == 0 ? Presence::null : Presence::value;
      if (op == Op::update && i > 0 && below(5) == 0) presence = Presence::unchanged;
      push(batch.mutable_after(i), presence);
    }
    if (op == Op::remove || (op == Op::update && below(3) == 0)) {
      for (std::size_t i = 0; i < batch.columns(); ++i) {
        const bool whole = schema->identity == Identity::full;
        push(batch.mutable_before(i), i == 0 || whole ? Presence::value : Presence::unchanged);
      }
    }
    batch.finish_row();
  }
  return batch;
}

Window RandomWindows::window(const SchemaRef& schema, std::size_t rows, std::uint64_t first_ordinal) {
  Window window;
  window.received_at = static_cast<WallMicros>(below(1'000'000));
  auto ordinal = first_ordinal;
  auto shape = schema;
  for (std::size_t left = rows; left > 0;) {
    const auto some = 1 + below(left);
    window.items.emplace_back(batch(shape, some, ordinal));
    left -= some;
    ordinal += some * 4;
    if (below(3) == 0) {
      window.items.emplace_back(Truncate{{shape}, below(2) == 0, below(2) == 0, ordinal++});
    } else if (below(3) == 0) {
      auto after = std::make_shared<TableSchema>(*shape);
      ++after->version;
      after->columns.push_back({.name = fmt::format("new_{}", after->version), .type = type(), .id = {}});
      SchemaChange change{shape, after, {}, ordinal++};
      change.columns.push_back({ColumnChange::Kind::add, after->columns.back().name, "", text(5)});
      shape = after;
      window.items.emplace_back(std::move(change));
    }
  }
  return window;
}

std::string dump(const Batch& batch) {
  auto text = fmt::format("batch {}\n", text_of(batch.schema()));
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    text += fmt::format("{}@{} ", static_cast<int>(batch.op(row)), batch.ordinal(row));
  }
  for (std::size_t i = 0; i < batch.columns(); ++i) text += "\n  after " + text_of(batch.after(i));
  for (std::size_t i = 0; batch.has_before() && i < batch.columns(); ++i)
    text += "\n  before " + text_of(batch.before(i));
  return text + "\n";
}

std::string dump(const Window& window) {
  auto text = fmt::format("window {} end '{}' continues {} at {}\n", window.sequence.value, window.end.token,
                          window.continues, window.received_at);
  for (const auto& each : window.transactions) {
    text += fmt::format("transaction {} '{}' {} {}\n", each.position.token, each.id, each.committed_at,
                        each.first_ordinal);
  }
  for (const auto& item : window.items) text += text_of(item);
  return text;
}

}  // namespace maia::testing
