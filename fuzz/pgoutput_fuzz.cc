// SPDX-License-Identifier: Apache-2.0
// links: maia_postgres
// A replication stream: frames of a 16-bit length and a message. Rows are decoded as their Relation message
// says, so that the text and binary forms of all built-in types are reached.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "maia/base/assert.h"
#include "maia/connectors/postgres/pgoutput.h"
#include "maia/connectors/postgres/row_decoder.h"
#include "maia/connectors/postgres/wire.h"

namespace {

using namespace maia;
using namespace maia::postgres;

struct Table {
  RowDecoder rows;
  Batch batch;
};

/// A built-in type; an array of it if the highest bit of its oid is set.
NativeType type_of(const RelationColumn& column) {
  constexpr Oid kArray = 0x80000000;
  NativeType type{.oid = column.type_oid & ~kArray, .typmod = column.typmod};
  if ((column.type_oid & kArray) == 0) return type;
  return {.oid = column.type_oid, .kind = TypeKind::array, .inner = std::make_shared<const NativeType>(type)};
}

std::optional<Table> table_of(const Relation& relation) {
  TableSchema schema{.id = std::to_string(relation.oid),
                     .name = {std::string(relation.schema), std::string(relation.name)}};
  std::vector<MappedType> mapped;
  for (const auto& column : relation.columns) {
    const NativeColumn native{.name = std::string(column.name), .type = type_of(column)};
    mapped.push_back(map_type(native.type));
    schema.columns.push_back(map_column(native, mapped.back()));
  }
  const auto shared = std::make_shared<const TableSchema>(std::move(schema));
  // Two columns of one name but different types do not compile, as no server would send them.
  auto rows = RowDecoder::compile(shared, mapped, relation);
  if (!rows.ok()) return {};
  return Table{std::move(rows).value(), Batch(shared)};
}

void decode(Table& table, const Message& message) {
  const auto before = table.batch.rows();
  Status status;
  if (const auto* insert = std::get_if<Insert>(&message))
    status = table.rows.insert(table.batch, before, *insert);
  if (const auto* update = std::get_if<Update>(&message))
    status = table.rows.update(table.batch, before, *update);
  if (const auto* removed = std::get_if<Delete>(&message))
    status = table.rows.remove(table.batch, before, *removed);
  MAIA_ASSERT(status.ok() || table.batch.rows() == before);
  for (std::size_t i = 0; i < table.batch.columns(); ++i) {
    MAIA_ASSERT(table.batch.after(i).size() == table.batch.rows());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  PgoutputParser parser;
  std::optional<Table> table;
  while (input.size() >= 2) {
    const auto length = std::min<std::size_t>(load<std::uint16_t>(input.data()), input.size() - 2);
    const auto message = parser.parse(as_bytes(input.substr(2, length)));
    input.remove_prefix(2 + length);
    if (!message.ok()) continue;
    if (const auto* relation = std::get_if<Relation>(&*message)) table = table_of(*relation);
    if (table) decode(*table, *message);
  }
  return 0;
}
