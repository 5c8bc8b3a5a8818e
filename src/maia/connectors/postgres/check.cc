// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source.h"

namespace maia::postgres {

Result<Findings> PostgresSource::check() { return Findings{}; }

}  // namespace maia::postgres
