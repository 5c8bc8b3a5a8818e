// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace maia::testing {

/// A PostgreSQL column type and the values at its edges, for every test that carries values from one end to
/// another. NULL is not listed: each type has it.
struct EdgeType {
  std::string_view name;         ///< unique; letters, digits and _, so that it can name a table
  std::string_view declaration;  ///< the type of the column, in SQL
  /// SQL expressions; write `(expression)::declaration`.
  std::vector<std::string_view> values;
  std::string_view extension = {};  ///< that must be there, if any
  int from_version = 15;            ///< first major version that has the type or all of these values
  bool text_only = false;           ///< MAIA reads its values in text form, never in binary
};

/// Statement that makes the user-defined types of the list, in schema `edge`. Run it once per database.
extern const std::string_view kEdgeTypesSetup;

/// All of them: what PostgreSQL brings, arrays, domains, enums, composites, ranges and extensions.
std::span<const EdgeType> edge_types();

}  // namespace maia::testing
