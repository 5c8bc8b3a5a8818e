// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/protobuf_writer.h"

#include <bit>

#include "maia/connectors/kafka/registry_text.h"

namespace maia::kafka {

static_assert(std::endian::native == std::endian::little, "floats are copied as they lie in memory");

void ProtobufWriter::value(std::int32_t field, const Type& type, const ColumnVector& column,
                           std::size_t row) {
  switch (type.id) {
    case TypeId::boolean: return boolean(field, column.fixed<std::uint8_t>(row) != 0);
    case TypeId::int16: return number(field, column.fixed<std::int16_t>(row));
    case TypeId::int32:
    case TypeId::date: return number(field, column.fixed<std::int32_t>(row));
    case TypeId::int64:
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return number(field, column.fixed<std::int64_t>(row));
    case TypeId::float32: return floating(field, column.fixed<float>(row));
    case TypeId::float64: return floating(field, column.fixed<double>(row));
    case TypeId::string:
    case TypeId::json:
    case TypeId::bytes: return text(field, column.text(row));
    case TypeId::decimal:
    case TypeId::interval:
    case TypeId::uuid:
    case TypeId::array: return text(field, registry_text(type, column, row));
  }
}

}  // namespace maia::kafka
