// SPDX-License-Identifier: Apache-2.0
// links: maia_mysql
// Events of a binary log: their parsing, and the rows of them by the table that they map. The first byte says
// whether what follows is one event, or the events of a transaction's payload.
#include <cstdint>
#include <utility>
#include <vector>

#include "maia/base/assert.h"
#include "maia/connectors/mysql/binlog_event.h"
#include "maia/connectors/mysql/log_shape.h"
#include "maia/connectors/mysql/row_decoder.h"
#include "maia/connectors/mysql/statement.h"

namespace {

using namespace maia;
using namespace maia::mysql;

/// A decoder for rows of the map, if the log alone describes the table.
std::optional<RowDecoder> decoder_of(const TableMap& map) {
  TableSchema schema;
  schema.name = map.name;
  schema.identity = map.key.empty() ? Identity::full : Identity::key;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    auto wire = map.columns[i];
    wire.name = "c" + std::to_string(i);
    auto column = column_from_log(wire, nullptr, nullptr, {});
    if (!column.ok()) return {};
    for (const auto key : map.key) column->in_key = column->in_key || key == i;
    schema.columns.push_back(std::move(column).value());
  }
  std::vector<ColumnDecoder> decoders;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    auto native = native_of(schema.columns[i]);
    if (!native.ok()) return {};
    auto decoder = ColumnDecoder::make(map.columns[i], std::move(native).value(), schema.columns[i].type,
                                       ZeroDates::null);
    if (!decoder.ok()) return {};
    decoders.push_back(std::move(decoder).value());
    places.push_back(i);
  }
  return RowDecoder(std::make_shared<const TableSchema>(std::move(schema)), std::move(decoders),
                    std::move(places));
}

void take(const Event& event, std::optional<RowDecoder>& decoder) {
  if (const auto* map = std::get_if<TableMap>(&event.body)) decoder = decoder_of(*map);
  if (const auto* query = std::get_if<Query>(&event.body)) read_statement(query->text, query->database);
  const auto* rows = std::get_if<RowsEvent>(&event.body);
  if (rows == nullptr || !decoder) return;
  Batch batch(decoder->schema());
  std::uint64_t ordinal = 0;
  const auto decoded = decoder->decode(*rows, batch, ordinal);
  MAIA_ASSERT(!decoded.ok() || batch.rows() == ordinal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  ByteView in(bytes + 1, size - 1);
  EventParser parser;
  if ((bytes[0] & 1) != 0) {
    static_cast<void>(parser.parse(in));
    return 0;
  }
  std::optional<RowDecoder> decoder;
  while (!in.empty()) {
    const auto event = parser.parse_from_payload(in);
    if (!event.ok()) break;
    take(*event, decoder);
  }
  return 0;
}
