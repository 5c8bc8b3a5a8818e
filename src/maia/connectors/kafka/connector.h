// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/connector/connector.h"

namespace maia::kafka {

const Connector& connector();

}  // namespace maia::kafka
