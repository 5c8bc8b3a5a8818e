// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "maia/base/result.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/types/schema.h"

namespace maia::postgres {

/// What the rows that were there before hold in a column that was added, as text; nothing for NULL. The
/// server keeps the value of the time of adding (pg_attribute.attmissingval) until the table is rewritten;
/// after that, and if rows without a value show that the default came later, the current default tells.
/// Code::unsupported if every row got a value of its own (a volatile default): no log has these.
Result<std::optional<std::string>> existing_rows(Connection& connection, const TableSchema& table,
                                                 const Column& column);

}  // namespace maia::postgres
