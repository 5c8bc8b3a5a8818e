// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/avro_writer.h"

#include "maia/connectors/kafka/registry_text.h"

namespace maia::kafka {

static_assert(std::endian::native == std::endian::little, "floats are copied as they lie in memory");

void AvroWriter::value(const Type& type, const ColumnVector& column, std::size_t row) {
  switch (type.id) {
    case TypeId::boolean: return boolean(column.fixed<std::uint8_t>(row) != 0);
    case TypeId::int16: return number(column.fixed<std::int16_t>(row));
    case TypeId::int32:
    case TypeId::date: return number(column.fixed<std::int32_t>(row));
    case TypeId::int64:
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamp_tz: return number(column.fixed<std::int64_t>(row));
    case TypeId::float32: return floating(column.fixed<float>(row));
    case TypeId::float64: return floating(column.fixed<double>(row));
    case TypeId::string:
    case TypeId::json:
    case TypeId::bytes: return text(column.text(row));
    case TypeId::decimal:
    case TypeId::interval:
    case TypeId::uuid:
    case TypeId::array: return text(registry_text(type, column, row));
  }
}

}  // namespace maia::kafka
