// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maia/config/pipeline_file.h"
#include "maia/config/spec.h"

namespace maia::config {

/// What source and destination begin with.
struct EndpointHead {
  std::string type;
  std::string connection;
};
const Spec<EndpointHead>& endpoint_spec();

/// Limits that a destination has in place of the pipeline's.
struct DeliveryOverride {
  std::optional<std::uint64_t> max_rows;
  std::optional<ByteSize> max_bytes;
};

/// The settings of a destination that the core reads; all others are the connector's.
struct DestinationRules {
  WriteMode mode = WriteMode::upsert;
  DeleteRule deletes = DeleteRule::apply;
  KeySetting key;
  std::vector<RouteSetting> routes;
  bool allow_merge = false;
  std::vector<TransformSettings> transforms;
  DeliveryOverride delivery;
};
const Spec<DestinationRules>& destination_spec();

/// The parts of a pipeline besides its source and destinations.
struct PipelineBody {
  std::string name;
  ByteSize memory_limit = kUsualMemory;
  std::vector<TransformSettings> transforms;
  SnapshotSettings snapshot;
  DeliverySettings delivery;
  JournalSettings journal;
  LostHistoryRule on_lost_history = LostHistoryRule::stop;
  SchemaSettings schema;
  ErrorSettings errors;
  std::vector<ExampleSettings> tests;
};
const Spec<PipelineBody>& pipeline_spec();

/// Keys of a pipeline that hold connector settings and are therefore read apart: source, destination and
/// destinations.
const std::vector<Setting>& endpoint_settings();
/// Keys of a whole file besides those of a pipeline: connections and pipelines.
const std::vector<Setting>& file_settings();

}  // namespace maia::config
