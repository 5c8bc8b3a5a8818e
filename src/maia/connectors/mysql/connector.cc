// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/connector.h"

#include "maia/net/connection.h"
#include "maia/net/uri.h"

namespace maia::mysql {

const Connector& connector() {
  static const Connector connector = {
      .name = "mysql",
      .title = "MySQL and MariaDB",
      .summary = "MySQL and MariaDB.",
      .uri_schemes = {"mysql", "mariadb"},
      .settings_from_uri = [](std::string_view uri) -> Result<config::Node> {
        return net::settings_of(MAIA_TRY(net::parse_uri(uri)));
      },
  };
  return connector;
}

}  // namespace maia::mysql
