// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "maia/connector/fidelity.h"
#include "maia/connectors/postgres/native_type.h"
#include "maia/types/schema.h"

namespace maia::postgres {

/// How a column of PostgreSQL becomes a canonical one.
struct MappedType {
  Type type;
  Fidelity fidelity = Fidelity::exact;
  std::string note;         ///< what the canonical type does not carry; may be empty
  bool has_binary = false;  ///< ValueDecoder reads the binary form as well as the text
  Oid native_oid = 0;       ///< the column's declared type; what Relation messages name
  Oid decoded_oid = 0;      ///< the built-in type that values are decoded as; 0 for types beyond those
  std::shared_ptr<const MappedType> element;  ///< of an array with a binary form
};

/// Never fails and never drops: a type that is not known is mapped to its output text, and says so. Types are
/// told apart by oid where they are built in, otherwise by kind, and extension types (hstore, citext) by
/// name.
MappedType map_type(const NativeType& type, std::uint16_t dimensions = 0);

/// The column of the schema and of the plan. `in_key` is left to the caller.
Column map_column(const NativeColumn& column, const MappedType& mapped);
ColumnMapping mapping_of(const NativeColumn& column, const MappedType& mapped);

}  // namespace maia::postgres
