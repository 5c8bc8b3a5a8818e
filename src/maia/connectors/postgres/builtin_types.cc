// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/builtin_types.h"

#include <algorithm>

namespace maia::postgres {
namespace {

constexpr auto kExact = Fidelity::exact;
constexpr auto kWidened = Fidelity::widened;
constexpr auto kAsText = Fidelity::as_text;

// In the order of their oids.
constexpr BuiltinType kBuiltins[] = {
    {oid::kBool, TypeId::boolean, kExact, true, "", ""},
    {oid::kBytea, TypeId::bytes, kExact, true, "", ""},
    {oid::kChar, TypeId::string, kWidened, true, "", "one byte; above 127 as \\ooo"},
    {oid::kName, TypeId::string, kWidened, true, "", "identifier of up to 63 bytes"},
    {oid::kInt8, TypeId::int64, kExact, true, "", ""},
    {oid::kInt2, TypeId::int16, kExact, true, "", ""},
    {22, TypeId::string, kAsText, false, "", "int2vector as its output text"},
    {oid::kInt4, TypeId::int32, kExact, true, "", ""},
    {24, TypeId::string, kAsText, false, "", "name of a function"},
    {oid::kText, TypeId::string, kExact, true, "", ""},
    {oid::kOid, TypeId::int64, kWidened, true, "", "unsigned 32-bit number"},
    {27, TypeId::string, kAsText, false, "", "row address as its output text"},
    {oid::kXid, TypeId::int64, kWidened, true, "", "unsigned 32-bit number"},
    {oid::kCid, TypeId::int64, kWidened, true, "", "unsigned 32-bit number"},
    {30, TypeId::string, kAsText, false, "", "oidvector as its output text"},
    {oid::kJson, TypeId::json, kExact, true, "", ""},
    {oid::kXml, TypeId::string, kAsText, true, "xml", ""},
    {600, TypeId::string, kAsText, false, "point", ""},
    {601, TypeId::string, kAsText, false, "lseg", ""},
    {602, TypeId::string, kAsText, false, "path", ""},
    {603, TypeId::string, kAsText, false, "box", ""},
    {604, TypeId::string, kAsText, false, "polygon", ""},
    {628, TypeId::string, kAsText, false, "line", ""},
    {oid::kCidr, TypeId::string, kAsText, true, "cidr", ""},
    {oid::kFloat4, TypeId::float32, kExact, true, "", ""},
    {oid::kFloat8, TypeId::float64, kExact, true, "", ""},
    {oid::kUnknown, TypeId::string, kWidened, true, "", "text of no type"},
    {718, TypeId::string, kAsText, false, "circle", ""},
    {oid::kMacaddr8, TypeId::string, kAsText, true, "macaddr8", ""},
    {oid::kMoney, TypeId::string, kAsText, true, "money",
     "two digits after the point, as the C locale prints it"},
    {oid::kMacaddr, TypeId::string, kAsText, true, "macaddr", ""},
    {oid::kInet, TypeId::string, kAsText, true, "inet", ""},
    {oid::kBpchar, TypeId::string, kExact, true, "bpchar", ""},
    {oid::kVarchar, TypeId::string, kExact, true, "", ""},
    {oid::kDate, TypeId::date, kExact, true, "", ""},
    {oid::kTime, TypeId::time, kExact, true, "", ""},
    {oid::kTimestamp, TypeId::timestamp, kExact, true, "", ""},
    {oid::kTimestamptz, TypeId::timestamp_tz, kExact, true, "", ""},
    {oid::kInterval, TypeId::interval, kExact, true, "", ""},
    {oid::kTimetz, TypeId::string, kAsText, true, "timetz", ""},
    {oid::kBit, TypeId::string, kAsText, true, "bit", ""},
    {oid::kVarbit, TypeId::string, kAsText, true, "varbit", ""},
    {oid::kNumeric, TypeId::decimal, kExact, true, "", ""},
    {oid::kUuid, TypeId::uuid, kExact, true, "", ""},
    {3614, TypeId::string, kAsText, false, "tsvector", ""},
    {3615, TypeId::string, kAsText, false, "tsquery", ""},
    {oid::kJsonb, TypeId::json, kExact, true, "jsonb", ""},
    {oid::kXid8, TypeId::decimal, kWidened, true, "", "unsigned 64-bit number"},
};
static_assert(std::ranges::is_sorted(kBuiltins, {}, &BuiltinType::oid));

}  // namespace

const BuiltinType* find_builtin(Oid oid) {
  const auto found = std::ranges::lower_bound(kBuiltins, oid, {}, &BuiltinType::oid);
  return found != std::end(kBuiltins) && found->oid == oid ? &*found : nullptr;
}

}  // namespace maia::postgres
