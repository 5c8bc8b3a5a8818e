// SPDX-License-Identifier: Apache-2.0
// links: maia_duckdb
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "maia/base/assert.h"
#include "maia/connectors/duckdb/array_literal.h"

/// Any text: it ends, elements lie within it, and an end that is no list gives no element after it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char delimiter : {',', ';'}) {
    maia::duckdb::ArrayLiteral literal(text, delimiter);
    std::size_t elements = 0;
    while (literal.next()) {
      MAIA_ASSERT(literal.element().size() <= size);
      MAIA_ASSERT(++elements <= size);
    }
    MAIA_ASSERT(!literal.next());
  }
  return 0;
}
