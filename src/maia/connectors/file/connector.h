// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/connector/connector.h"

namespace maia::file {

/// The descriptor; lives for ever.
const Connector& connector();

}  // namespace maia::file
