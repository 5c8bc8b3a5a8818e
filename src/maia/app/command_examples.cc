// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/config/json.h"
#include "maia/transforms/examples.h"

namespace maia::app {
namespace {

void print(std::ostream& out, const config::PipelineSettings& pipeline,
           const std::vector<transforms::ExampleOutcome>& outcomes) {
  if (outcomes.empty()) {
    out << pipeline.name << ": no tests; write some under `tests:`\n";
    return;
  }
  out << pipeline.name << '\n';
  for (const auto& outcome : outcomes) {
    out << (outcome.differences.empty() ? "  ok      " : "  failed  ") << outcome.name << '\n';
    for (const auto& difference : outcome.differences) out << "            " << difference << '\n';
  }
}

config::Node json_of(const config::PipelineSettings& pipeline, const transforms::ExampleOutcome& outcome) {
  return config::Object()
      .set("pipeline", pipeline.name)
      .set("test", outcome.name)
      .set("passed", outcome.differences.empty())
      .set("differences", config::text_list(outcome.differences))
      .node();
}

}  // namespace

Result<ExitCode> execute(const TestArguments& arguments, Outside& outside) {
  auto code = ExitCode::done;
  config::Node::Sequence all;
  for (const auto& pipeline : MAIA_TRY(load_pipelines(arguments.files, outside))) {
    const auto outcomes = MAIA_TRY(transforms::run_tests(pipeline));
    for (const auto& outcome : outcomes) {
      if (!outcome.differences.empty()) code = ExitCode::check_failed;
      all.push_back(json_of(pipeline, outcome));
    }
    if (!arguments.json) print(outside.out, pipeline, outcomes);
  }
  if (arguments.json) outside.out << to_json(config::Node{std::move(all), {}}, 2) << '\n';
  return code;
}

}  // namespace maia::app
