// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fstream>

#include "maia/app/commands.h"
#include "maia/app/run_pipelines.h"
#include "maia/app/uri_pipeline.h"
#include "maia/config/nearest.h"
#include "maia/config/yaml.h"

namespace maia::app {
namespace {

/// Writes the file that the command stands for. A password becomes a reference, never text.
Result<ExitCode> save(const config::Node& pipeline, const SyncArguments& arguments, Outside& outside) {
  std::vector<std::string> variables;
  const auto text = to_yaml(without_secrets(pipeline, variables));
  if (arguments.save_file.empty()) {
    outside.out << text;
  } else {
    std::ofstream file(arguments.save_file, std::ios::binary);
    if (!(file << text).flush())
      return Error{Error::Code::storage, Recovery::halt,
                   arguments.save_file + " cannot be written: " + std::strerror(errno), ""};
    outside.err << "wrote " << arguments.save_file << "; run it with `maia run " << arguments.save_file
                << "`\n";
  }
  if (!variables.empty())
    outside.err << "it reads " << config::listed(variables)
                << " from the environment; passwords are not saved\n";
  return ExitCode::done;
}

}  // namespace

Result<ExitCode> execute(const SyncArguments& arguments, Outside& outside) {
  const auto pipeline = MAIA_TRY(pipeline_of({.source = arguments.source,
                                              .destination = arguments.destination,
                                              .tables = arguments.tables,
                                              .name = arguments.name,
                                              .mode = arguments.mode,
                                              .key = arguments.key},
                                             outside.connectors));
  auto file = MAIA_TRY(config::read_pipelines(pipeline, connector_settings(outside.connectors), "sync"));
  if (arguments.save) return save(pipeline, arguments, outside);
  return run_pipelines(std::move(file.pipelines), arguments.run, outside);
}

}  // namespace maia::app
