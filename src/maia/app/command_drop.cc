// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <filesystem>

#include "maia/app/commands.h"
#include "maia/app/control.h"
#include "maia/app/file_history.h"
#include "maia/app/pipelines.h"
#include "maia/app/state_directory.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

/// Whether the status of a running pipeline lists the destination.
bool delivers_to(const std::string& status, const std::string& destination) {
  try {
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(status);
    for (const simdjson::dom::element each : simdjson::dom::array(json["destinations"])) {
      if (std::string_view(each["name"]) == destination) return true;
    }
    return false;
  } catch (const simdjson::simdjson_error&) {
    return true;  // what cannot be read is not dropped
  }
}

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

/// A pipeline that has the destination: as the file says, or as the newest version that had it.
Result<config::PipelineSettings> with_destination(const config::PipelineSettings& pipeline,
                                                  const std::string& destination, const std::string& state,
                                                  const Outside& outside) {
  const auto has = [&](const config::PipelineSettings& each) {
    return each.name == pipeline.name && std::any_of(each.destinations.begin(), each.destinations.end(),
                                                     [&](const auto& d) { return d.name == destination; });
  };
  if (has(pipeline)) return pipeline;
  const auto kept = kept_versions(pipeline.name, state, outside);
  if (kept.ok()) {
    for (const auto& each : *kept) {
      auto file = config::parse_pipeline_file(each.version.text, each.version.path,
                                              connector_settings(outside.connectors), outside.environment);
      if (!file.ok()) continue;
      for (auto& before : file->pipelines) {
        if (!has(before)) continue;
        MAIA_TRY(pipelines_of(each.version, outside));  // refuses where a password is missing
        return std::move(before);
      }
    }
  }
  return Error{Error::Code::invalid_config, Recovery::halt,
               fmt::format("{} has no destination {}, and never had", pipeline.name, destination),
               "maia history lists the versions of its file"};
}

/// Only what one destination keeps of a pipeline that goes on without it.
Result<std::vector<std::string>> drop_destination(const config::PipelineSettings& given,
                                                  const std::string& name, const std::string& state,
                                                  const Outside& outside) {
  const auto pipeline = MAIA_TRY(with_destination(given, name, state, outside));
  const auto directory =
      pipeline_directory(MAIA_TRY(state_directory(state, outside.environment)), pipeline.name);
  if (const auto running = ask_status(directory); running.ok() && delivers_to(*running, name)) {
    return Error{Error::Code::check_failed, Recovery::halt,
                 fmt::format("the running pipeline delivers to {}", name),
                 "maia apply a file without it first"};
  }
  std::vector<std::string> removed;
  for (const auto& settings : pipeline.destinations) {
    if (settings.name != name) continue;
    const auto destination = MAIA_TRY(open_destination(pipeline, settings, state, outside));
    for (const auto& thing : MAIA_TRY(in("destination " + name, destination->drop(pipeline.name))))
      removed.push_back("destination " + name + ": " + thing);
  }
  return removed;
}

}  // namespace

Result<ExitCode> execute(const DropArguments& arguments, Outside& outside) {
  config::Node::Sequence all;
  for (const auto& pipeline : MAIA_TRY(load_pipelines(arguments.files, outside))) {
    const auto removed = MAIA_TRY(
        in(pipeline.name, arguments.destination.empty()
                              ? drop(pipeline, arguments.state, outside)
                              : drop_destination(pipeline, arguments.destination, arguments.state, outside)));
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
