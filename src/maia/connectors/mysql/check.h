// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "maia/base/result.h"
#include "maia/connector/check.h"
#include "maia/connector/source.h"
#include "maia/connectors/mysql/connection.h"

namespace maia::mysql {

/// What the server's binary log must be like; one finding per setting.
Result<Findings> check_log(Connection& connection);
/// All that capturing needs: the log, privileges, and the tables that are selected.
Result<Findings> check_capture(Connection& connection, const std::vector<SourceTable>& tables);

}  // namespace maia::mysql
