// SPDX-License-Identifier: Apache-2.0
#include "maia/app/uri_pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "maia/config/json.h"
#include "maia/net/uri.h"

namespace maia::app {
namespace {

using config::Node;
constexpr std::size_t kLongestName = 48;

/// The mapping of one end: the connector's name, then what it reads from the URI.
Result<Node> end_of(const std::string& uri, bool destination, Connectors connectors) {
  const auto* connector = MAIA_TRY(connector_of_uri(connectors, uri));
  if ((destination ? connector->destination_settings : connector->source_settings).empty())
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("{} cannot be a {}", connector->name, destination ? "destination" : "source"),
                 "`maia connectors` lists what can"};
  auto settings = MAIA_TRY(connector->settings_from_uri(uri));
  auto& entries = std::get<Node::Mapping>(settings.value);
  entries.insert(entries.begin(), {"type", {}, Node::text(connector->name)});
  return settings;
}

/// Letters and digits of the last part of a URI's path: the database or file.
std::string stem_of(const std::string& uri) {
  const auto parsed = net::parse_uri(uri);
  auto path = parsed.ok() ? parsed->path : std::string();
  path = path.substr(path.rfind('/') + 1);
  path = path.substr(0, path.find('.'));
  std::string out;
  for (char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c))) out += c;
  }
  return out;
}

std::string name_of(const UriPipeline& wanted) {
  auto name = stem_of(wanted.source);
  if (const auto other = stem_of(wanted.destination); !other.empty() && other != name)
    name += (name.empty() ? "" : "-") + other;
  return name.empty() ? "sync" : name.substr(0, kLongestName);
}

void add(Node& mapping, std::string key, Node value) {
  std::get<Node::Mapping>(mapping.value).push_back({std::move(key), {}, std::move(value)});
}

/// Also doubles the dollar of what would be read as a reference.
void replace_secrets(Node& node, const std::string& variable, std::vector<std::string>& variables) {
  if (auto* scalar = std::get_if<Node::Scalar>(&node.value)) {
    if (scalar->secret) {
      variables.push_back(variable);
      node = Node::text("${env:" + variable + "}");
    } else {
      for (std::size_t at = 0; (at = scalar->text.find("${", at)) != std::string::npos; at += 3)
        scalar->text.insert(at, 1, '$');
    }
    return;
  }
  if (auto* mapping = std::get_if<Node::Mapping>(&node.value)) {
    for (auto& entry : *mapping) {
      std::string word = variable + "_";
      for (char c : entry.key) word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      replace_secrets(entry.value, word, variables);
    }
  }
}

}  // namespace

Result<Node> pipeline_of(const UriPipeline& wanted, Connectors connectors) {
  auto source = MAIA_TRY(end_of(wanted.source, false, connectors));
  auto destination = MAIA_TRY(end_of(wanted.destination, true, connectors));
  if (!wanted.tables.empty()) add(source, "tables", config::text_list(wanted.tables));
  if (!wanted.mode.empty()) add(destination, "mode", Node::text(wanted.mode));
  if (wanted.key.size() == 1)
    add(destination, "key", Node::text(wanted.key.front()));
  else if (!wanted.key.empty())
    add(destination, "key", config::text_list(wanted.key));
  return config::Object()
      .set("name", wanted.name.empty() ? name_of(wanted) : wanted.name)
      .set("source", std::move(source))
      .set("destination", std::move(destination))
      .node();
}

Node without_secrets(const Node& pipeline, std::vector<std::string>& variables) {
  auto out = pipeline;
  replace_secrets(out, "MAIA", variables);
  return out;
}

}  // namespace maia::app
