// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/connector.h"

#include "maia/connectors/kafka/destination.h"

namespace maia::kafka {
namespace {

Result<std::unique_ptr<Destination>> open_destination(const config::Node& node,
                                                      const Connector::OpenOptions& options) {
  const auto expanded = MAIA_TRY(expand_url(node));
  auto config = MAIA_TRY(destination_spec().read(expanded, "destination"));
  return std::unique_ptr<Destination>(std::make_unique<KafkaDestination>(
      std::move(config), options.pipeline, options.memory_bytes, system_clock()));
}

}  // namespace

const Connector& connector() {
  static const Connector connector = {
      .name = "kafka",
      .title = "Kafka",
      .summary = "Writes every change as a record to Kafka, in transactions that hold the checkpoint too.",
      .can = {.transactional = true, .upsert = true, .append = true, .schema_changes = true},
      .guarantee = Guarantee::exactly_once_atomic,
      .destination_settings = destination_spec().settings(),
      .uri_schemes = {"kafka"},
      .open_destination = open_destination,
      .settings_from_uri = settings_from_uri,
  };
  return connector;
}

}  // namespace maia::kafka
