// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/config/json.h"
#include "maia/config/reference.h"

namespace maia::app {

Result<ExitCode> execute(const SchemaArguments& arguments, Outside& outside) {
  const auto connectors = connector_settings(outside.connectors);
  outside.out << (arguments.markdown ? config::pipeline_markdown(connectors)
                                     : to_json(config::pipeline_schema(connectors), 2) + "\n");
  return ExitCode::done;
}

}  // namespace maia::app
