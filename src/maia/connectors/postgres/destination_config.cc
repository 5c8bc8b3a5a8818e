// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/destination_config.h"

namespace maia::postgres {

const config::Spec<DestinationConfig>& destination_spec() {
  static const auto spec =
      config::Spec<DestinationConfig>()
          .include(&DestinationConfig::connection, net::connection_spec())
          .add("schema", &DestinationConfig::schema, "Schema of tables whose name has none.")
          .add("foreign_keys", &DestinationConfig::foreign_keys,
               "What happens to foreign keys and triggers of the destination's tables while MAIA writes. "
               "`replica` "
               "checks and fires none, since the source has; it needs a superuser, or the right to set "
               "session_replication_role. `check` keeps both. `auto` is `replica` where the user may.")
          .advanced();
  return spec;
}

}  // namespace maia::postgres
