// SPDX-License-Identifier: Apache-2.0
#include "maia/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace maia {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "maia: internal error: %s does not hold at %s:%d; please report this\n", expression,
               file, line);
  std::abort();
}

}  // namespace maia
