// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/connector/fidelity.h"
#include "maia/connectors/mysql/native_type.h"
#include "maia/types/type.h"

namespace maia::mysql {

/// How a column of MySQL or MariaDB becomes a canonical one.
struct MappedType {
  Type type;
  Fidelity fidelity = Fidelity::exact;
  std::string note;  ///< what the canonical type does not carry; may be empty
};

/// A type that is not known is Fidelity::unsupported, never dropped.
MappedType map_type(const NativeType& type);

}  // namespace maia::mysql
