// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "maia/connectors/kafka/datum.h"

namespace maia::kafka {

/// Reads JSON. An object of a `schema` and a `payload`, as Kafka Connect's JSON converter writes it, is the
/// payload with the types that the schema says. Code::data for what is no JSON. Takes any bytes.
Result<Datum> read_json(std::string_view text);

}  // namespace maia::kafka
