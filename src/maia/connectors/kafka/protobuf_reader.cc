// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/protobuf_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "maia/connectors/kafka/meaning.h"

namespace maia::kafka {
namespace {

/// Deeper messages are refused, so that none can exhaust the stack.
constexpr int kDeepest = 100;
/// Of one record, so that short ones cannot become large: messages that are there without any bytes have all
/// of their fields.
constexpr std::size_t kMostValues = 200'000;

/// Every registry knows these, though no schema has them.
constexpr const char* kWellKnown[] = {
    "syntax = 'proto3'; package google.protobuf;"
    "message Timestamp { int64 seconds = 1; int32 nanos = 2; }"
    "message Duration { int64 seconds = 1; int32 nanos = 2; }"
    "message Any { string type_url = 1; bytes value = 2; } message Empty {}"
    "message DoubleValue { double value = 1; } message FloatValue { float value = 1; }"
    "message Int64Value { int64 value = 1; } message UInt64Value { uint64 value = 1; }"
    "message Int32Value { int32 value = 1; } message UInt32Value { uint32 value = 1; }"
    "message BoolValue { bool value = 1; } message StringValue { string value = 1; }"
    "message BytesValue { bytes value = 1; }",
    "syntax = 'proto3'; package google.type;"
    "message Date { int32 year = 1; int32 month = 2; int32 day = 3; }"
    "message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }",
    "syntax = 'proto3'; package confluent.type;"
    "message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }"};

Error refused(std::string what) { return Error{Error::Code::data, Recovery::halt, std::move(what)}; }

Error cut_short() { return refused("the Protobuf message ends too early"); }

/// google.protobuf.Int64Value and its like: the value, which may be absent.
bool wraps(std::string_view message) {
  return message.starts_with("google.protobuf.") && message.ends_with("Value");
}

std::optional<Type> meant(std::string_view message) {
  if (message == "google.protobuf.Timestamp") return Type::of(TypeId::timestamp_tz);
  if (message == "google.type.Date") return Type::of(TypeId::date);
  if (message == "google.type.TimeOfDay") return Type::of(TypeId::time);
  if (message == "confluent.type.Decimal") return Type::decimal(0, 0);
  return std::nullopt;
}

/// The wire has the members of a map in any order, and the last one of a name is the one.
void sort_members(Datum& map) {
  std::map<std::string, Datum> members;
  for (std::size_t i = 0; i < map.items.size(); ++i) members[map.names[i]] = std::move(map.items[i]);
  map.names.clear();
  map.items.clear();
  for (auto& [name, value] : members) {
    map.names.push_back(name);
    map.items.push_back(std::move(value));
  }
}

std::int64_t member(const Datum& record, std::string_view name) {
  const auto* found = record.find(name);
  return found ? found->whole : 0;
}

}  // namespace

const ProtobufReader::Scalar ProtobufReader::kScalars[] = {
    {"double", Wire::eight_bytes, TypeId::float64, Whole::none},
    {"float", Wire::four_bytes, TypeId::float32, Whole::none},
    {"int32", Wire::varint, TypeId::int32, Whole::as_it_is},
    {"int64", Wire::varint, TypeId::int64, Whole::as_it_is},
    {"uint32", Wire::varint, TypeId::int64, Whole::without_sign},
    {"uint64", Wire::varint, TypeId::decimal, Whole::without_sign},
    {"sint32", Wire::varint, TypeId::int32, Whole::zigzag},
    {"sint64", Wire::varint, TypeId::int64, Whole::zigzag},
    {"fixed32", Wire::four_bytes, TypeId::int64, Whole::without_sign},
    {"fixed64", Wire::eight_bytes, TypeId::decimal, Whole::without_sign},
    {"sfixed32", Wire::four_bytes, TypeId::int32, Whole::as_it_is},
    {"sfixed64", Wire::eight_bytes, TypeId::int64, Whole::as_it_is},
    {"bool", Wire::varint, TypeId::boolean, Whole::none},
    {"string", Wire::length, TypeId::string, Whole::none},
    {"bytes", Wire::length, TypeId::bytes, Whole::none}};

/// Makes the messages of schemas, and then ties fields to the messages and enums that their types name.
class ProtobufReader::Linker {
 public:
  explicit Linker(ProtobufReader& reader) : reader_(reader) {}

  std::vector<const Message*> declare(const ProtobufFile& file) {
    std::vector<const Message*> out;
    for (const auto& each : file.enums) note(each, file.package);
    for (const auto& each : file.messages) out.push_back(&declare(each, file.package, file.proto3));
    return out;
  }
  Status link() {
    for (std::size_t i = 0; i < declared_.size(); ++i) {
      const auto& [message, declared, proto3] = declared_[i];
      for (const auto& field : declared.fields) {
        message->places[field.number] = message->fields.size();
        message->fields.push_back(MAIA_TRY(linked(field, message->name, proto3)));
      }
    }
    return {};
  }

 private:
  struct Declared {
    Message* message;
    ProtobufMessage declared;
    bool proto3;
  };

  static std::string within(const std::string& scope, const std::string& name) {
    return scope.empty() ? name : scope + "." + name;
  }
  void note(const ProtobufEnum& declared, const std::string& scope) {
    enums_[within(scope, declared.name)] = &reader_.enums_.emplace_back(declared).symbols;
  }
  Message& declare(const ProtobufMessage& declared, const std::string& scope, bool proto3) {
    auto& message = reader_.messages_.emplace_back();
    message.name = within(scope, declared.name);
    names_[message.name] = &message;
    declared_.push_back({&message, declared, proto3});
    for (const auto& each : declared.enums) note(each, message.name);
    for (const auto& each : declared.messages)
      message.messages.push_back(&declare(each, message.name, proto3));
    return message;
  }

  Result<Field> linked(const ProtobufField& declared, const std::string& scope, bool proto3) {
    Field field;
    field.name = declared.name;
    std::string type = declared.type;
    const auto space = type.find(' ');
    const bool labelled = space != type.npos && !type.starts_with("map<");
    field.repeated = type.starts_with("repeated ");
    field.may_be_absent = (labelled || declared.in_choice || !proto3) && !field.repeated;
    if (labelled) type.erase(0, space + 1);
    if (type.starts_with("map<")) {
      field.message = &entry(type, within(scope, declared.name));
      field.map = field.repeated = true;
      field.may_be_absent = false;
      return field;
    }
    for (const auto& scalar : kScalars) {
      if (scalar.name == type) field.scalar = &scalar;
    }
    if (field.scalar) return field;
    type.starts_with('.') ? resolve(type.substr(1), "", field) : resolve(type, scope, field);
    if (!field.message && !field.symbols)
      return refused(fmt::format("the Protobuf schema names a type {}, which it does not have", type));
    if (field.message && !field.repeated) field.may_be_absent = true;
    return field;
  }
  /// The innermost scope that has the name says what it is.
  void resolve(const std::string& type, std::string scope, Field& field) const {
    for (;;) {
      const auto full = within(scope, type);
      if (const auto found = names_.find(full); found != names_.end()) field.message = found->second;
      if (const auto found = enums_.find(full); found != enums_.end()) field.symbols = found->second;
      if (field.message || field.symbols || scope.empty()) return;
      const auto dot = scope.rfind('.');
      scope.erase(dot == scope.npos ? 0 : dot);
    }
  }
  /// The message that each entry of a map is.
  Message& entry(const std::string& map, const std::string& name) {
    const auto comma = map.find(", ");
    ProtobufMessage declared;
    declared.fields = {{"key", map.substr(4, comma - 4), "", 1},
                       {"value", map.substr(comma + 2, map.size() - comma - 3), "", 2}};
    auto& message = reader_.messages_.emplace_back();
    message.name = name;
    declared_.push_back({&message, std::move(declared), true});
    return message;
  }

  ProtobufReader& reader_;
  std::map<std::string, const Message*> names_;
  std::map<std::string, const std::map<std::int32_t, std::string>*> enums_;
  std::deque<Declared> declared_;  ///< the entries of maps come to it while it is gone through
};

/// What is left of the bytes, how deep they are, and how many values the record may still come to.
struct ProtobufReader::Cursor {
  std::string_view left;
  std::size_t& values;
  int depth = 0;

  Cursor inner(std::string_view bytes) const { return {.left = bytes, .values = values, .depth = depth + 1}; }
  Status spend(std::size_t count) {
    if (depth > kDeepest || count > values) return refused("the Protobuf message is too large or too deep");
    values -= count;
    return {};
  }
  Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left.empty()) return cut_short();
      const auto byte = static_cast<std::uint8_t>(left[0]);
      left.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return refused("a Protobuf number is too long");
  }
  Result<std::int64_t> zigzag() {
    const auto bits = MAIA_TRY(varint());
    return static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
  }
  Result<std::string_view> take(std::uint64_t size) {
    if (size > left.size()) return cut_short();
    const auto out = left.substr(0, size);
    left.remove_prefix(size);
    return out;
  }
  Result<std::string_view> text() { return take(MAIA_TRY(varint())); }
  template <class T>
  Result<std::uint64_t> fixed() {
    T value;
    std::memcpy(&value, MAIA_TRY(take(sizeof value)).data(), sizeof value);
    return std::uint64_t{value};
  }
  /// Leaves out the value of a field that the schema does not have, or not so.
  Status skip(Wire wire) {
    switch (wire) {
      case Wire::varint: MAIA_TRY(varint()); return {};
      case Wire::eight_bytes: MAIA_TRY(take(8)); return {};
      case Wire::length: MAIA_TRY(text()); return {};
      case Wire::four_bytes: MAIA_TRY(take(4)); return {};
      case Wire::group: break;
    }
    return refused("the Protobuf message has a group, which is not read");
  }
};

Result<std::shared_ptr<const ProtobufReader>> ProtobufReader::parse(std::string_view schema,
                                                                    const std::vector<std::string>& imports) {
  auto reader = std::make_shared<ProtobufReader>();
  Linker linker(*reader);
  for (const auto* known : kWellKnown) linker.declare(MAIA_TRY(parse_protobuf(known)));
  for (const auto& import : imports) linker.declare(MAIA_TRY(parse_protobuf(import)));
  reader->roots_ = linker.declare(MAIA_TRY(parse_protobuf(schema)));
  MAIA_TRY(linker.link());
  return std::shared_ptr<const ProtobufReader>(std::move(reader));
}

Result<Datum> ProtobufReader::read(std::string_view bytes) const {
  auto values = kMostValues;
  Cursor in{.left = bytes, .values = values};
  const auto length = MAIA_TRY(in.zigzag());
  const auto* among = &roots_;
  const Message* message = nullptr;
  // Instead of the path to the first message there may be none.
  for (std::int64_t i = 0; i < std::max<std::int64_t>(length, 1); ++i) {
    const auto place = length == 0 ? 0 : MAIA_TRY(in.zigzag());
    if (place < 0 || place >= std::ssize(*among)) return refused("the Protobuf schema has no such message");
    message = (*among)[static_cast<std::size_t>(place)];
    among = &message->messages;
  }
  return read_message(*message, in);
}

Type ProtobufReader::Scalar::of() const {
  if (type == TypeId::decimal) return Type::decimal(20, 0);
  return type == TypeId::string ? Type::text() : Type::of(type);
}

std::optional<Type> ProtobufReader::type_of(const Field& field) {
  if (field.repeated) return Type::of(TypeId::json);
  if (field.scalar) return field.scalar->of();
  if (field.symbols) return Type::text();
  if (const auto type = meant(field.message->name)) return type;
  const auto& fields = field.message->fields;
  return wraps(field.message->name) && fields.size() == 1 ? type_of(fields[0]) : Type::of(TypeId::json);
}

/// What a field is of which the message says nothing.
Datum ProtobufReader::absent(const Field& field) {
  Datum out;
  if (field.repeated) {
    out.kind = field.map ? Datum::Kind::record : Datum::Kind::list;
    return out;
  }
  if (!field.may_be_absent) {
    const auto kind = field.scalar ? field.scalar->type : TypeId::string;
    const bool real = kind == TypeId::float32 || kind == TypeId::float64;
    if (field.symbols) {
      out = symbol(*field.symbols, 0);
    } else if (kind == TypeId::string || kind == TypeId::bytes) {
      out = Datum::of(std::string());
    } else if (kind == TypeId::decimal) {
      out = Datum::of(std::string("0"));
    } else {
      out.kind = real                      ? Datum::Kind::real
                 : kind == TypeId::boolean ? Datum::Kind::boolean
                                           : Datum::Kind::whole;
    }
  }
  out.type = type_of(field);
  return out;
}

/// One that the schema does not have is its number.
Datum ProtobufReader::symbol(const std::map<std::int32_t, std::string>& symbols, std::int32_t number) {
  const auto found = symbols.find(number);
  auto out = Datum::of(found == symbols.end() ? std::to_string(number) : found->second);
  out.type = Type::text();
  return out;
}

Result<Datum> ProtobufReader::read_scalar(const Scalar& scalar, Cursor& in) {
  Datum out;
  if (scalar.wire == Wire::length) {
    out = Datum::of(std::string(MAIA_TRY(in.text())));
    out.type = scalar.of();
    return out;
  }
  auto bits = scalar.wire == Wire::varint        ? MAIA_TRY(in.varint())
              : scalar.wire == Wire::eight_bytes ? MAIA_TRY(in.fixed<std::uint64_t>())
                                                 : MAIA_TRY(in.fixed<std::uint32_t>());
  if (scalar.whole == Whole::zigzag) bits = bits >> 1 ^ (~(bits & 1) + 1);
  switch (scalar.type) {
    case TypeId::float64:
      out.kind = Datum::Kind::real;
      out.real = std::bit_cast<double>(bits);
      break;
    case TypeId::float32:
      out.kind = Datum::Kind::real;
      out.real = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
      break;
    case TypeId::boolean:
      out.kind = Datum::Kind::boolean;
      out.whole = bits != 0 ? 1 : 0;
      break;
    case TypeId::decimal: out = Datum::of(std::to_string(bits)); break;
    case TypeId::int32: out = Datum::of(std::int64_t{static_cast<std::int32_t>(bits)}); break;
    default:
      out = Datum::of(scalar.whole == Whole::without_sign ? std::int64_t{static_cast<std::uint32_t>(bits)}
                                                          : static_cast<std::int64_t>(bits));
      break;
  }
  out.type = scalar.of();
  return out;
}

Result<Datum> ProtobufReader::read_single(const Field& field, Cursor& in) {
  MAIA_TRY(in.spend(1));
  if (field.scalar) return read_scalar(*field.scalar, in);
  if (field.symbols) return symbol(*field.symbols, static_cast<std::int32_t>(MAIA_TRY(in.varint())));
  auto inner = in.inner(MAIA_TRY(in.text()));
  return read_message(*field.message, inner);
}

void ProtobufReader::add(const Field& field, Datum item, Datum& out) {
  if (!field.map) return out.items.push_back(std::move(item));
  auto& key = item.items[0];
  if (!key.is(Datum::Kind::text)) {
    std::string text;
    append_json(text, key);
    key.text = std::move(text);
  }
  out.names.push_back(std::move(key.text));
  out.items.push_back(std::move(item.items[1]));
}

/// Takes the value of a field from the bytes. One message may come in parts, which are its bytes together.
Status ProtobufReader::read_field(const Field& field, Wire wire, Cursor& in, Datum& out,
                                  std::optional<std::string>& parts) {
  const auto own = field.scalar ? field.scalar->wire : field.symbols ? Wire::varint : Wire::length;
  if (wire == own && field.message && !field.repeated) {
    if (!parts) parts.emplace();
    *parts += MAIA_TRY(in.text());
    return {};
  }
  if (wire == own) {
    auto value = MAIA_TRY(read_single(field, in));
    field.repeated ? add(field, std::move(value), out) : void(out = std::move(value));
    return {};
  }
  if (!field.repeated || wire != Wire::length) return in.skip(wire);
  // Numbers of one list may lie together.
  auto inner = in.inner(MAIA_TRY(in.text()));
  while (!inner.left.empty()) add(field, MAIA_TRY(read_single(field, inner)), out);
  return {};
}

Result<Datum> ProtobufReader::read_message(const Message& message, Cursor& in) {
  MAIA_TRY(in.spend(message.fields.size() + 1));
  Datum out;
  out.kind = Datum::Kind::record;
  for (const auto& field : message.fields) {
    out.names.push_back(field.name);
    out.items.push_back(absent(field));
  }
  std::vector<std::optional<std::string>> parts(message.fields.size());
  while (!in.left.empty()) {
    const auto tag = MAIA_TRY(in.varint());
    const auto wire = static_cast<Wire>(tag & 7);
    const auto found = tag >> 3 <= kLargestNumber ? message.places.find(static_cast<std::int32_t>(tag >> 3))
                                                  : message.places.end();
    if (found == message.places.end()) {
      MAIA_TRY(in.skip(wire));
      continue;
    }
    const auto i = found->second;
    MAIA_TRY(read_field(message.fields[i], wire, in, out.items[i], parts[i]));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (message.fields[i].map) sort_members(out.items[i]);
    if (!parts[i]) continue;
    auto inner = in.inner(*parts[i]);
    out.items[i] = MAIA_TRY(read_message(*message.fields[i].message, inner));
  }
  MAIA_TRY(give_message_meaning(message, out));
  return out;
}

Status ProtobufReader::give_message_meaning(const Message& message, Datum& out) {
  if (wraps(message.name) && out.items.size() == 1) {
    Datum value = std::move(out.items[0]);
    out = std::move(value);
    return {};
  }
  const auto type = meant(message.name);
  if (!type) return {};
  if (type->id == TypeId::decimal)
    return give_meaning(out, Type::of(TypeId::json), {.name = "io.debezium.data.VariableScaleDecimal"});
  const auto nanos = member(out, "nanos");
  if (type->id == TypeId::timestamp_tz) {
    std::int64_t micros = 0;
    if (__builtin_mul_overflow(member(out, "seconds"), 1'000'000, &micros) || nanos < 0 ||
        __builtin_add_overflow(micros, nanos / 1000, &micros))
      return refused("a google.protobuf.Timestamp is too large");
    out = Datum::of(micros);
    return give_meaning(out, Type::of(TypeId::int64), {.name = "timestamp-micros"});
  }
  out = Datum::of(
      type->id == TypeId::date
          ? fmt::format("{:04}-{:02}-{:02}", member(out, "year"), member(out, "month"), member(out, "day"))
          : fmt::format("{:02}:{:02}:{:02}.{:06}", member(out, "hours"), member(out, "minutes"),
                        member(out, "seconds"), nanos / 1000));
  out.type = type;
  ColumnVector column(physical(*type));
  return push(column, *type, out).ok() ? Status() : Status(refused("a value is no " + message.name));
}

}  // namespace maia::kafka
