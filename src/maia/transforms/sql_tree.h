// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/transforms/handle.h"

namespace maia::transforms {

/// A node of DuckDB's syntax tree, as json_serialize_sql gives it.
using SqlNode = simdjson::dom::element;

/// The syntax tree of one SELECT statement. Keeps the memory of its nodes.
class SqlTree {
 public:
  /// Code::invalid_config, in DuckDB's words, for text that is not exactly one SELECT.
  static Result<SqlTree> parse(duckdb_connection connection, std::string_view sql);
  /// The SELECT's own node.
  SqlNode select() const { return select_; }
  /// The expression of a SELECT that is nothing but one.
  std::optional<SqlNode> only_value() const;

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
  SqlNode select_;
};

/// A name in an expression, by its parts: {"input", "email"}.
using NameParts = std::vector<std::string>;

/// What an expression reads, without the parameters of its lambdas. Code::invalid_config for everything that
/// looks beyond the row: aggregates, window functions, queries, unnest, settings.
Result<std::vector<NameParts>> row_wise_names(SqlNode expression, const std::set<std::string>& aggregates);
/// The names of DuckDB's aggregate functions.
Result<std::set<std::string>> aggregate_names(duckdb_connection connection);
/// An expression's SQL, without its alias.
Result<std::string> expression_sql(duckdb_connection connection, SqlNode expression);

/// Fields of nodes; empty, or null, where there is none.
std::string text_of(SqlNode node, std::string_view field);
std::vector<SqlNode> list_of(SqlNode node, std::string_view field);
bool is_null(SqlNode node, std::string_view field);

}  // namespace maia::transforms
