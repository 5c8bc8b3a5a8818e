// SPDX-License-Identifier: Apache-2.0
#include "maia/base/version.h"

namespace maia {

std::string_view version() { return MAIA_VERSION; }

}  // namespace maia
