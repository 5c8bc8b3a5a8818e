// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/connector/connector.h"

namespace maia::postgres {

/// The descriptor of `type: postgres`.
const Connector& connector();

}  // namespace maia::postgres
