// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "maia/types/schema.h"

namespace maia {

/// How faithfully a mapping between a native and a canonical type keeps values; ordered from best to worst.
enum class Fidelity : std::uint8_t {
  exact,        ///< every value, and the type can be told again
  widened,      ///< every value, in a type with more room
  as_text,      ///< every value, as text
  lossy,        ///< some values change; needs the user's consent
  unsupported,  ///< refused at plan
};
std::string_view to_string(Fidelity fidelity);

/// One column's way through one end of a pipeline.
struct ColumnMapping {
  std::string column;
  std::string native_type;  ///< at that end
  Fidelity fidelity = Fidelity::exact;
  std::string note;  ///< what is lost, or what to write instead; may be empty
};

}  // namespace maia
