// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "maia/connector/fidelity.h"
#include "maia/connectors/postgres/native_type.h"
#include "maia/types/type.h"

namespace maia::postgres {

/// Oids of built-in types, the same in every database (PostgreSQL's pg_type.dat).
namespace oid {
inline constexpr Oid kBool = 16, kBytea = 17, kChar = 18, kName = 19, kInt8 = 20, kInt2 = 21, kInt4 = 23,
                     kText = 25, kOid = 26, kXid = 28, kCid = 29, kJson = 114, kXml = 142, kFloat4 = 700,
                     kFloat8 = 701, kUnknown = 705, kCidr = 650, kInet = 869, kMacaddr8 = 774, kMoney = 790,
                     kMacaddr = 829, kBpchar = 1042, kVarchar = 1043, kDate = 1082, kTime = 1083,
                     kTimestamp = 1114, kTimestamptz = 1184, kInterval = 1186, kTimetz = 1266, kBit = 1560,
                     kVarbit = 1562, kNumeric = 1700, kUuid = 2950, kJsonb = 3802, kXid8 = 5069;
}  // namespace oid

/// What a built-in type without modifier becomes.
struct BuiltinType {
  Oid oid = 0;
  TypeId id = TypeId::string;
  Fidelity fidelity = Fidelity::exact;
  bool has_binary = false;
  std::string_view form;
  std::string_view note;
};

/// The entry of a type, or null: then its kind and name decide (arrays, ranges, extension types).
const BuiltinType* find_builtin(Oid oid);

}  // namespace maia::postgres
