// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/json_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>

#include "maia/connectors/kafka/meaning.h"

namespace maia::kafka {
namespace {

using simdjson::dom::element;

/// Deeper values are refused, so that no record can exhaust the stack.
constexpr int kDeepest = 100;

Error refused(std::string what) { return Error{Error::Code::data, Recovery::halt, std::move(what)}; }

std::string_view text_at(const element& object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

Result<Datum> plain(const element& json, int depth) {
  if (depth > kDeepest) return refused("the JSON is nested too deep");
  Datum out;
  switch (json.type()) {
    case simdjson::dom::element_type::NULL_VALUE: return out;
    case simdjson::dom::element_type::BOOL:
      out.kind = Datum::Kind::boolean;
      out.whole = json.get_bool().value_unsafe() ? 1 : 0;
      return out;
    case simdjson::dom::element_type::INT64: return Datum::of(json.get_int64().value_unsafe());
    case simdjson::dom::element_type::UINT64:
      out = Datum::of(std::to_string(json.get_uint64().value_unsafe()));
      out.type = Type::decimal(20, 0);
      return out;
    case simdjson::dom::element_type::DOUBLE:
      out.kind = Datum::Kind::real;
      out.real = json.get_double().value_unsafe();
      return out;
    case simdjson::dom::element_type::STRING: return Datum::of(std::string(json.get_string().value_unsafe()));
    case simdjson::dom::element_type::ARRAY: {
      out.kind = Datum::Kind::list;
      const simdjson::dom::array items = json.get_array().value_unsafe();
      for (const auto each : items) out.items.push_back(MAIA_TRY(plain(each, depth + 1)));
      return out;
    }
    case simdjson::dom::element_type::OBJECT: {
      out.kind = Datum::Kind::record;
      const simdjson::dom::object members = json.get_object().value_unsafe();
      for (const auto [name, value] : members) {
        out.names.emplace_back(name);
        out.items.push_back(MAIA_TRY(plain(value, depth + 1)));
      }
      return out;
    }
  }
  return out;
}

std::optional<int> parameter(const element& schema, std::string_view name) {
  element parameters;
  if (schema["parameters"].get(parameters) != simdjson::SUCCESS) return std::nullopt;
  const auto text = text_at(parameters, name);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Type> written_type(std::string_view name) {
  constexpr std::pair<std::string_view, TypeId> kTypes[] = {
      {"boolean", TypeId::boolean}, {"int8", TypeId::int16},     {"int16", TypeId::int16},
      {"int32", TypeId::int32},     {"int64", TypeId::int64},    {"float", TypeId::float32},
      {"float32", TypeId::float32}, {"double", TypeId::float64}, {"float64", TypeId::float64},
      {"string", TypeId::string},   {"bytes", TypeId::bytes},    {"array", TypeId::json},
      {"map", TypeId::json},        {"struct", TypeId::json}};
  for (const auto& [each, id] : kTypes) {
    if (each == name) return Type::of(id);
  }
  return std::nullopt;
}

/// Whether the value is one that the schema's type has, with numbers and bytes as a Datum has them.
Status fit(Datum& datum, const Type& written) {
  const auto wrong = [&] { return refused("a value is no " + to_string(written) + ", as its schema says"); };
  if (datum.is(Datum::Kind::null)) return {};
  switch (written.id) {
    case TypeId::boolean: return datum.is(Datum::Kind::boolean) ? Status() : Status(wrong());
    case TypeId::int16:
    case TypeId::int32:
    case TypeId::int64: return datum.is(Datum::Kind::whole) ? Status() : Status(wrong());
    case TypeId::float32:
      if (datum.is(Datum::Kind::real)) datum.real = static_cast<double>(static_cast<float>(datum.real));
      [[fallthrough]];
    case TypeId::float64:
      return datum.is(Datum::Kind::real) || datum.is(Datum::Kind::whole) ? Status() : Status(wrong());
    case TypeId::bytes: {
      auto bytes = datum.is(Datum::Kind::text) ? from_base64(datum.text) : std::nullopt;
      if (!bytes) return wrong();
      datum.text = *std::move(bytes);
      return {};
    }
    case TypeId::string: return datum.is(Datum::Kind::text) ? Status() : Status(wrong());
    default: return {};
  }
}

Result<Datum> typed(const element& json, const element& schema, int depth);

Result<Datum> typed_record(const element& json, const element& schema, int depth) {
  Datum out;
  simdjson::dom::array fields;
  if (schema["fields"].get(fields) != simdjson::SUCCESS) return refused("a schema has no fields");
  simdjson::dom::object object;
  const bool is_null = json.is_null();
  if (!is_null && json.get(object) != simdjson::SUCCESS) return refused("a value is no object");
  if (!is_null) out.kind = Datum::Kind::record;
  for (const auto field : fields) {
    if (is_null) break;
    const auto name = text_at(field, "field");
    element value;
    if (object[name].get(value) != simdjson::SUCCESS) continue;
    out.names.emplace_back(name);
    out.items.push_back(MAIA_TRY(typed(value, field, depth + 1)));
  }
  return out;
}

/// A null struct has no members, so that their types are not known of it; another record tells them.
Result<Datum> typed(const element& json, const element& schema, int depth) {
  if (depth > kDeepest) return refused("the JSON is nested too deep");
  const auto kind = text_at(schema, "type");
  const auto written = written_type(kind);
  if (!written) return refused(fmt::format("a schema has the type {}, which is not known", kind));
  const Meaning meaning{.name = std::string(text_at(schema, "name")),
                        .scale = parameter(schema, "scale"),
                        .precision = parameter(schema, "connect.decimal.precision")};
  if (kind == "struct") {
    auto record = MAIA_TRY(typed_record(json, schema, depth));
    if (type_meant(*written, meaning) == *written) return record;
    MAIA_TRY(give_meaning(record, *written, meaning));
    return record;
  }
  auto datum = MAIA_TRY(plain(json, depth));
  // What stands for a value that was not sent is a text whatever the type is.
  if (datum.is(Datum::Kind::text) && datum.text == kNotSent) return datum;
  MAIA_TRY(fit(datum, *written));
  if (written->id == TypeId::bytes && datum.text == kNotSent) {
    datum.type.reset();
    return datum;
  }
  MAIA_TRY(give_meaning(datum, *written, meaning));
  return datum;
}

}  // namespace

Result<Datum> read_json(std::string_view text) {
  simdjson::dom::parser parser;
  element document;
  const simdjson::padded_string padded(text);
  if (const auto error = parser.parse(padded).get(document); error != simdjson::SUCCESS)
    return refused(fmt::format("it is no JSON ({})", simdjson::error_message(error)));
  simdjson::dom::object object;
  element schema;
  element payload;
  const bool wrapped = document.get(object) == simdjson::SUCCESS && object.size() == 2 &&
                       object["schema"].get(schema) == simdjson::SUCCESS &&
                       object["payload"].get(payload) == simdjson::SUCCESS;
  if (!wrapped) return plain(document, 0);
  return schema.is_null() ? plain(payload, 0) : typed(payload, schema, 0);
}

}  // namespace maia::kafka
