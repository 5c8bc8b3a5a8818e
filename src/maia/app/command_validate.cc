// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/config/json.h"

namespace maia::app {

Result<ExitCode> execute(const ValidateArguments& arguments, Outside& outside) {
  const auto pipelines = MAIA_TRY(load_pipelines(arguments.files, outside));
  config::Node::Sequence found;
  for (const auto& pipeline : pipelines) {
    MAIA_TRY(open_ends(pipeline, ".", outside));
    if (!arguments.json) outside.out << summary_of(pipeline) << '\n';
    std::vector<std::string> destinations;
    for (const auto& destination : pipeline.destinations) {
      MAIA_TRY(compile_transforms(destination.transforms));
      destinations.push_back(destination.name);
    }
    found.push_back(config::Object()
                        .set("name", pipeline.name)
                        .set("source", pipeline.source.type)
                        .set("destinations", config::text_list(destinations))
                        .node());
  }
  if (arguments.json) {
    auto answer =
        config::Object().set("valid", true).set("pipelines", config::Node{std::move(found), {}}).node();
    outside.out << to_json(answer, 2) << '\n';
  } else {
    outside.out << "valid\n";
  }
  return ExitCode::done;
}

}  // namespace maia::app
