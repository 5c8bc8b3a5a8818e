// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/source_config.h"

#include <algorithm>

namespace maia::mysql {

const config::Spec<SourceConfig>& source_spec() {
  static const auto spec =
      config::Spec<SourceConfig>()
          .include(&SourceConfig::connection, net::connection_spec())
          .add("tables", &SourceConfig::tables,
               "Tables to take: names, database.name, patterns with * and ?, and exclusions with ! in front. "
               "Absent: every table of `database`, or of all databases without it.")
          .example("[customers, \"sales.*\", \"!sales.tmp_*\"]")
          .add("zero_dates", &SourceConfig::zero_dates,
               "What becomes of 0000-00-00 and of days that no calendar has: `refuse` stops with an error, "
               "`null` makes them NULL.")
          .add("chunk_rows", &SourceConfig::chunk_rows,
               "How many rows of a table one piece of a snapshot reads. Smaller pieces lose less work in a "
               "restart.")
          .between(1'000U, 100'000'000U)
          .advanced()
          .rule([](const SourceConfig& c) -> Status {
            const auto bare = std::find_if(c.tables.begin(), c.tables.end(), [](const std::string& pattern) {
              return pattern.find('.') == pattern.npos;
            });
            if (!c.connection.database.empty() || bare == c.tables.end()) return {};
            return Error{Error::Code::invalid_config, Recovery::halt,
                         "tables: '" + *bare + "' does not say in which database",
                         "write database." + *bare + ", or set `database`"};
          });
  return spec;
}

}  // namespace maia::mysql
