// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/table_fact.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "maia/config/json.h"

namespace maia::engine {
namespace {

constexpr std::string_view kPrefix = "table/";

void append_text(std::string& out, std::string_view text) { out += config::json_quoted(text); }

void append_type(std::string& out, const Type& type) {
  fmt::format_to(std::back_inserter(out), R"({{"id":{},"p":{},"s":{},"d":{},"form":)",
                 static_cast<int>(type.id), type.precision, type.scale, type.dimensions);
  append_text(out, type.form);
  if (type.element) {
    out += R"(,"element":)";
    append_type(out, *type.element);
  }
  out += '}';
}

void append_schema(std::string& out, const TableSchema& schema) {
  out += R"({"id":)";
  append_text(out, schema.id);
  out += R"(,"schema":)";
  append_text(out, schema.name.schema);
  out += R"(,"table":)";
  append_text(out, schema.name.table);
  fmt::format_to(std::back_inserter(out), R"(,"version":{},"identity":{},"columns":[)", schema.version,
                 static_cast<int>(schema.identity));
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const auto& column = schema.columns[i];
    out += i == 0 ? R"({"name":)" : R"(,{"name":)";
    append_text(out, column.name);
    out += R"(,"type":)";
    append_type(out, column.type);
    out += R"(,"native":)";
    append_text(out, column.native_type);
    out += R"(,"id":)";
    append_text(out, column.id);
    fmt::format_to(std::back_inserter(out), R"(,"nullable":{},"key":{},"generated":{}}})", column.nullable,
                   column.in_key, column.generated);
  }
  out += "]}";
}

using Element = simdjson::dom::element;

std::string text_of(const Element& object, std::string_view key) {
  return std::string(std::string_view(object[key]));
}

std::optional<std::string> optional_text(const Element& object, std::string_view key) {
  Element value;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return std::string(std::string_view(value));
}

Type type_of(const Element& json) {
  Type type;
  type.id = static_cast<TypeId>(std::uint64_t(json["id"]));
  type.precision = static_cast<std::uint16_t>(std::uint64_t(json["p"]));
  type.scale = static_cast<std::uint16_t>(std::uint64_t(json["s"]));
  type.dimensions = static_cast<std::uint8_t>(std::uint64_t(json["d"]));
  type.form = text_of(json, "form");
  Element element;
  if (json["element"].get(element) == simdjson::SUCCESS) {
    type.element = std::make_shared<const Type>(type_of(element));
  }
  return type;
}

SchemaRef schema_of(const Element& json) {
  TableSchema schema;
  schema.id = text_of(json, "id");
  schema.name = {text_of(json, "schema"), text_of(json, "table")};
  schema.version = static_cast<std::uint32_t>(std::uint64_t(json["version"]));
  schema.identity = static_cast<Identity>(std::uint64_t(json["identity"]));
  for (const Element each : simdjson::dom::array(json["columns"])) {
    Column column;
    column.name = text_of(each, "name");
    column.type = type_of(each["type"]);
    column.native_type = text_of(each, "native");
    column.id = text_of(each, "id");
    column.nullable = bool(each["nullable"]);
    column.in_key = bool(each["key"]);
    column.generated = bool(each["generated"]);
    schema.columns.push_back(std::move(column));
  }
  return std::make_shared<const TableSchema>(std::move(schema));
}

TableState state_of(std::uint64_t number) {
  for (const auto state : kTableStates) {
    if (static_cast<std::uint64_t>(state) == number) return state;
  }
  throw simdjson::simdjson_error(simdjson::NUMBER_OUT_OF_RANGE);
}

TableFact fact_of(const Element& json) {
  TableFact fact;
  fact.state = state_of(std::uint64_t(json["state"]));
  fact.source = schema_of(json["source"]);
  fact.target = schema_of(json["target"]);
  fact.snapshot.token = text_of(json, "token");
  fact.chunks = static_cast<std::uint32_t>(std::uint64_t(json["chunks"]));
  fact.rows = std::uint64_t(json["rows"]);
  // Done chunks are kept as ranges [first, last], because a large table has many thousands of them.
  for (const Element range : simdjson::dom::array(json["done"])) {
    const auto first = std::uint64_t(range.at(0));
    const auto last = std::uint64_t(range.at(1));
    for (auto chunk = first; chunk <= last; ++chunk) {
      fact.snapshot.done.push_back(static_cast<std::uint32_t>(chunk));
    }
  }
  if (auto position = optional_text(json, "skip_until")) fact.skip_until = Position{std::move(*position)};
  if (auto position = optional_text(json, "converge_until"))
    fact.converge_until = Position{std::move(*position)};
  // Facts of earlier versions lack what follows.
  Element copied;
  const bool told = json["copied"].get(copied) == simdjson::SUCCESS;
  fact.copied = told ? bool(copied) : fact.state >= TableState::catching_up;
  if (auto position = optional_text(json, "held_position")) {
    fact.held = Held{Sequence{std::uint64_t(json["held_sequence"])}, Position{std::move(*position)}};
  }
  if (auto position = optional_text(json, "had_until")) fact.had_until = Position{std::move(*position)};
  fact.resync = optional_text(json, "resync");
  const bool begun = fact.rows > 0 || fact.chunks > 0 || !fact.snapshot.token.empty();
  Element made;
  const bool made_told = json["made"].get(made) == simdjson::SUCCESS;
  fact.made = made_told ? bool(made) : fact.copied || fact.resync || begun;
  fact.reason = optional_text(json, "reason").value_or("");
  fact.hint = optional_text(json, "hint").value_or("");
  Element left_at;
  if (json["left_at"].get(left_at) == simdjson::SUCCESS) fact.left_at = std::int64_t(left_at);
  Element changes;
  if (json["schema_changes"].get(changes) == simdjson::SUCCESS) fact.schema_changes = std::uint64_t(changes);
  fact.last_schema_change = optional_text(json, "last_schema_change").value_or("");
  return fact;
}

}  // namespace

Status happen(TableFact& fact, TableEvent event) {
  const auto next = next_state(fact.state, event);
  if (!next) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("{} is {}, which {} does not change", to_string(fact.source->name),
                             to_string(fact.state), to_string(event)),
                 "maia status shows what each table is doing"};
  }
  fact.state = *next;
  return {};
}

std::string fact_key(std::string_view table_id) { return std::string(kPrefix) + std::string(table_id); }

std::optional<std::string> table_of_fact(std::string_view key) {
  if (!key.starts_with(kPrefix)) return std::nullopt;
  return std::string(key.substr(kPrefix.size()));
}

std::string to_json(const TableFact& fact) {
  std::string out = fmt::format(R"({{"state":{},"chunks":{},"rows":{},"token":)",
                                static_cast<int>(fact.state), fact.chunks, fact.rows);
  append_text(out, fact.snapshot.token);
  out += R"(,"done":[)";
  const auto& done = fact.snapshot.done;
  for (std::size_t i = 0; i < done.size();) {
    auto last = i;
    while (last + 1 < done.size() && done[last + 1] == done[last] + 1) ++last;
    fmt::format_to(std::back_inserter(out), "{}[{},{}]", i == 0 ? "" : ",", done[i], done[last]);
    i = last + 1;
  }
  out += R"(],"source":)";
  append_schema(out, *fact.source);
  out += R"(,"target":)";
  append_schema(out, *fact.target);
  const auto text = [&out](std::string_view key, std::string_view value) {
    fmt::format_to(std::back_inserter(out), R"(,"{}":)", key);
    append_text(out, value);
  };
  if (fact.skip_until) text("skip_until", fact.skip_until->token);
  if (fact.converge_until) text("converge_until", fact.converge_until->token);
  fmt::format_to(std::back_inserter(out), R"(,"made":{},"copied":{})", fact.made, fact.copied);
  if (fact.held) {
    text("held_position", fact.held->position.token);
    fmt::format_to(std::back_inserter(out), R"(,"held_sequence":{})", fact.held->sequence.value);
  }
  if (fact.had_until) text("had_until", fact.had_until->token);
  if (fact.resync) text("resync", *fact.resync);
  if (!fact.reason.empty()) text("reason", fact.reason);
  if (!fact.hint.empty()) text("hint", fact.hint);
  if (fact.left_at != 0) fmt::format_to(std::back_inserter(out), R"(,"left_at":{})", fact.left_at);
  if (fact.schema_changes > 0) {
    fmt::format_to(std::back_inserter(out), R"(,"schema_changes":{})", fact.schema_changes);
    text("last_schema_change", fact.last_schema_change);
  }
  return out + "}";
}

Result<TableFact> table_fact_from_json(std::string_view json) {
  try {
    simdjson::dom::parser parser;
    return fact_of(parser.parse(json.data(), json.size()));
  } catch (const simdjson::simdjson_error& error) {
    return Error{Error::Code::corruption, Recovery::halt,
                 fmt::format("the destination's record of a table's progress is damaged: {}", error.what()),
                 "restore the checkpoint table of the destination, or drop the pipeline and start it anew"};
  }
}

}  // namespace maia::engine
