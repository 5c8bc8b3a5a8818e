// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/file/connector.h"

#include "maia/connectors/file/config.h"
#include "maia/connectors/file/destination.h"
#include "maia/net/uri.h"

namespace maia::file {
namespace {

Result<std::unique_ptr<Destination>> open_destination(const config::Node& settings,
                                                      const Connector::OpenOptions& options) {
  auto config = MAIA_TRY(config_spec().read(settings, "destination"));
  return std::unique_ptr<Destination>(
      std::make_unique<FileDestination>(std::move(config), options.state_directory, system_clock()));
}

Result<config::Node> settings_from_uri(std::string_view text) {
  const auto uri = MAIA_TRY(net::parse_uri(text));
  if (!uri.host.empty()) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 "a file URI names no host, but this one names " + uri.host,
                 "Write file:changes.jsonl, or file:///srv/changes.jsonl for an absolute path"};
  }
  config::Node::Mapping settings;
  settings.push_back({"path", {}, config::Node::text(uri.path)});
  for (const auto& [name, value] : uri.query) settings.push_back({name, {}, config::Node::text(value)});
  return config::Node{std::move(settings), {}};
}

Connector describe() {
  Connector connector;
  connector.name = "file";
  connector.title = "File";
  connector.summary =
      "Writes every change as a line of JSON to a file, exactly once, or to standard output, at least once.";
  connector.can = {.transactional = true, .upsert = true, .append = true, .schema_changes = true};
  connector.guarantee = Guarantee::exactly_once_atomic;
  connector.destination_settings = config_spec().settings();
  connector.uri_schemes = {"file"};
  connector.open_destination = open_destination;
  connector.settings_from_uri = settings_from_uri;
  return connector;
}

}  // namespace

const Connector& connector() {
  static const auto descriptor = describe();
  return descriptor;
}

}  // namespace maia::file
