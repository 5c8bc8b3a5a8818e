// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/connectors/kafka/destination_config.h"
#include "maia/types/schema.h"

namespace maia::kafka {

/// The schemas of a table's records, as JSON. Every column of a value may be null, since a before image has
/// only what the source sent, and so that columns may come and go (docs/reference/change-envelope.md).
std::string avro_key_schema(const std::string& topic, const TableSchema& schema,
                            const std::vector<std::size_t>& key);
std::string avro_value_schema(const std::string& topic, const TableSchema& schema, Format format);

}  // namespace maia::kafka
