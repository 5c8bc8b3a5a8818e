// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/connector/connector.h"

namespace maia::duckdb {

const Connector& connector();

}  // namespace maia::duckdb
