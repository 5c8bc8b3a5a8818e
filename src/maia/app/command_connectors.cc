// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "maia/app/commands.h"
#include "maia/app/text_table.h"
#include "maia/config/json.h"
#include "maia/config/nearest.h"
#include "maia/config/reference.h"

namespace maia::app {
namespace {

std::string parts_of(const Connector& c) {
  std::vector<std::string> parts;
  if (!c.source_settings.empty()) parts.push_back("source");
  if (!c.destination_settings.empty()) parts.push_back("destination");
  return config::listed(parts);
}

config::Node json_of(const Connector& c) {
  auto node = config::Object()
                  .set("name", c.name)
                  .set("title", c.title)
                  .set("summary", c.summary)
                  .set("source", !c.source_settings.empty())
                  .set("destination", !c.destination_settings.empty())
                  .set("uri_schemes", config::text_list(c.uri_schemes))
                  .node();
  auto& entries = std::get<config::Node::Mapping>(node.value);
  if (!c.destination_settings.empty())
    entries.push_back({"guarantee", {}, config::Node::text(std::string(to_string(c.guarantee)))});
  if (!c.source_settings.empty())
    entries.push_back({"source_settings", {}, config::settings_json(c.source_settings)});
  if (!c.destination_settings.empty())
    entries.push_back({"destination_settings", {}, config::settings_json(c.destination_settings)});
  return node;
}

void print_settings(std::ostream& out, std::string_view heading,
                    const std::vector<config::Setting>& settings) {
  if (settings.empty()) return;
  out << '\n' << heading << '\n';
  std::vector<std::vector<std::string>> rows = {{"setting", "default", "meaning"}};
  for (const auto& s : settings) rows.push_back({s.name, s.required ? "(required)" : s.default_text, s.doc});
  print_table(out, rows, 2);
}

void print(std::ostream& out, const Connector& c) {
  out << c.title << " (type: " << c.name << "): " << parts_of(c) << "\n" << c.summary << '\n';
  if (!c.uri_schemes.empty())
    out << "URIs of maia sync begin with " << config::listed(c.uri_schemes, "or") << '\n';
  if (!c.destination_settings.empty()) out << "delivers " << to_string(c.guarantee) << '\n';
  print_settings(out, "As a source:", c.source_settings);
  print_settings(out, "As a destination:", c.destination_settings);
}

Error unknown(const std::string& name, Connectors connectors) {
  std::vector<std::string> names;
  for (const auto* c : connectors) names.push_back(c->name);
  auto hint = config::did_you_mean(name, names);
  return {Error::Code::invalid_config, Recovery::halt, fmt::format("unknown connector '{}'", name),
          hint.empty() ? "connectors are " + config::listed(names) : hint};
}

}  // namespace

Result<ExitCode> execute(const ConnectorsArguments& arguments, Outside& outside) {
  if (!arguments.name.empty()) {
    const auto* connector = find_connector(outside.connectors, arguments.name);
    if (!connector) return unknown(arguments.name, outside.connectors);
    if (arguments.json)
      outside.out << to_json(json_of(*connector), 2) << '\n';
    else
      print(outside.out, *connector);
    return ExitCode::done;
  }
  config::Node::Sequence all;
  std::vector<std::vector<std::string>> rows = {{"connector", "as", "guarantee", "what it is"}};
  for (const auto* c : outside.connectors) {
    all.push_back(json_of(*c));
    rows.push_back({c->name, parts_of(*c),
                    c->destination_settings.empty() ? "" : std::string(to_string(c->guarantee)), c->summary});
  }
  if (arguments.json)
    outside.out << to_json(config::Node{std::move(all), {}}, 2) << '\n';
  else
    print_table(outside.out, rows);
  return ExitCode::done;
}

}  // namespace maia::app
