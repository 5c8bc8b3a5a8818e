// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/app/outside.h"
#include "maia/config/node.h"

namespace maia::app {

/// What `maia sync` and `maia init` say of a pipeline.
struct UriPipeline {
  std::string source, destination;  ///< URIs
  std::vector<std::string> tables;
  std::string name;
  std::string mode;
  std::vector<std::string> key;
};

/// The pipeline file that it stands for, with the secrets of the URIs in it, marked as such. Without a name
/// it gets one made of both connectors' names and what the URIs point at, the same for the same URIs.
Result<config::Node> pipeline_of(const UriPipeline& wanted, Connectors connectors);

/// The same with each secret replaced by a reference to an environment variable; `variables` gets their
/// names.
config::Node without_secrets(const config::Node& pipeline, std::vector<std::string>& variables);

}  // namespace maia::app
