// SPDX-License-Identifier: Apache-2.0
// links: maia_codec
// The canonical text of a value of every type: what is taken must come out as a text that is taken again and
// then stays the same, and must be printable as JSON.
#include <cstdint>
#include <string>
#include <vector>

#include "maia/base/assert.h"
#include "maia/codec/json_value.h"
#include "maia/types/value_text.h"

namespace {

using namespace maia;

const std::vector<Type>& types() {
  static const std::vector<Type> kTypes = [] {
    std::vector<Type> made;
    for (int id = static_cast<int>(TypeId::boolean); id < static_cast<int>(TypeId::array); ++id) {
      made.push_back(Type::of(static_cast<TypeId>(id)));
    }
    made.push_back(Type::decimal(10, 2));
    made.push_back(Type::decimal(38, 38));
    made.push_back(Type::array_of(Type::text()));
    made.push_back(Type::array_of(Type::of(TypeId::timestamp_tz)));
    made.push_back(Type::array_of(Type::text("box")));
    return made;
  }();
  return kTypes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  for (const auto& type : types()) {
    ColumnVector column(physical(type));
    if (!push_value_text(column, type, text).ok()) {
      MAIA_ASSERT(column.size() == 0);
      continue;
    }
    std::string once;
    append_value_text(once, type, column, 0);
    MAIA_ASSERT(push_value_text(column, type, once).ok());
    std::string twice;
    append_value_text(twice, type, column, 1);
    MAIA_ASSERT(once == twice);
    std::string json;
    codec::append_json_value(json, type, column, 0);
    MAIA_ASSERT(json.find('\n') == std::string::npos);
  }
  return 0;
}
