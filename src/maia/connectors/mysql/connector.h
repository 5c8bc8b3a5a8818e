// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/connector/connector.h"

namespace maia::mysql {

const Connector& connector();

}  // namespace maia::mysql
