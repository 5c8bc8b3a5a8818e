// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "maia/app/commands.h"
#include "maia/app/control_apply.h"
#include "maia/app/file_history.h"
#include "maia/app/pipeline_plan.h"
#include "maia/app/pipelines.h"
#include "maia/app/state_directory.h"
#include "maia/base/disk.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

/// What became of one pipeline of the file.
struct Applied {
  PipelineChange change;
  std::string outcome;
};

Result<std::vector<config::PipelineSettings>> wanted(const ApplyArguments& arguments,
                                                     const Outside& outside) {
  if (arguments.version.empty()) return load_pipelines({arguments.file}, outside);
  const auto kept = MAIA_TRY(kept_version(arguments.version, arguments.pipeline, arguments.state, outside));
  auto pipelines = MAIA_TRY(pipelines_of(kept.version, outside));
  std::erase_if(pipelines, [&](const auto& each) {
    return !arguments.pipeline.empty() && each.name != arguments.pipeline;
  });
  return pipelines;
}

Status allowed(const PipelineChange& change, bool yes) {
  if (const auto* table = change.refused()) {
    return Error{Error::Code::check_failed, Recovery::halt,
                 fmt::format("{} cannot be changed in place: {}", table->table, table->refused), table->hint};
  }
  if (!change.needs_consent() || yes) return {};
  return Error{Error::Code::check_failed, Recovery::halt,
               "rows that are at a destination already would be read again; nothing was changed",
               "maia apply --yes does it; maia plan shows which"};
}

/// A running pipeline takes the settings up; otherwise the next run begins with them.
Result<std::string> take_up(const config::PipelineSettings& pipeline, const std::vector<Refit>& refits,
                            const std::string& directory) {
  auto done = ask_apply(directory, *pipeline.file, refits);
  if (done.ok()) return "taken up by the running pipeline" + (done->empty() ? "" : "\n" + *done);
  if (done.error().code != Error::Code::unavailable) return done;
  MAIA_TRY(system_disk().make_directories(directory));
  const auto kept = MAIA_TRY(Refits::open(directory + "/maia.sqlite"));
  MAIA_TRY(kept->add(refits));
  MAIA_TRY(remember(pipeline, "apply", directory));
  return std::string("kept; the pipeline does not run, its next maia run begins with it");
}

Result<Applied> apply(const config::PipelineSettings& pipeline, const ApplyArguments& arguments,
                      Outside& outside) {
  const auto plan = MAIA_TRY(plan_pipeline(pipeline, arguments.state, outside));
  if (!arguments.json) print(outside.out, plan.change);
  if (!plan.possible()) {
    return Error{Error::Code::check_failed, Recovery::halt, "the plan of this file has problems",
                 "maia plan shows them"};
  }
  MAIA_TRY(allowed(plan.change, arguments.yes));
  if (!plan.change.from.empty() && plan.change.settings.empty()) return Applied{plan.change, "nothing to do"};
  const auto directory =
      pipeline_directory(MAIA_TRY(state_directory(arguments.state, outside.environment)), pipeline.name);
  auto outcome = MAIA_TRY(take_up(pipeline, plan.change.refits(), directory));
  return Applied{plan.change, std::move(outcome)};
}

}  // namespace

Result<ExitCode> execute(const ApplyArguments& arguments, Outside& outside) {
  config::Node::Sequence all;
  for (const auto& pipeline : MAIA_TRY(wanted(arguments, outside))) {
    const auto applied = MAIA_TRY(in(pipeline.name, apply(pipeline, arguments, outside)));
    if (arguments.json) {
      all.push_back(config::Object()
                        .set("pipeline", pipeline.name)
                        .set("version", version_of(pipeline))
                        .set("change", json_of(applied.change))
                        .set("outcome", applied.outcome)
                        .node());
    } else {
      outside.out << fmt::format("{}: version {}: {}\n", pipeline.name, version_of(pipeline),
                                 applied.outcome);
    }
  }
  if (arguments.json) outside.out << to_json(config::Node{std::move(all), {}}, 2) << '\n';
  return ExitCode::done;
}

}  // namespace maia::app
