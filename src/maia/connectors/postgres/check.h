// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "maia/connector/check.h"
#include "maia/connectors/postgres/catalog.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/source_config.h"

namespace maia::postgres {

/// Everything that capturing needs of a server, looked at without changing anything. `config` has the names
/// of publication and slot filled in; `tables` is what the configuration selects.
Result<Findings> check_capture(Connection& connection, const SourceConfig& config,
                               std::span<const SourceTable> tables);

}  // namespace maia::postgres
