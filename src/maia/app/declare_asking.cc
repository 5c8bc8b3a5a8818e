// SPDX-License-Identifier: Apache-2.0
#include "maia/app/declarations.h"

namespace maia::app {

void declare_asking(CommandSet& commands) {
  auto& connectors =
      commands.add<ConnectorsArguments>("connectors", "List the connectors, or the settings of one.");
  connectors.argument("NAME", connectors.arguments.name, "Connector.");
  connectors.json(connectors.arguments.json);

  auto& schema =
      commands.add<SchemaArguments>("schema", "Print the JSON Schema of pipeline files, for editors.");
  schema.flag("--markdown", schema.arguments.markdown,
              "Print the reference of all settings in Markdown instead.");

  auto& completion =
      commands.add<CompletionArguments>("completion", "Print a completion script for a shell.");
  completion.action("SHELL", "bash, zsh or fish.", completion.arguments.shell, {"bash", "zsh", "fish"})
      ->required();

  auto& version = commands.add<VersionArguments>("version", "Print the version.");
  version.json(version.arguments.json);
}

}  // namespace maia::app
