// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "maia/app/connectors.h"
#include "maia/config/nearest.h"
#include "maia/net/uri.h"

namespace maia::app {

const Connector* find_connector(Connectors connectors, std::string_view name) {
  const auto found =
      std::find_if(connectors.begin(), connectors.end(), [&](const Connector* c) { return c->name == name; });
  return found == connectors.end() ? nullptr : *found;
}

Result<const Connector*> connector_of_uri(Connectors connectors, std::string_view uri) {
  const auto scheme = MAIA_TRY(net::parse_uri(uri)).scheme;
  std::vector<std::string> known;
  for (const auto* connector : connectors) {
    for (const auto& own : connector->uri_schemes) {
      if (own == scheme) return connector;
      known.push_back(own);
    }
  }
  auto hint = config::did_you_mean(scheme, known);
  if (!hint.empty()) hint += ' ';
  return Error{Error::Code::invalid_config, Recovery::halt,
               fmt::format("no connector answers for {}: URIs", scheme),
               hint + "known schemes are " + config::listed(known)};
}

std::vector<config::ConnectorSettings> connector_settings(Connectors connectors) {
  std::vector<config::ConnectorSettings> out;
  for (const auto* c : connectors) out.push_back({c->name, c->source_settings, c->destination_settings});
  return out;
}

}  // namespace maia::app
