// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/connector.h"

#include "maia/connectors/mysql/destination.h"
#include "maia/connectors/mysql/source.h"
#include "maia/net/connection.h"
#include "maia/net/uri.h"

namespace maia::mysql {
namespace {

Result<std::unique_ptr<Source>> open_source(const config::Node& node, const Connector::OpenOptions& options) {
  const auto expanded = MAIA_TRY(net::expand_url(node));
  auto config = MAIA_TRY(source_spec().read(expanded, "source"));
  auto again = net::connection_again(options.settings_again, source_spec(), "source");
  return std::unique_ptr<Source>(
      std::make_unique<MysqlSource>(std::move(config), options.pipeline, std::move(again)));
}

Result<std::unique_ptr<Destination>> open_destination(const config::Node& node,
                                                      const Connector::OpenOptions&) {
  const auto expanded = MAIA_TRY(net::expand_url(node));
  auto config = MAIA_TRY(destination_spec().read(expanded, "destination"));
  return std::unique_ptr<Destination>(std::make_unique<MysqlDestination>(std::move(config)));
}

}  // namespace

const Connector& connector() {
  static const Connector connector = {
      .name = "mysql",
      .title = "MySQL and MariaDB",
      .summary = "MySQL and MariaDB, read from the binary log and written set-wise.",
      .can = {.snapshot = true,
              .stream = true,
              .transactional = true,
              .upsert = true,
              .append = true,
              .schema_changes = true},
      .guarantee = Guarantee::exactly_once_atomic,
      .source_settings = source_spec().settings(),
      .destination_settings = destination_spec().settings(),
      .uri_schemes = {"mysql", "mariadb"},
      .open_source = open_source,
      .open_destination = open_destination,
      .settings_from_uri = [](std::string_view uri) -> Result<config::Node> {
        return net::settings_of(MAIA_TRY(net::parse_uri(uri)));
      },
  };
  return connector;
}

}  // namespace maia::mysql
