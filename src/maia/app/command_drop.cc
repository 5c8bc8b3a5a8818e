// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/app/state_directory.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

/// Everything that was removed, in words. The source goes last: while its slot stands, a failed drop can be
/// repeated or the pipeline run again.
Result<std::vector<std::string>> drop(const config::PipelineSettings& pipeline, const std::string& state,
                                      const Outside& outside) {
  const auto ends = MAIA_TRY(open_ends(pipeline, state, outside));
  std::vector<std::string> removed;
  for (std::size_t i = 0; i < ends.destinations.size(); ++i) {
    const auto where = "destination " + pipeline.destinations[i].name;
    for (const auto& thing : MAIA_TRY(in(where, ends.destinations[i]->drop(pipeline.name))))
      removed.push_back(where + ": " + thing);
  }
  for (const auto& thing : MAIA_TRY(in("source", ends.source->drop()))) removed.push_back("source: " + thing);
  const auto directory =
      pipeline_directory(MAIA_TRY(state_directory(state, outside.environment)), pipeline.name);
  std::error_code failure;
  if (std::filesystem::remove_all(directory, failure) > 0 && !failure)
    removed.push_back("state: " + directory);
  if (failure)
    return Error{Error::Code::storage, Recovery::halt, directory + " cannot be removed: " + failure.message(),
                 ""};
  return removed;
}

}  // namespace

Result<ExitCode> execute(const DropArguments& arguments, Outside& outside) {
  config::Node::Sequence all;
  for (const auto& pipeline : MAIA_TRY(load_pipelines(arguments.files, outside))) {
    const auto removed = MAIA_TRY(in(pipeline.name, drop(pipeline, arguments.state, outside)));
    all.push_back(
        config::Object().set("pipeline", pipeline.name).set("removed", config::text_list(removed)).node());
    if (arguments.json) continue;
    outside.out << pipeline.name << (removed.empty() ? ": nothing was left of it\n" : ": removed\n");
    for (const auto& thing : removed) outside.out << "  " << thing << '\n';
  }
  if (arguments.json) outside.out << to_json(config::Node{std::move(all), {}}, 2) << '\n';
  return ExitCode::done;
}

}  // namespace maia::app
