// SPDX-License-Identifier: Apache-2.0
// links: maia_transforms
// A mapping script of any bytes is refused with a place or bound to a table; what it is bound to makes SQL
// whose brackets and quotes close, so that no script reaches beyond its expression.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "maia/base/assert.h"
#include "maia/transforms/script.h"

namespace {

using namespace maia;
using namespace maia::transforms;

SchemaRef table() {
  auto made = std::make_shared<TableSchema>();
  made->name = {"public", "t"};
  made->columns = {{.name = "id", .type = Type::of(TypeId::int64), .in_key = true, .id = {}},
                   {.name = "email", .type = Type::text(), .id = {}},
                   {.name = "j", .type = Type::of(TypeId::json), .id = {}}};
  return made;
}

bool closes(std::string_view sql) {
  std::string open;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    const char c = sql[i];
    if (c == '\'' || c == '"') {
      i = sql.find(c, i + 1);
      if (i == sql.npos) return false;
    } else if (c == '(' || c == '[' || c == '{') {
      open += c;
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != (c == ')' ? '(' : c == ']' ? '[' : '{')) return false;
      open.pop_back();
    } else if (c == ';' || (c == '-' && i + 1 < sql.size() && sql[i + 1] == '-')) {
      return false;
    }
  }
  return open.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto schema = table();
  const auto script = Script::parse({reinterpret_cast<const char*>(data), size});
  if (!script.ok()) {
    MAIA_ASSERT(script.error().code == Error::Code::invalid_config);
    MAIA_ASSERT(script.error().message.starts_with("line "));
    return 0;
  }
  const auto mapping = script->bind(*schema);
  if (!mapping.ok()) {
    MAIA_ASSERT(mapping.error().message.starts_with("line "));
    return 0;
  }
  for (const auto& expression : mapping->expressions) MAIA_ASSERT(closes(expression.sql));
  MAIA_ASSERT(!mapping->outputs.empty());
  return 0;
}
