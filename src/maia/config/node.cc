// SPDX-License-Identifier: Apache-2.0
#include "maia/config/node.h"

#include <fmt/format.h>

namespace maia::config {

std::string to_string(const Mark& mark) {
  if (mark.line == 0) return mark.file;
  return fmt::format("{}:{}:{}", mark.file, mark.line, mark.column);
}

}  // namespace maia::config
