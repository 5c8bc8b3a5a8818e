// SPDX-License-Identifier: Apache-2.0
// links: maia_postgres
// Rows of an order table, from the bytes of pgoutput and of COPY into batches, in text and in binary. Under
// `valgrind --tool=callgrind` the instruction counts are the same on every machine.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <memory>

#include "maia/base/assert.h"
#include "maia/connectors/postgres/builtin_types.h"
#include "maia/connectors/postgres/copy_decoder.h"
#include "maia/connectors/postgres/pgoutput.h"
#include "maia/connectors/postgres/row_decoder.h"
#include "maia/connectors/postgres/wire.h"
#include "maia/connectors/postgres/wire_writer.h"

namespace {

using namespace maia;
using namespace maia::postgres;

struct Field {
  Oid oid;
  std::int32_t typmod;
  std::string text;
  std::string binary;
};

std::vector<Field> order() {
  const auto wire = [](auto... numbers) {
    WireWriter writer;
    (writer.number(numbers), ...);
    return std::string(writer.view());
  };
  const std::string note = "delivered to the neighbour on the left side";
  const std::string details = R"({"gift": true, "coupon": "SPRING", "weights": [1.5, 2.25]})";
  return {
      {oid::kInt8, -1, "123456789", wire(123456789LL)},
      {oid::kInt4, -1, "48213", wire(48213)},
      {oid::kNumeric, ((10 << 16) | 2) + 4, "12345.67",
       wire(std::int16_t{3}, std::int16_t{1}, std::int16_t{0}, std::int16_t{2}, std::int16_t{1},
            std::int16_t{2345}, std::int16_t{6700})},
      {oid::kTimestamptz, -1, "2026-11-23 22:29:50.123456+00", wire(848'788'190'123'456LL)},
      {oid::kText, -1, note, note},
      {oid::kJsonb, -1, details, '\x01' + details},
      {oid::kUuid, -1, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
       wire(-6'850'312'018'412'101'896LL, -4'941'101'921'028'879'855LL)},
      {oid::kBool, -1, "t", wire('\x01')},
      {oid::kFloat8, -1, "0.1", wire(0x3fb999999999999aLL)},
  };
}

struct Table {
  SchemaRef schema;
  std::vector<MappedType> mapped;
  std::vector<ValueDecoder> decoders;
  std::vector<RelationColumn> columns;
};

Table table_of(const std::vector<Field>& fields) {
  static constexpr std::string_view kNames[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
  Table table;
  TableSchema schema{.id = "1", .name = {"shop", "orders"}};
  for (const auto& field : fields) {
    const auto name = kNames[table.mapped.size()];
    table.mapped.push_back(map_type({.oid = field.oid, .typmod = field.typmod}));
    table.decoders.emplace_back(table.mapped.back());
    table.columns.push_back({.name = name, .type_oid = field.oid, .typmod = field.typmod});
    schema.columns.push_back({.name = std::string(name), .type = table.mapped.back().type});
  }
  table.schema = std::make_shared<const TableSchema>(std::move(schema));
  return table;
}

template <class Run>
void measure(std::string_view name, std::size_t rows, Run run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  fmt::print("{:24} {:>12.0f} rows/s\n", name, static_cast<double>(rows) / took.count());
}

constexpr std::size_t kBatchRows = 4096;

void decode_stream(const Table& table, std::string_view message, std::size_t rows) {
  const auto decoder = RowDecoder::compile(table.schema, table.mapped, {.columns = table.columns}).value();
  PgoutputParser parser;
  Batch batch(table.schema);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto parsed = parser.parse(as_bytes(message));
    MAIA_ASSERT(parsed.ok() && decoder.insert(batch, row, std::get<Insert>(*parsed)).ok());
    if (batch.rows() == kBatchRows) batch.clear();
  }
}

void decode_copy(const Table& table, CopyFormat format, std::string_view row_bytes, std::size_t rows) {
  CopyDecoder decoder(format, table.decoders);
  Batch batch(table.schema);
  if (format == CopyFormat::binary) {
    const auto header = WireWriter().raw({"PGCOPY\n\377\r\n\0", 11}).number(0).number(0);
    MAIA_ASSERT(decoder.feed(header.bytes(), batch).ok());
  }
  for (std::size_t row = 0; row < rows; ++row) {
    MAIA_ASSERT(decoder.feed(as_bytes(row_bytes), batch).ok());
    if (batch.rows() == kBatchRows) batch.clear();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const auto fields = order();
  const auto table = table_of(fields);
  WireWriter text_message;
  WireWriter binary_message;
  WireWriter binary_row;
  std::string text_row;
  for (auto* message : {&text_message, &binary_message}) {
    message->raw("I").number(1).raw("N").number(static_cast<std::uint16_t>(fields.size()));
  }
  binary_row.number(static_cast<std::uint16_t>(fields.size()));
  for (const auto& field : fields) {
    text_message.raw("t").number(static_cast<std::uint32_t>(field.text.size())).raw(field.text);
    binary_message.raw("b").number(static_cast<std::uint32_t>(field.binary.size())).raw(field.binary);
    binary_row.number(static_cast<std::uint32_t>(field.binary.size())).raw(field.binary);
    text_row += (text_row.empty() ? "" : "\t") + field.text;
  }
  text_row += '\n';
  measure("pgoutput, text", rows, [&] { decode_stream(table, text_message.view(), rows); });
  measure("pgoutput, binary", rows, [&] { decode_stream(table, binary_message.view(), rows); });
  measure("COPY, text", rows, [&] { decode_copy(table, CopyFormat::text, text_row, rows); });
  measure("COPY, binary", rows, [&] { decode_copy(table, CopyFormat::binary, binary_row.view(), rows); });
  return 0;
}
