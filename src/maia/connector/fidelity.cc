// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/fidelity.h"

namespace maia {

std::string_view to_string(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::exact: return "exact";
    case Fidelity::widened: return "widened";
    case Fidelity::as_text: return "as text";
    case Fidelity::lossy: return "lossy";
    case Fidelity::unsupported: return "unsupported";
  }
  return "unsupported";
}

}  // namespace maia
