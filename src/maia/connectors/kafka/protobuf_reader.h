// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/connectors/kafka/datum.h"
#include "maia/connectors/kafka/protobuf_parser.h"

namespace maia::kafka {

/// Reads messages that were written as Protocol Buffers under one schema. Immutable once made.
class ProtobufReader {
 public:
  /// Code::data for what is no schema, or refers to what neither it nor `imports` declares (the well-known
  /// types that have a meaning here are known). Takes any bytes, as does `read`.
  static Result<std::shared_ptr<const ProtobufReader>> parse(std::string_view schema,
                                                             const std::vector<std::string>& imports);

  /// The one message that the bytes are, behind the path to its declaration, as serializers for a registry
  /// write it. A record has all fields of its message, in the schema's order. Code::data if they are none.
  Result<Datum> read(std::string_view bytes) const;

 private:
  enum class Wire : std::uint8_t { varint = 0, eight_bytes = 1, length = 2, group = 3, four_bytes = 5 };
  enum class Whole : std::uint8_t { none, as_it_is, zigzag, without_sign };
  struct Scalar {
    std::string_view name;
    Wire wire;
    TypeId type;
    Whole whole;
    Type of() const;
  };
  struct Message;
  struct Field {
    std::string name;
    bool repeated = false;
    bool map = false;
    bool may_be_absent = false;
    const Scalar* scalar = nullptr;  ///< or else one of these:
    const std::map<std::int32_t, std::string>* symbols = nullptr;
    const Message* message = nullptr;
  };
  struct Message {
    std::string name;  ///< with its package
    std::vector<Field> fields;
    std::map<std::int32_t, std::size_t> places;  ///< of the fields by their numbers
    std::vector<const Message*> messages;
  };
  class Linker;
  struct Cursor;

  static const Scalar kScalars[];
  static Datum absent(const Field& field);
  static std::optional<Type> type_of(const Field& field);
  static Result<Datum> read_scalar(const Scalar& scalar, Cursor& in);
  static Result<Datum> read_single(const Field& field, Cursor& in);
  static Status read_field(const Field& field, Wire wire, Cursor& in, Datum& out,
                           std::optional<std::string>& parts);
  static Result<Datum> read_message(const Message& message, Cursor& in);
  static Datum symbol(const std::map<std::int32_t, std::string>& symbols, std::int32_t number);
  static void add(const Field& field, Datum item, Datum& out);
  static Status give_message_meaning(const Message& message, Datum& out);

  std::deque<Message> messages_;
  std::deque<ProtobufEnum> enums_;
  std::vector<const Message*> roots_;  ///< of the schema itself
};

}  // namespace maia::kafka
