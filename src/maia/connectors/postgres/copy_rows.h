// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/base/result.h"
#include "maia/connectors/postgres/connection.h"
#include "maia/connectors/postgres/write_target.h"

namespace maia::postgres {

/// Sends the batch's after images as whole rows (WriteTarget::written) into a COPY that has been started, in
/// pieces. After an error the COPY is aborted.
Status put_rows(Connection& connection, WriteTarget& target, const Batch& batch);
/// What is left of the rows, and the end of the COPY.
Status finish_rows(Connection& connection, WriteTarget& target);

}  // namespace maia::postgres
