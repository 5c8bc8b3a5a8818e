// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maia/connectors/kafka/datum.h"
#include "maia/connectors/kafka/meaning.h"

namespace maia::kafka {

/// Reads values that were written as Avro under one schema. Immutable once made.
class AvroReader {
 public:
  /// Code::data for what is no Avro schema. It may name types of `imports`, each of which may name those of
  /// the ones before it. Takes any bytes, as does `read`.
  static Result<std::shared_ptr<const AvroReader>> parse(std::string_view schema,
                                                         const std::vector<std::string>& imports = {});

  /// The one value that the bytes are. Code::data if they are none, or if some are left over.
  Result<Datum> read(std::string_view bytes) const;

 private:
  enum class Kind : std::uint8_t {
    null,
    boolean,
    whole32,
    whole64,
    real32,
    real64,
    bytes,
    text,
    record,
    symbol,
    array,
    map,
    choice,
    fixed,
  };
  struct Node {
    Kind kind = Kind::null;
    Meaning meaning;
    std::vector<std::string> names;  ///< of fields or symbols
    std::vector<const Node*> parts;  ///< fields, branches, or the one of elements
    std::size_t size = 0;            ///< fixed
  };
  class Parser;
  struct Cursor;

  Result<Datum> read(const Node& node, Cursor& in, int depth) const;
  Result<Datum> read_items(const Node& node, Cursor& in, int depth) const;
  static Type written(const Node& node);
  static std::optional<Type> type_of(const Node& node);

  std::deque<Node> nodes_;
  const Node* root_ = nullptr;
};

}  // namespace maia::kafka
