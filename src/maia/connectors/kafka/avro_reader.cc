// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/avro_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>

namespace maia::kafka {
namespace {

using simdjson::dom::element;

/// Deeper schemas and values are refused, so that none can exhaust the stack.
constexpr int kDeepest = 100;

Error refused(std::string what) { return Error{Error::Code::data, Recovery::halt, std::move(what)}; }

Error cut_short() { return refused("the Avro value ends too early"); }

std::string_view text_at(const element& object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

/// A number that stands as a number, or as a text as Connect writes it.
std::optional<int> number_at(const element& object, std::string_view name) {
  std::int64_t number = 0;
  if (object[name].get(number) == simdjson::SUCCESS && number >= 0 && number < 10'000)
    return static_cast<int>(number);
  const auto text = text_at(object, name);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Meaning meaning_of(const element& type) {
  Meaning meaning{.name = std::string(text_at(type, "connect.name")), .scale = {}, .precision = {}};
  if (meaning.name.empty()) meaning.name = text_at(type, "logicalType");
  meaning.scale = number_at(type, "scale");
  meaning.precision = number_at(type, "precision");
  element parameters;
  if (type["connect.parameters"].get(parameters) != simdjson::SUCCESS) return meaning;
  if (const auto scale = number_at(parameters, "scale")) meaning.scale = scale;
  if (const auto digits = number_at(parameters, "connect.decimal.precision")) meaning.precision = digits;
  return meaning;
}

}  // namespace

/// Makes the nodes of a schema; names stand for the nodes that were made under them.
class AvroReader::Parser {
 public:
  explicit Parser(AvroReader& reader) : reader_(reader) {}

  Result<const Node*> parse(const element& type, const std::string& space, int depth) {
    if (depth > kDeepest) return refused("the Avro schema is nested too deep");
    std::string_view name;
    if (type.get(name) == simdjson::SUCCESS) return named(name, space);
    simdjson::dom::array branches;
    if (type.get(branches) == simdjson::SUCCESS) {
      auto& node = add(Kind::choice);
      for (const auto branch : branches) node.parts.push_back(MAIA_TRY(parse(branch, space, depth + 1)));
      return &node;
    }
    element inner;
    if (type["type"].get(inner) != simdjson::SUCCESS) return refused("an Avro type has no name");
    if (inner.get(name) != simdjson::SUCCESS) return parse(inner, space, depth + 1);
    if (name == "record" || name == "error") return record(type, space, depth);
    if (name == "enum") return symbols(type, space);
    if (name == "array") return container(Kind::array, type, "items", space, depth);
    if (name == "map") return container(Kind::map, type, "values", space, depth);
    if (name == "fixed") return fixed(type, space);
    const auto meaning = meaning_of(type);
    const auto* plain = MAIA_TRY(named(name, space));
    if (meaning.name.empty() || plain->kind == Kind::record) return plain;
    auto& node = add(plain->kind);
    node.meaning = meaning;
    return &node;
  }

 private:
  Node& add(Kind kind) {
    auto& node = reader_.nodes_.emplace_back();
    node.kind = kind;
    return node;
  }

  Result<const Node*> named(std::string_view name, const std::string& space) {
    constexpr std::pair<std::string_view, Kind> kPrimitive[] = {
        {"null", Kind::null},    {"boolean", Kind::boolean}, {"int", Kind::whole32}, {"long", Kind::whole64},
        {"float", Kind::real32}, {"double", Kind::real64},   {"bytes", Kind::bytes}, {"string", Kind::text}};
    for (const auto& [each, kind] : kPrimitive) {
      if (each == name) return &add(kind);
    }
    const std::string full =
        name.find('.') == name.npos && !space.empty() ? space + "." + std::string(name) : std::string(name);
    for (const auto& key : {full, std::string(name)}) {
      if (const auto found = names_.find(key); found != names_.end()) return found->second;
    }
    return refused(fmt::format("the Avro schema names a type {}, which it does not have", name));
  }

  /// Notes a named type, and gives the namespace for what is inside.
  std::string note(const element& type, const std::string& space, const Node& node) {
    const std::string name(text_at(type, "name"));
    std::string inner = space;
    if (const auto own = text_at(type, "namespace"); !own.empty()) inner = own;
    if (const auto dot = name.rfind('.'); dot != name.npos) inner = name.substr(0, dot);
    const auto full = name.find('.') != name.npos || inner.empty() ? name : inner + "." + name;
    names_[full] = &node;
    return inner;
  }

  Result<const Node*> record(const element& type, const std::string& space, int depth) {
    auto& node = add(Kind::record);
    node.meaning = meaning_of(type);
    const auto inner = note(type, space, node);
    simdjson::dom::array fields;
    if (type["fields"].get(fields) != simdjson::SUCCESS) return refused("an Avro record has no fields");
    for (const auto field : fields) {
      element of;
      if (field["type"].get(of) != simdjson::SUCCESS) return refused("an Avro field has no type");
      node.names.emplace_back(text_at(field, "name"));
      node.parts.push_back(MAIA_TRY(parse(of, inner, depth + 1)));
    }
    return &node;
  }

  Result<const Node*> symbols(const element& type, const std::string& space) {
    auto& node = add(Kind::symbol);
    note(type, space, node);
    simdjson::dom::array symbols;
    if (type["symbols"].get(symbols) != simdjson::SUCCESS) return refused("an Avro enum has no symbols");
    for (const auto symbol : symbols) {
      std::string_view text;
      if (symbol.get(text) != simdjson::SUCCESS) return refused("a symbol of an Avro enum is no text");
      node.names.emplace_back(text);
    }
    return &node;
  }

  Result<const Node*> container(Kind kind, const element& type, std::string_view part,
                                const std::string& space, int depth) {
    element of;
    if (type[part].get(of) != simdjson::SUCCESS)
      return refused(fmt::format("an Avro container has no {}", part));
    auto& node = add(kind);
    node.parts.push_back(MAIA_TRY(parse(of, space, depth + 1)));
    return &node;
  }

  Result<const Node*> fixed(const element& type, const std::string& space) {
    auto& node = add(Kind::fixed);
    note(type, space, node);
    node.meaning = meaning_of(type);
    std::int64_t size = 0;
    if (type["size"].get(size) != simdjson::SUCCESS || size < 0 || size > INT32_MAX)
      return refused("an Avro fixed has no size");
    node.size = static_cast<std::size_t>(size);
    return &node;
  }

  AvroReader& reader_;
  std::map<std::string, const Node*> names_;
};

/// What is left of the bytes, and how many values they may still come to: some take no bytes at all.
struct AvroReader::Cursor {
  std::string_view left;
  std::size_t values;

  Result<std::int64_t> number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left.empty()) return cut_short();
      const auto byte = static_cast<std::uint8_t>(left[0]);
      left.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0)
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    return refused("an Avro number is too long");
  }
  Result<std::string_view> take(std::uint64_t size) {
    if (size > left.size()) return cut_short();
    const auto out = left.substr(0, size);
    left.remove_prefix(size);
    return out;
  }
  Result<std::string> text() {
    const auto size = MAIA_TRY(number());
    if (size < 0) return refused("an Avro text has a negative length");
    return std::string(MAIA_TRY(take(static_cast<std::uint64_t>(size))));
  }
  template <class T>
  Result<double> real() {
    T value;
    std::memcpy(&value, MAIA_TRY(take(sizeof value)).data(), sizeof value);
    return static_cast<double>(value);
  }
};

Result<std::shared_ptr<const AvroReader>> AvroReader::parse(std::string_view schema,
                                                            const std::vector<std::string>& imports) {
  auto reader = std::make_shared<AvroReader>();
  Parser nodes(*reader);
  std::vector<std::string_view> texts(imports.begin(), imports.end());
  texts.push_back(schema);
  for (const auto text : texts) {
    simdjson::dom::parser parser;
    element document;
    const simdjson::padded_string padded(text);
    if (parser.parse(padded).get(document) != simdjson::SUCCESS) return refused("the Avro schema is no JSON");
    reader->root_ = MAIA_TRY(nodes.parse(document, "", 0));
  }
  return std::shared_ptr<const AvroReader>(std::move(reader));
}

Result<Datum> AvroReader::read(std::string_view bytes) const {
  Cursor in{.left = bytes, .values = 10'000 + 4 * bytes.size()};
  auto datum = MAIA_TRY(read(*root_, in, 0));
  if (!in.left.empty()) return refused("bytes are left over behind the Avro value");
  return datum;
}

Type AvroReader::written(const Node& node) {
  switch (node.kind) {
    case Kind::boolean: return Type::of(TypeId::boolean);
    case Kind::whole32: return Type::of(TypeId::int32);
    case Kind::whole64: return Type::of(TypeId::int64);
    case Kind::real32: return Type::of(TypeId::float32);
    case Kind::real64: return Type::of(TypeId::float64);
    case Kind::bytes:
    case Kind::fixed: return Type::of(TypeId::bytes);
    case Kind::null:
    case Kind::text:
    case Kind::symbol: return Type::text();
    case Kind::record:
    case Kind::array:
    case Kind::map:
    case Kind::choice: return Type::of(TypeId::json);
  }
  return Type::text();
}

/// The type of values of a node, null included; nothing where only each value tells it.
std::optional<Type> AvroReader::type_of(const Node& node) {
  if (node.kind == Kind::null) return std::nullopt;
  if (node.kind != Kind::choice) return type_meant(written(node), node.meaning);
  const Node* only = nullptr;
  for (const auto* branch : node.parts) {
    if (branch->kind == Kind::null) continue;
    if (only != nullptr) return std::nullopt;
    only = branch;
  }
  return only != nullptr && only->kind != Kind::choice ? type_of(*only) : std::nullopt;
}

Result<Datum> AvroReader::read_items(const Node& node, Cursor& in, int depth) const {
  Datum out;
  out.kind = node.kind == Kind::map ? Datum::Kind::record : Datum::Kind::list;
  for (;;) {
    auto count = MAIA_TRY(in.number());
    if (count == 0) return out;
    if (count < 0) {
      if (count == INT64_MIN) return refused("an Avro block has no sensible size");
      count = -count;
      MAIA_TRY(in.number());  // its bytes
    }
    for (; count > 0; --count) {
      if (node.kind == Kind::map) out.names.push_back(MAIA_TRY(in.text()));
      out.items.push_back(MAIA_TRY(read(*node.parts[0], in, depth + 1)));
    }
  }
}

Result<Datum> AvroReader::read(const Node& node, Cursor& in, int depth) const {
  if (depth > kDeepest || in.values == 0) return refused("the Avro value is too large or nested too deep");
  --in.values;
  Datum out;
  switch (node.kind) {
    case Kind::null: return out;
    case Kind::boolean:
      out.kind = Datum::Kind::boolean;
      out.whole = MAIA_TRY(in.take(1))[0] != 0 ? 1 : 0;
      break;
    case Kind::whole32:
    case Kind::whole64: out = Datum::of(MAIA_TRY(in.number())); break;
    case Kind::real32:
    case Kind::real64:
      out.kind = Datum::Kind::real;
      out.real = node.kind == Kind::real32 ? MAIA_TRY(in.real<float>()) : MAIA_TRY(in.real<double>());
      break;
    case Kind::bytes:
    case Kind::text: out = Datum::of(MAIA_TRY(in.text())); break;
    case Kind::fixed: out = Datum::of(std::string(MAIA_TRY(in.take(node.size)))); break;
    case Kind::symbol: {
      const auto index = MAIA_TRY(in.number());
      if (index < 0 || static_cast<std::size_t>(index) >= node.names.size())
        return refused("an Avro enum has no such symbol");
      out = Datum::of(node.names[static_cast<std::size_t>(index)]);
      break;
    }
    case Kind::array:
    case Kind::map: return read_items(node, in, depth);
    case Kind::choice: {
      const auto index = MAIA_TRY(in.number());
      if (index < 0 || static_cast<std::size_t>(index) >= node.parts.size())
        return refused("an Avro union has no such branch");
      out = MAIA_TRY(read(*node.parts[static_cast<std::size_t>(index)], in, depth + 1));
      if (out.is(Datum::Kind::null)) out.type = type_of(node);
      return out;
    }
    case Kind::record:
      out.kind = Datum::Kind::record;
      out.names = node.names;
      for (const auto* part : node.parts) out.items.push_back(MAIA_TRY(read(*part, in, depth + 1)));
      if (type_of(node) == written(node)) return out;
      break;
  }
  MAIA_TRY(give_meaning(out, written(node), node.meaning));
  return out;
}

}  // namespace maia::kafka
