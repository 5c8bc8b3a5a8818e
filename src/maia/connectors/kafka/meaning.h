// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connectors/kafka/datum.h"

namespace maia::kafka {

/// What a schema says of a value beyond how it is written: the name of a Kafka Connect schema
/// ("io.debezium.time.MicroTimestamp") or an Avro logical type ("timestamp-micros").
struct Meaning {
  std::string name;
  std::optional<int> scale;      ///< of a decimal
  std::optional<int> precision;  ///< of a decimal
};

/// The canonical type of values that are written as `written` and mean this. What is not known means nothing:
/// the value is what is written.
Type type_meant(const Type& written, const Meaning& meaning);

/// Turns a value as it is written into what it means, with its type. Code::data if it cannot be.
Status give_meaning(Datum& datum, const Type& written, const Meaning& meaning);

/// The type that a person gives a column, and what numbers in it count where no schema says it.
struct DeclaredType {
  Type type;
  Meaning meaning;
};

/// By the name of a type, such as "int64", or by what schemas call the meaning of a number, such as
/// "timestamp-millis" or "io.debezium.time.Date". Nothing for another text.
std::optional<DeclaredType> declared_type(std::string_view text);

/// Turns a number of which nothing but its size is known into what is declared. Code::data if it cannot be.
Status give_declared(Datum& datum, const DeclaredType& declared);

/// The decimal that big-endian two's complement bytes are, with the point moved `scale` digits to the left.
std::string decimal_text(std::string_view bytes, int scale);

}  // namespace maia::kafka
