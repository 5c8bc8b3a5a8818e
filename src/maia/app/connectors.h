// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "maia/config/pipeline_file.h"
#include "maia/connector/connector.h"

namespace maia::app {

using Connectors = std::span<const Connector* const>;

/// Every connector that this program was built with, by name.
Connectors built_in_connectors();

/// Null if there is none.
const Connector* find_connector(Connectors connectors, std::string_view name);

/// The connector that answers for a URI of `maia sync`; an error lists the known schemes.
Result<const Connector*> connector_of_uri(Connectors connectors, std::string_view uri);

/// What the pipeline file's reader must know of them.
std::vector<config::ConnectorSettings> connector_settings(Connectors connectors);

}  // namespace maia::app
