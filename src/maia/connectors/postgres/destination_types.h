// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "maia/connector/fidelity.h"
#include "maia/types/type.h"

namespace maia::postgres {

/// What a canonical type is stored as when MAIA makes the column.
struct StoredType {
  std::string name;      ///< without modifier, as format_type spells it: "numeric", "character varying"
  std::string modifier;  ///< "(10,2)", "[]", or empty; goes behind the name
  Fidelity fidelity = Fidelity::exact;
  std::string note;
  std::string sql() const { return name + modifier; }
};

/// What the destination's server has beyond the built-in types.
struct ServerTypes {
  std::string hstore;  ///< its name as format_type spells it, "public.hstore"; empty: not installed
};

StoredType stored_type(const Type& type, const ServerTypes& server);

/// A column's type as the server has it, domains resolved to what they rest on.
struct ColumnType {
  std::string name;      ///< without modifier, as format_type spells it
  char kind = 'b';       ///< pg_type.typtype: b base, e enum, c composite, r range, m multirange
  std::string modifier;  ///< "(10,2)", or empty
  std::string full;      ///< name and modifier, as format_type spells them together
};

/// The type without a limit, for a cast: a cast to varchar(3) would cut values where storing refuses them,
/// and `bit` and `character` alone mean a length of one.
std::string unlimited(const ColumnType& column);

/// Whether every value of `type` that the source can send fits the column, given as canonical text. A column
/// with less room (a shorter varchar, fewer digits) does not; wider types, text, and a user's own enum or
/// composite type for values of such a type do.
bool can_hold(const ColumnType& column, const Type& type, const ServerTypes& server);

}  // namespace maia::postgres
