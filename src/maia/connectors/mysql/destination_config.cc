// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/destination_config.h"

namespace maia::mysql {
namespace {

Status check_database(const DestinationConfig& config) {
  if (!config.connection.database.empty() || !config.connection.url.empty()) return {};
  return Error{Error::Code::invalid_config, Recovery::halt, "database: a MySQL destination needs one",
               "write where tables go, such as database: shop"};
}

}  // namespace

const config::Spec<DestinationConfig>& destination_spec() {
  static const auto spec =
      config::Spec<DestinationConfig>()
          .include(&DestinationConfig::connection, net::connection_spec())
          .add("default_schema", &DestinationConfig::default_schema,
               "Schema whose tables go to `database`, as those without a schema do; tables of another schema "
               "go to the database of that name.")
          .advanced()
          .add(
              "foreign_keys", &DestinationConfig::foreign_keys,
              "What happens to foreign keys of the destination's tables while MAIA writes. `off` checks none "
              "and cascades nothing, since the source has; `check` keeps both, and writes row by row in the "
              "source's order.")
          .advanced()
          .rule(check_database);
  return spec;
}

}  // namespace maia::mysql
