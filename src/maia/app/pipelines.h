// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "maia/app/outside.h"
#include "maia/config/pipeline_file.h"
#include "maia/connector/destination.h"
#include "maia/connector/source.h"
#include "maia/connector/transform.h"
#include "maia/engine/options.h"

namespace maia::app {

/// The pipelines of all files, in order. Names are unique over all of them.
Result<std::vector<config::PipelineSettings>> load_pipelines(const std::vector<std::string>& files,
                                                             const Outside& outside);

/// "shop: postgres -> duckdb, lake"
std::string summary_of(const config::PipelineSettings& pipeline);

/// Both ends of a pipeline, as its connectors make them. Nothing is connected yet.
struct Ends {
  std::unique_ptr<Source> source;
  std::vector<std::unique_ptr<Destination>> destinations;  ///< in the order of the settings
};
/// `state` as `--state` gave it, `memory_bytes` what the destination may use for buffers (0: as it likes);
/// the connectors see the pipeline's own directory.
Result<Ends> open_ends(const config::PipelineSettings& pipeline, const std::string& state,
                       const Outside& outside);
Result<std::unique_ptr<Source>> open_source(const config::PipelineSettings& pipeline,
                                            const std::string& state, const Outside& outside);
Result<std::unique_ptr<Destination>> open_destination(const config::PipelineSettings& pipeline,
                                                      const config::DestinationSettings& destination,
                                                      const std::string& state, const Outside& outside,
                                                      std::uint64_t memory_bytes = 0);

/// The same once more, for a reconnection: with passwords read anew.
Result<std::unique_ptr<Destination>> open_destination_again(const config::PipelineSettings& pipeline,
                                                            const std::string& destination,
                                                            const std::string& state, const Outside& outside,
                                                            std::uint64_t memory_bytes);

/// The engine's view of the settings, and of what the source can do.
engine::PipelineOptions engine_options(const config::PipelineSettings& pipeline, const Connector& source);
engine::DestinationOptions engine_options(const config::PipelineSettings& pipeline,
                                          const config::DestinationSettings& destination);

/// The transforms of a pipeline, compiled. Errors have the place in the file.
Result<std::vector<std::unique_ptr<Transform>>> compile_transforms(
    const std::vector<config::TransformSettings>& transforms);

}  // namespace maia::app
