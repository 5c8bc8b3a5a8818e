// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/pipeline_plan.h"
#include "maia/app/pipelines.h"
#include "maia/config/json.h"

namespace maia::app {

Result<ExitCode> execute(const PlanArguments& arguments, Outside& outside) {
  auto code = ExitCode::done;
  config::Node::Sequence all;
  for (const auto& pipeline : MAIA_TRY(load_pipelines(arguments.files, outside))) {
    const auto plan = MAIA_TRY(plan_pipeline(pipeline, arguments.state, outside));
    if (!plan.possible() || plan.change.refused()) code = ExitCode::check_failed;
    for (const auto& each : plan.destinations) {
      all.push_back(json_of(each));
      if (!arguments.json) print(outside.out, each);
    }
    if (plan.change.from.empty()) continue;
    all.push_back(config::Object().set("pipeline", pipeline.name).set("change", json_of(plan.change)).node());
    if (!arguments.json) print(outside.out, plan.change);
  }
  if (arguments.json) outside.out << to_json(config::Node{std::move(all), {}}, 2) << '\n';
  return code;
}

}  // namespace maia::app
