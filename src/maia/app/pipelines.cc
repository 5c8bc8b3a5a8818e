// SPDX-License-Identifier: Apache-2.0
#include "maia/app/pipelines.h"

#include <fmt/format.h>

#include <map>

#include "maia/app/state_directory.h"

namespace maia::app {
namespace {

Result<Connector::OpenOptions> open_options(const config::PipelineSettings& pipeline,
                                            const std::string& state, const Outside& outside) {
  const auto directory = MAIA_TRY(state_directory(state, outside.environment));
  return Connector::OpenOptions{pipeline.name, pipeline_directory(directory, pipeline.name)};
}

/// The reader of the file has made sure that the connector is there and plays the part.
const Connector& connector_of(const Outside& outside, const std::string& type) {
  return *find_connector(outside.connectors, type);
}

}  // namespace

Result<std::vector<config::PipelineSettings>> load_pipelines(const std::vector<std::string>& files,
                                                             const Outside& outside) {
  const auto connectors = connector_settings(outside.connectors);
  std::vector<config::PipelineSettings> out;
  std::map<std::string, std::string> places;
  for (const auto& path : files) {
    auto file = MAIA_TRY(config::load_pipeline_file(path, connectors, outside.environment));
    for (auto& pipeline : file.pipelines) {
      const auto [first, fresh] = places.emplace(pipeline.name, path);
      if (!fresh)
        return Error{
            Error::Code::invalid_config, Recovery::halt,
            fmt::format("two pipelines are called '{}': in {} and in {}", pipeline.name, first->second, path),
            "give each its own `name:`"};
      out.push_back(std::move(pipeline));
    }
  }
  return out;
}

std::string summary_of(const config::PipelineSettings& pipeline) {
  std::string out = fmt::format("{}: {} ->", pipeline.name, pipeline.source.type);
  for (std::size_t i = 0; i < pipeline.destinations.size(); ++i) {
    const auto& d = pipeline.destinations[i];
    out += fmt::format("{} {}", i ? "," : "",
                       d.name == d.type ? d.type : fmt::format("{} ({})", d.name, d.type));
  }
  return out;
}

Result<std::unique_ptr<Source>> open_source(const config::PipelineSettings& pipeline,
                                            const std::string& state, const Outside& outside) {
  auto options = MAIA_TRY(open_options(pipeline, state, outside));
  if (pipeline.resolve_again) {
    options.settings_again = [again = pipeline.resolve_again]() -> Result<config::Node> {
      auto now = MAIA_TRY(again());
      return std::move(now.source.settings);
    };
  }
  return in("source",
            connector_of(outside, pipeline.source.type).open_source(pipeline.source.settings, options));
}

Result<std::unique_ptr<Destination>> open_destination(const config::PipelineSettings& pipeline,
                                                      const config::DestinationSettings& destination,
                                                      const std::string& state, const Outside& outside,
                                                      std::uint64_t memory_bytes) {
  auto options = MAIA_TRY(open_options(pipeline, state, outside));
  options.memory_bytes = memory_bytes;
  return in(fmt::format("destination {}", destination.name),
            connector_of(outside, destination.type).open_destination(destination.settings, options));
}

Result<std::unique_ptr<Destination>> open_destination_again(const config::PipelineSettings& pipeline,
                                                            const std::string& destination,
                                                            const std::string& state, const Outside& outside,
                                                            std::uint64_t memory_bytes) {
  const auto now = pipeline.resolve_again ? MAIA_TRY(pipeline.resolve_again()) : pipeline;
  const auto at = std::find_if(now.destinations.begin(), now.destinations.end(),
                               [&](const auto& each) { return each.name == destination; });
  return open_destination(now, *at, state, outside, memory_bytes);
}

Result<Ends> open_ends(const config::PipelineSettings& pipeline, const std::string& state,
                       const Outside& outside) {
  Ends ends;
  ends.source = MAIA_TRY(open_source(pipeline, state, outside));
  for (const auto& destination : pipeline.destinations)
    ends.destinations.push_back(MAIA_TRY(open_destination(pipeline, destination, state, outside)));
  return ends;
}

}  // namespace maia::app
