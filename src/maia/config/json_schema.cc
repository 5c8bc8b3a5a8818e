// SPDX-License-Identifier: Apache-2.0
#include "maia/config/json.h"
#include "maia/config/pipeline_spec.h"
#include "maia/config/reference.h"

namespace maia::config {
namespace {

using Kind = Setting::Kind;

Node list_of(std::vector<Node> nodes) { return Node{std::move(nodes), {}}; }

void add(Node& object, std::string key, Node value) {
  std::get<Node::Mapping>(object.value).push_back({std::move(key), {}, std::move(value)});
}

Node number(std::int64_t value) { return {Node::Scalar{std::to_string(value)}, {}}; }

Node typed(std::string_view type) { return Object().set("type", type).node(); }

/// A reference such as ${env:NAME} may stand for any scalar.
Node or_reference(Node schema) {
  auto reference = Object().set("type", "string").set("pattern", "\\$\\{").node();
  return Object().set("anyOf", list_of({std::move(schema), std::move(reference)})).node();
}

Node members_schema(std::span<const Setting> settings);

Node numeric(std::string_view type, const Setting& s) {
  auto schema = typed(type);
  if (s.minimum) add(schema, "minimum", number(*s.minimum));
  if (s.maximum) add(schema, "maximum", number(*s.maximum));
  return or_reference(std::move(schema));
}

Node with_pattern(std::string_view pattern) {
  return or_reference(Object().set("type", "string").set("pattern", pattern).node());
}

Node kind_schema(Kind kind, const Setting& s) {
  switch (kind) {
    case Kind::any: return Object().node();
    case Kind::text: return Object().set("type", text_list({"string", "number", "boolean"})).node();
    case Kind::secret:
      return Object().set("type", text_list({"string", "number"})).set("writeOnly", true).node();
    case Kind::integer: return numeric("integer", s);
    case Kind::number: return numeric("number", s);
    case Kind::boolean: return or_reference(typed("boolean"));
    case Kind::choice: return or_reference(Object().set("enum", text_list(s.choices)).node());
    case Kind::duration: return with_pattern("^\\s*(\\d+(\\.\\d+)?\\s*(us|ms|s|m|h|d)\\s*)+$|^0$");
    case Kind::bytes:
      return or_reference(Object()
                              .set("type", text_list({"string", "integer"}))
                              .set("pattern", "^\\d+(\\.\\d+)?\\s*([KkMmGgTt]?[Ii]?[Bb])?$")
                              .node());
    case Kind::list: {
      auto element = kind_schema(s.element == Kind::list ? Kind::text : s.element, s);
      auto list = Object().set("type", "array").set("items", element).node();
      if (s.element == Kind::group || s.element == Kind::any) return list;
      return Object().set("anyOf", list_of({std::move(list), std::move(element)})).node();
    }
    case Kind::map: {
      Setting element = s;
      element.element = Kind::text;
      return Object()
          .set("type", "object")
          .set("additionalProperties", kind_schema(s.element, element))
          .node();
    }
    case Kind::group: return members_schema(s.members);
  }
  return Object().node();
}

Node schema_of(const Setting& s) {
  auto schema = kind_schema(s.kind, s);
  if (!s.alternatives.empty()) {
    std::vector<Node> shapes = {std::move(schema)};
    for (const auto& other : s.alternatives) shapes.push_back(kind_schema(other.kind, other));
    schema = Object().set("anyOf", list_of(std::move(shapes))).node();
  }
  if (!s.doc.empty()) add(schema, "description", Node::text(s.doc));
  if (!s.default_text.empty() && s.kind != Kind::list && s.kind != Kind::map)
    add(schema, "default", {Node::Scalar{s.default_text}, {}});
  return schema;
}

/// Free keys: those that begin with x-.
Node free_keys() { return Object().set("^x-", Object().node()).node(); }

Node object_schema(Node properties, const std::vector<std::string>& required) {
  auto schema = Object().set("type", "object").set("properties", std::move(properties)).node();
  if (!required.empty()) add(schema, "required", text_list(required));
  add(schema, "patternProperties", free_keys());
  add(schema, "additionalProperties", {Node::Scalar{"false"}, {}});
  return schema;
}

Node members_schema(std::span<const Setting> settings) {
  auto properties = Object().node();
  std::vector<std::string> required;
  for (const auto& s : settings) {
    add(properties, s.name, schema_of(s));
    if (s.required) required.push_back(s.name);
  }
  return object_schema(std::move(properties), required);
}

/// One way to fill `source:` or `destination:`: by a connector, all of whose settings are known.
Node endpoint_schema(const std::string& name, std::span<const Setting> own, std::span<const Setting> core) {
  auto properties = Object().set("type", Object().set("const", name).node()).node();
  std::vector<std::string> required = {"type"};
  for (const auto settings : {core, own}) {
    for (const auto& s : settings) {
      add(properties, s.name, schema_of(s));
      if (s.required) required.push_back(s.name);
    }
  }
  return object_schema(std::move(properties), required);
}

/// With `connection:` the connector and part of its settings stand elsewhere, so that only MAIA can check it.
Node connected_schema() {
  return Object()
      .set("type", "object")
      .set("properties", Object().set("connection", typed("string")).node())
      .set("required", text_list({"connection"}))
      .node();
}

Node endpoints(std::span<const ConnectorSettings> connectors, bool destination) {
  const std::span<const Setting> core =
      destination ? std::span<const Setting>(destination_spec().settings()) : std::span<const Setting>();
  std::vector<Node> ways;
  for (const auto& c : connectors) {
    const auto& own = destination ? c.destination : c.source;
    if (!own.empty()) ways.push_back(endpoint_schema(c.name, own, core));
  }
  ways.push_back(connected_schema());
  return Object().set("anyOf", list_of(std::move(ways))).node();
}

Node reference_to(std::string_view definition) {
  return Object().set("$ref", "#/definitions/" + std::string(definition)).node();
}

Node map_to(Node element) {
  return Object().set("type", "object").set("additionalProperties", std::move(element)).node();
}

Node pipeline_properties() {
  auto properties = Object()
                        .set("source", reference_to("source"))
                        .set("destination", reference_to("destination"))
                        .set("destinations", map_to(reference_to("destination")))
                        .node();
  for (const auto& s : pipeline_spec().settings()) add(properties, s.name, schema_of(s));
  return properties;
}

}  // namespace

Node pipeline_schema(std::span<const ConnectorSettings> connectors) {
  auto several = Object()
                     .set("connections", map_to(typed("object")))
                     .set("pipelines", map_to(reference_to("pipeline")))
                     .node();
  auto one = pipeline_properties();
  add(one, "connections", map_to(typed("object")));
  auto definitions = Object()
                         .set("source", endpoints(connectors, false))
                         .set("destination", endpoints(connectors, true))
                         .set("pipeline", object_schema(pipeline_properties(), {"source"}))
                         .node();
  return Object()
      .set("$schema", "http://json-schema.org/draft-07/schema#")
      .set("title", "MAIA Sync pipeline file")
      .set("anyOf", list_of({object_schema(std::move(one), {"source"}),
                             object_schema(std::move(several), {"pipelines"})}))
      .set("definitions", std::move(definitions))
      .node();
}

}  // namespace maia::config
