// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "maia/base/result.h"

namespace maia::postgres {

using Oid = std::uint32_t;

/// What pg_type.typtype says; arrays are told apart from other base types here.
enum class TypeKind : std::uint8_t { base, array, domain, enumeration, composite, range, multirange, pseudo };

/// A type of a server, as far as mapping and decoding need it. Immutable and cheap to copy.
struct NativeType {
  Oid oid = 0;
  std::int32_t typmod = -1;
  std::string schema;   ///< namespace of the type
  std::string name;     ///< pg_type.typname
  std::string spelled;  ///< as format_type spells it, with its modifier; for people and for DDL
  TypeKind kind = TypeKind::base;
  /// domain: what it stands for, domains over domains resolved, with the domain's typmod. array: its element,
  /// with the array's typmod. Null for all others.
  std::shared_ptr<const NativeType> inner;
  char delimiter = ',';             ///< between the elements of an array of this type
  std::vector<std::string> labels;  ///< enumeration: in their order
};

/// A column as pg_attribute has it.
struct NativeColumn {
  std::string name;
  std::int16_t attnum = 0;
  NativeType type;
  std::uint16_t dimensions = 0;  ///< attndims
  bool not_null = false;         ///< of the column itself or of its domain
  char generated = 0;            ///< attgenerated: 0 none, 's' stored, 'v' virtual
};

/// The types of one server that its columns use. Filled from the rows of `kTypeCatalogueQuery`, then asked
/// for the type of each column; both steps need no connection.
class TypeCatalogue {
 public:
  /// One row of the query, in the order of its columns; nothing for NULL.
  Status add_row(std::span<const std::optional<std::string_view>> values);
  /// The type with this oid and modifier. `spelled` is format_type's text for the two. Code::unsupported if
  /// no such type has been added.
  Result<NativeType> resolve(Oid oid, std::int32_t typmod, std::string spelled) const;

 private:
  struct Row {
    std::string schema;
    std::string name;
    TypeKind kind = TypeKind::base;
    Oid inner = 0;
    std::int32_t inner_typmod = -1;
    std::string inner_spelled;
    char delimiter = ',';
    std::vector<std::string> labels;
  };
  Result<NativeType> resolve(Oid oid, std::int32_t typmod, std::string spelled, int nesting) const;

  std::unordered_map<Oid, Row> rows_;
};

/// Takes one parameter, an oid[] of the types that are asked for ($1; '{}' gives none), and returns them with
/// all types that they rest on. An enum has one row per label, in their order. Text format.
extern const std::string_view kTypeCatalogueQuery;

}  // namespace maia::postgres
