// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/connector.h"

#include "maia/connectors/kafka/destination.h"
#include "maia/connectors/kafka/source.h"

namespace maia::kafka {
namespace {

Result<std::unique_ptr<Destination>> open_destination(const config::Node& node,
                                                      const Connector::OpenOptions& options) {
  const auto expanded = MAIA_TRY(expand_url(node));
  auto config = MAIA_TRY(destination_spec().read(expanded, "destination"));
  return std::unique_ptr<Destination>(std::make_unique<KafkaDestination>(
      std::move(config), options.pipeline, options.memory_bytes, system_clock()));
}

Result<std::unique_ptr<Source>> open_source(const config::Node& node, const Connector::OpenOptions& options) {
  const auto read = [](const config::Node& settings) -> Result<SourceConfig> {
    const auto expanded = MAIA_TRY(expand_url(settings));
    return source_spec().read(expanded, "source");
  };
  KafkaSource::Again again;
  if (options.settings_again) {
    again = [read, settings = options.settings_again]() -> Result<SourceConfig> {
      const auto now = MAIA_TRY(settings());
      return read(now);
    };
  }
  return std::unique_ptr<Source>(std::make_unique<KafkaSource>(MAIA_TRY(read(node)), std::move(again)));
}

}  // namespace

const Connector& connector() {
  static const Connector connector = {
      .name = "kafka",
      .title = "Kafka",
      .summary =
          "Reads the changes in Kafka's topics, and writes every change as a record, in transactions that "
          "hold the checkpoint too.",
      .can = {.stream = true, .transactional = true, .upsert = true, .append = true, .schema_changes = true},
      .guarantee = Guarantee::exactly_once_atomic,
      .source_settings = source_spec().settings(),
      .destination_settings = destination_spec().settings(),
      .uri_schemes = {"kafka"},
      .open_source = open_source,
      .open_destination = open_destination,
      .settings_from_uri = settings_from_uri,
  };
  return connector;
}

}  // namespace maia::kafka
