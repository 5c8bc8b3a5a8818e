// SPDX-License-Identifier: Apache-2.0
#include "maia/config/pipeline_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "maia/config/nearest.h"
#include "maia/config/pipeline_spec.h"
#include "maia/config/settings_check.h"
#include "maia/config/yaml.h"

namespace maia::config {
namespace {

using Settings = std::vector<Setting>;
constexpr std::size_t kLongestName = 48;

bool names(const Settings& settings, std::string_view key) {
  return std::any_of(settings.begin(), settings.end(), [&](const Setting& s) { return s.name == key; });
}

Settings joined(Settings first, const Settings& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

/// A mapping cut in two: the entries that `settings` name, and all others but `x-` keys.
struct Split {
  Node known, rest;
};
Split split(const Node& mapping, const Settings& settings) {
  Node::Mapping known, rest;
  for (const auto& entry : *mapping.mapping()) {
    if (names(settings, entry.key))
      known.push_back(entry);
    else if (!entry.key.starts_with("x-"))
      rest.push_back(entry);
  }
  return {{std::move(known), mapping.mark}, {std::move(rest), mapping.mark}};
}

/// A scalar's text for a message.
std::string shown(const Node& node) { return node.scalar()->secret ? "***" : node.scalar()->text; }

Status check_name(std::string_view name, std::string_view shown_as, const Mark& mark, std::string_view what) {
  const bool good =
      !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
      });
  if (good) return {};
  return error_at(mark, fmt::format("'{}' cannot be the name of a {}", shown_as, what),
                  "use at most 48 letters, digits, - and _");
}

/// Reads the pipelines of one document.
class Reader {
 public:
  Reader(const Node& document, std::span<const ConnectorSettings> connectors)
      : document_(document), connectors_(connectors), connections_(document.find("connections")) {}

  Result<PipelineFile> read(const std::string& default_name) {
    MAIA_TRY(check_connections());
    PipelineFile file;
    const auto* several = document_.find("pipelines");
    if (!several) {
      file.pipelines.push_back(MAIA_TRY(pipeline(document_, default_name, "")));
      return file;
    }
    MAIA_TRY(check_several(*several));
    for (const auto& entry : *several->mapping()) {
      MAIA_TRY(check_name(entry.key, entry.key, entry.mark, "pipeline"));
      file.pipelines.push_back(MAIA_TRY(pipeline(entry.value, entry.key, "pipelines." + entry.key)));
    }
    return file;
  }

 private:
  Status check_connections() const {
    if (!connections_) return {};
    MAIA_TRY(check_setting(*connections_, file_settings()[0], ""));
    for (const auto& entry : *connections_->mapping()) {
      if (!entry.value.mapping())
        return error_at(entry.value.mark,
                        fmt::format("'connections.{}' must be a mapping of settings", entry.key),
                        "write {type: NAME, host: ..., user: ...}");
    }
    return {};
  }

  Status check_several(const Node& several) const {
    for (const auto& entry : *document_.mapping()) {
      if (names(file_settings(), entry.key) || entry.key.starts_with("x-")) continue;
      return error_at(entry.mark, fmt::format("'{}' stands beside `pipelines`", entry.key),
                      "move it into one of the pipelines");
    }
    MAIA_TRY(check_setting(several, file_settings()[1], ""));
    if (several.mapping()->empty())
      return error_at(several.mark, "'pipelines' is empty", "name at least one");
    return {};
  }

  Result<PipelineSettings> pipeline(const Node& node, const std::string& default_name,
                                    const std::string& where) {
    auto known = joined(pipeline_spec().settings(), endpoint_settings());
    if (where.empty()) known = joined(std::move(known), file_settings());
    MAIA_TRY(check_settings(node, known, where));
    auto body = MAIA_TRY(pipeline_spec().read(split(node, pipeline_spec().settings()).known, where));
    PipelineSettings out;
    out.name = body.name.empty() ? default_name : body.name;
    out.mark = node.mark;
    out.memory_limit = body.memory_limit;
    const auto* name = node.find("name");
    const bool secret = name && name->scalar()->secret;
    MAIA_TRY(check_name(out.name, secret ? "***" : out.name, name ? name->mark : node.mark, "pipeline"));
    out.source = MAIA_TRY(source(node, where));
    MAIA_TRY(place_transforms(node, body.transforms, {}));
    out.destinations = MAIA_TRY(destinations(node, where, body));
    out.transforms = std::move(body.transforms);
    out.snapshot = body.snapshot;
    out.delivery = body.delivery;
    out.journal = body.journal;
    out.journal.on_lost_history = body.on_lost_history;
    out.schema = body.schema;
    out.errors = body.errors;
    out.tests = std::move(body.tests);
    MAIA_TRY(check_tests(node, out));
    return out;
  }

  static Status check_tests(const Node& pipeline, const PipelineSettings& out) {
    std::vector<std::string> known;
    for (const auto& destination : out.destinations) known.push_back(destination.name);
    for (const auto& test : out.tests) {
      if (test.destination.empty() || std::find(known.begin(), known.end(), test.destination) != known.end())
        continue;
      const auto meant = did_you_mean(test.destination, known);
      return error_at(pipeline.find("tests")->mark,
                      fmt::format("the test '{}' names a destination '{}' that is not there", test.name,
                                  test.destination),
                      meant.empty() ? "destinations are " + listed(known) : meant);
    }
    return {};
  }

  /// Gives the transforms under `transform` of a mapping their places; none may be called like one of
  /// `before`.
  static Status place_transforms(const Node& mapping, std::vector<TransformSettings>& transforms,
                                 const std::vector<TransformSettings>& before) {
    std::set<std::string> seen;
    for (const auto& each : before) seen.insert(each.name);
    for (std::size_t i = 0; i < transforms.size(); ++i) {
      const auto& node = mapping.find("transform")->sequence()->at(i);
      auto& transform = transforms[i];
      transform.mark = node.find(transform.script ? "script" : "sql")->mark;
      if (!seen.insert(transform.name).second)
        return error_at(node.mark, fmt::format("a second transform is called '{}'", transform.name),
                        "give each its own name");
    }
    return {};
  }

  static std::string path(const std::string& where, std::string_view name) {
    return where.empty() ? std::string(name) : fmt::format("{}.{}", where, name);
  }

  Error missing(const Node& node, const std::string& where, std::string_view name, bool destination) const {
    return error_at(
        node.mark, fmt::format("'{}' is missing in {}", name, where.empty() ? "the file" : "'" + where + "'"),
        fmt::format("write {}: {{type: {}, ...}}", name, listed(kinds(destination), "or")));
  }

  Result<SourceSettings> source(const Node& node, const std::string& where) const {
    const auto* given = node.find("source");
    if (!given) return missing(node, where, "source", false);
    const auto place = path(where, "source");
    const auto merged = MAIA_TRY(with_connection(*given, place));
    const auto* connector = MAIA_TRY(connector_of(merged, place, false));
    MAIA_TRY(check_settings(merged, joined(endpoint_spec().settings(), connector->source), place));
    return SourceSettings{connector->name, split(merged, endpoint_spec().settings()).rest};
  }

  Result<std::vector<DestinationSettings>> destinations(const Node& node, const std::string& where,
                                                        const PipelineBody& body) const {
    const auto* one = node.find("destination");
    const auto* several = node.find("destinations");
    if (!one && !several) return missing(node, where, "destination", true);
    if (one && several)
      return error_at(several->mark, "both 'destination' and 'destinations' are given",
                      "move the single destination into `destinations`, under a name");
    std::vector<DestinationSettings> out;
    if (one) {
      out.push_back(MAIA_TRY(destination(*one, path(where, "destination"), body)));
      out.back().name = out.back().type;
      return out;
    }
    if (several->mapping()->empty())
      return error_at(several->mark, "'destinations' is empty", "name at least one");
    for (const auto& entry : *several->mapping()) {
      MAIA_TRY(check_name(entry.key, entry.key, entry.mark, "destination"));
      out.push_back(MAIA_TRY(destination(entry.value, path(where, "destinations." + entry.key), body)));
      out.back().name = entry.key;
    }
    return out;
  }

  Result<DestinationSettings> destination(const Node& given, const std::string& place,
                                          const PipelineBody& body) const {
    const auto merged = MAIA_TRY(with_connection(given, place));
    const auto* connector = MAIA_TRY(connector_of(merged, place, true));
    const auto core = joined(endpoint_spec().settings(), destination_spec().settings());
    MAIA_TRY(check_settings(merged, joined(core, connector->destination), place));
    auto rules = MAIA_TRY(destination_spec().read(split(merged, destination_spec().settings()).known, place));
    DestinationSettings out;
    out.type = connector->name;
    out.mode = rules.mode;
    out.deletes = rules.deletes;
    out.key = std::move(rules.key);
    out.routes = std::move(rules.routes);
    out.allow_merge = rules.allow_merge;
    MAIA_TRY(place_transforms(merged, rules.transforms, body.transforms));
    out.transforms = body.transforms;
    for (auto& own : rules.transforms) out.transforms.push_back(std::move(own));
    out.delivery = {.max_rows = rules.delivery.max_rows.value_or(body.delivery.max_rows),
                    .max_bytes = rules.delivery.max_bytes.value_or(body.delivery.max_bytes)};
    out.settings = split(merged, core).rest;
    return out;
  }

  /// The mapping with the settings of the connection that it names, where it has none of its own.
  Result<Node> with_connection(const Node& given, const std::string& place) const {
    if (!given.mapping())
      return error_at(given.mark, fmt::format("'{}' must be a mapping of settings", place),
                      "write the connector's name under it, as type: NAME");
    const auto* reference = given.find("connection");
    if (!reference) return given;
    MAIA_TRY(check_setting(*reference, endpoint_spec().settings()[1], place));
    const auto& name = reference->scalar()->text;
    const auto* connection = connections_ ? connections_->find(name) : nullptr;
    if (!connection) {
      std::vector<std::string> known;
      if (connections_) {
        for (const auto& entry : *connections_->mapping()) known.push_back(entry.key);
      }
      auto hint = did_you_mean(name, known);
      if (hint.empty())
        hint =
            fmt::format("write it under `connections:` as {}: {{type: ..., host: ...}}", shown(*reference));
      return error_at(reference->mark, fmt::format("there is no connection '{}'", shown(*reference)), hint);
    }
    Node merged = given;
    for (const auto& entry : *connection->mapping()) {
      if (!given.find(entry.key)) std::get<Node::Mapping>(merged.value).push_back(entry);
    }
    return merged;
  }

  std::vector<std::string> kinds(bool destination) const {
    std::vector<std::string> out;
    for (const auto& c : connectors_) {
      if (!(destination ? c.destination : c.source).empty()) out.push_back(c.name);
    }
    return out;
  }

  Result<const ConnectorSettings*> connector_of(const Node& endpoint, const std::string& place,
                                                bool destination) const {
    const std::string role = destination ? "destination" : "source";
    const auto known = fmt::format("known {}s are {}", role, listed(kinds(destination)));
    const auto* type = endpoint.find("type");
    if (!type) return error_at(endpoint.mark, fmt::format("'type' is missing in '{}'", place), known);
    MAIA_TRY(check_setting(*type, endpoint_spec().settings()[0], place));
    const auto& name = type->scalar()->text;
    for (const auto& c : connectors_) {
      if (c.name != name) continue;
      if (!(destination ? c.destination : c.source).empty()) return &c;
      return error_at(type->mark, fmt::format("the connector '{}' cannot be a {}", name, role), known);
    }
    const auto meant = did_you_mean(name, kinds(destination));
    return error_at(type->mark, fmt::format("unknown connector '{}' in '{}'", shown(*type), place),
                    meant.empty() ? known : meant + " " + known);
  }

  const Node& document_;
  std::span<const ConnectorSettings> connectors_;
  const Node* connections_;
};

void collect_secrets(const Settings& settings, std::set<std::string>& names_of_secrets) {
  for (const auto& each : settings) {
    if (each.kind == Setting::Kind::secret) names_of_secrets.insert(each.name);
    collect_secrets(each.members, names_of_secrets);
  }
}

std::set<std::string> secret_names(std::span<const ConnectorSettings> connectors) {
  std::set<std::string> out;
  for (const auto& connector : connectors) {
    collect_secrets(connector.source, out);
    collect_secrets(connector.destination, out);
  }
  return out;
}

}  // namespace

Result<PipelineFile> read_pipelines(const Node& document, std::span<const ConnectorSettings> connectors,
                                    const std::string& default_name) {
  if (!document.mapping())
    return error_at(document.mark, "the file must be a mapping of settings",
                    "begin with `source:` and `destination:`; `maia init` writes an example");
  return Reader(document, connectors).read(default_name);
}

Result<PipelineFile> load_pipeline_file(const std::string& path,
                                        std::span<const ConnectorSettings> connectors,
                                        const Environment& environment) {
  return parse_pipeline_file(MAIA_TRY(read_text(path)), path, connectors, environment);
}

Result<PipelineFile> parse_pipeline_file(std::string text, const std::string& path,
                                         std::span<const ConnectorSettings> connectors,
                                         const Environment& environment) {
  const auto written = MAIA_TRY(parse_yaml(text, path));
  auto kept = without_written_secrets(text, written, secret_names(connectors));
  const auto resolve = [written, environment, name = std::filesystem::path(path).stem().string(),
                        known = std::vector<ConnectorSettings>(connectors.begin(), connectors.end())] {
    auto document = written;
    if (auto resolved = resolve_references(document, environment); !resolved.ok())
      return Result<PipelineFile>(std::move(resolved).error());
    return read_pipelines(document, known, name);
  };
  auto file = MAIA_TRY(resolve());
  const auto origin =
      std::make_shared<const FileText>(FileText{absolute_path(path), std::move(text), std::move(kept)});
  for (std::size_t i = 0; i < file.pipelines.size(); ++i) {
    file.pipelines[i].file = origin;
    file.pipelines[i].resolve_again = [resolve, i]() -> Result<PipelineSettings> {
      auto again = MAIA_TRY(resolve());
      return std::move(again.pipelines[i]);
    };
  }
  return file;
}

}  // namespace maia::config
