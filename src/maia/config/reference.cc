// SPDX-License-Identifier: Apache-2.0
#include "maia/config/reference.h"

#include <fmt/format.h>

#include "maia/config/json.h"
#include "maia/config/pipeline_spec.h"
#include "maia/config/settings_check.h"

namespace maia::config {
namespace {

/// Text in a cell of a Markdown table.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != text.npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

std::string default_cell(const Setting& s) { return s.required ? "required" : code(s.default_text); }

std::string meaning(const Setting& s) {
  auto text = s.doc;
  if (!s.unit.empty()) text += fmt::format(" In {}.", s.unit);
  if (!s.example.empty()) text += fmt::format(" Example: {}", code(s.example));
  return cell(std::move(text));
}

void write_table(std::string& out, std::span<const Setting> settings, const std::string& prefix) {
  out += "| setting | takes | default | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& s : settings)
    out += fmt::format("| `{}{}` | {} | {} | {} |\n", prefix, s.name, cell(expectation(s)), default_cell(s),
                       meaning(s));
  for (const auto& s : settings) {
    if (s.members.empty()) continue;
    const std::string list = s.kind == Setting::Kind::list  ? "[]"
                             : s.kind == Setting::Kind::map ? ".NAME"
                                                            : "";
    out += "\n";
    write_table(out, s.members, fmt::format("{}{}{}.", prefix, s.name, list));
  }
}

}  // namespace

std::string_view to_string(Setting::Kind kind) {
  switch (kind) {
    case Setting::Kind::text: return "text";
    case Setting::Kind::integer: return "integer";
    case Setting::Kind::number: return "number";
    case Setting::Kind::boolean: return "boolean";
    case Setting::Kind::duration: return "duration";
    case Setting::Kind::bytes: return "bytes";
    case Setting::Kind::secret: return "secret";
    case Setting::Kind::list: return "list";
    case Setting::Kind::choice: return "choice";
    case Setting::Kind::map: return "map";
    case Setting::Kind::group: return "group";
    case Setting::Kind::any: return "any";
  }
  return "";
}

Node settings_json(std::span<const Setting> settings) {
  Node::Sequence out;
  for (const auto& s : settings) {
    auto node = Object().set("name", s.name).set("kind", to_string(s.kind)).set("doc", s.doc).node();
    auto& entries = std::get<Node::Mapping>(node.value);
    const auto add = [&](const char* key, Node value) { entries.push_back({key, {}, std::move(value)}); };
    if (!s.default_text.empty()) add("default", Node::text(s.default_text));
    if (s.required) add("required", {Node::Scalar{"true"}, {}});
    if (s.advanced) add("advanced", {Node::Scalar{"true"}, {}});
    if (!s.choices.empty()) add("choices", text_list(s.choices));
    if (s.minimum) add("minimum", {Node::Scalar{std::to_string(*s.minimum)}, {}});
    if (s.maximum) add("maximum", {Node::Scalar{std::to_string(*s.maximum)}, {}});
    if (!s.example.empty()) add("example", Node::text(s.example));
    if (!s.members.empty()) add("members", settings_json(s.members));
    out.push_back(std::move(node));
  }
  return {std::move(out), {}};
}

std::string settings_markdown(std::span<const Setting> settings) {
  std::string out;
  write_table(out, settings, "");
  return out;
}

std::string pipeline_markdown(std::span<const ConnectorSettings> connectors) {
  std::string out =
      "# The pipeline file\n\n"
      "Made by `maia schema --markdown` from the declarations that the program itself reads.\n\n"
      "A scalar may hold references, which are resolved after the file is parsed and become secrets:\n"
      "`${env:NAME}`, `${env:NAME:-default}`, `${file:path}`; `$${` is a literal `${`. Keys that begin with "
      "`x-`\n"
      "are free for your own notes. Durations are written as `100ms`, `5s` or `1h 30m`, sizes as `64 MB` or "
      "`1 GiB`.\n\n"
      "## A pipeline\n\n";
  std::vector<Setting> top = endpoint_settings();
  top.insert(top.end(), pipeline_spec().settings().begin(), pipeline_spec().settings().end());
  write_table(out, top, "");
  out += "\n## A file with several pipelines\n\n";
  write_table(out, file_settings(), "");
  out += "\n## Every source and destination\n\n";
  write_table(out, endpoint_spec().settings(), "");
  out += "\n## Every destination\n\n";
  write_table(out, destination_spec().settings(), "");
  for (const auto& c : connectors) {
    for (const auto* settings : {&c.source, &c.destination}) {
      if (settings->empty()) continue;
      const auto* part = settings == &c.source ? "source" : "destination";
      out += fmt::format("\n## {}, `type: {}`\n\n", settings == &c.source ? "Source" : "Destination", c.name);
      write_table(out, *settings, std::string(part) + ".");
    }
  }
  return out;
}

}  // namespace maia::config
