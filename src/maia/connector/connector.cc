// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/connector.h"

namespace maia {

std::string_view to_string(Guarantee guarantee) {
  switch (guarantee) {
    case Guarantee::exactly_once_atomic: return "exactly once, source transactions atomic";
    case Guarantee::exactly_once_row: return "exactly once per row";
    case Guarantee::effectively_once: return "effectively once (repeated writes change nothing)";
    case Guarantee::at_least_once: return "at least once, with a stable operation id";
  }
  return "at least once";
}

}  // namespace maia
