// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/connector.h"

#include <algorithm>

#include "maia/connectors/duckdb/config.h"
#include "maia/connectors/duckdb/duckdb_destination.h"
#include "maia/net/uri.h"

namespace maia::duckdb {
namespace {

Result<std::unique_ptr<Destination>> open_destination(const config::Node& settings,
                                                      const Connector::OpenOptions& options) {
  auto config = MAIA_TRY(config_spec().read(settings, "destination duckdb"));
  // The rest of its share is what DuckDB takes beside its buffers (docs/decisions/0009).
  if (options.memory_bytes > 0 && !settings.find("memory_limit"))
    config.memory_limit = std::max(kLeastMemory, ByteSize{options.memory_bytes / 4 * 3});
  return std::make_unique<DuckDbDestination>(std::move(config));
}

/// duckdb:shop.duckdb, duckdb:///data/shop.duckdb; parameters are settings.
Result<config::Node> settings_from_uri(std::string_view text) {
  const auto uri = MAIA_TRY(net::parse_uri(text));
  config::Node::Mapping settings;
  // duckdb://shop.duckdb names the file where others name a host.
  settings.push_back({"path", {}, config::Node::text(uri.host + uri.path)});
  for (const auto& [name, value] : uri.query) {
    settings.push_back({name, {}, config::Node{config::Node::Scalar{value, false, false}, {}}});
  }
  return config::Node{std::move(settings), {}};
}

Connector describe() {
  Connector connector;
  connector.name = "duckdb";
  connector.title = "DuckDB";
  connector.summary = "A DuckDB database file that mirrors the source's tables.";
  connector.can = {
      .transactional = true, .upsert = true, .append = true, .schema_changes = true, .query = true};
  connector.guarantee = Guarantee::exactly_once_atomic;
  connector.destination_settings = config_spec().settings();
  connector.uri_schemes = {"duckdb"};
  connector.open_destination = open_destination;
  connector.settings_from_uri = settings_from_uri;
  return connector;
}

}  // namespace

const Connector& connector() {
  static const Connector connector = describe();
  return connector;
}

}  // namespace maia::duckdb
