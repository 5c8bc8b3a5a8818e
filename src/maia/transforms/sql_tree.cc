// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/sql_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "maia/transforms/sandbox.h"

namespace maia::transforms {
namespace {

constexpr std::array<std::string_view, 13> kForbidden{
    "unnest",         "current_setting", "getvariable",           "nextval",          "currval",
    "write_log",      "current_query",   "current_query_id",      "current_database", "current_connection_id",
    "current_schema", "current_schemas", "current_transaction_id"};

Error refused(std::string what, std::string hint = "a transform sees one row at a time") {
  return {Error::Code::invalid_config, Recovery::halt, std::move(what), std::move(hint)};
}

/// Runs a statement with one text parameter that yields one text.
Result<std::string> ask(duckdb_connection connection, const char* sql, std::string_view parameter) {
  PreparedHandle prepared;
  if (duckdb_prepare(connection, sql, prepared.out()) != DuckDBSuccess) {
    return refused(first_line(duckdb_prepare_error(prepared.get())), "");
  }
  duckdb_bind_varchar_length(prepared.get(), 1, parameter.data(), parameter.size());
  ResultHandle result;
  const auto state = duckdb_execute_prepared(prepared.get(), result.out());
  auto raw = result.get();
  if (state != DuckDBSuccess) return refused(first_line(duckdb_result_error(&raw)), "");
  const ChunkHandle chunk(duckdb_fetch_chunk(raw));
  if (chunk.get() == nullptr || duckdb_data_chunk_get_size(chunk.get()) != 1) return refused("no answer", "");
  auto* text =
      static_cast<duckdb_string_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk.get(), 0)));
  return std::string(duckdb_string_t_data(text), duckdb_string_t_length(*text));
}

Status walk(SqlNode node, const std::set<std::string>& aggregates, std::set<std::string> lambda,
            std::vector<NameParts>& names);

Status check_function(SqlNode node, const std::set<std::string>& aggregates) {
  const auto name = text_of(node, "function_name");
  if (aggregates.contains(name)) return refused(fmt::format("{}() is an aggregate over several rows", name));
  if (std::find(kForbidden.begin(), kForbidden.end(), name) != kForbidden.end()) {
    return refused(fmt::format("{}() is not available in transforms", name), "");
  }
  return {};
}

Status check_class(SqlNode node, const std::set<std::string>& aggregates) {
  const auto kind = text_of(node, "class");
  if (kind == "FUNCTION") return check_function(node, aggregates);
  if (kind == "WINDOW") return refused("a window function looks at several rows");
  if (kind == "SUBQUERY") return refused("a query inside an expression looks beyond the row");
  if (kind == "STAR") return refused("'*' or COLUMNS() stands inside an expression", "name the columns");
  if (kind == "PARAMETER") return refused("a parameter has no value here", "write the value");
  if (kind == "POSITIONAL_REFERENCE") return refused("columns cannot be named by number", "name the column");
  return {};
}

Status walk_children(SqlNode node, const std::set<std::string>& aggregates,
                     const std::set<std::string>& lambda, std::vector<NameParts>& names) {
  if (node.is_object()) {
    for (const auto field : simdjson::dom::object(node))
      MAIA_TRY(walk(field.value, aggregates, lambda, names));
  } else if (node.is_array()) {
    for (const auto each : simdjson::dom::array(node)) MAIA_TRY(walk(each, aggregates, lambda, names));
  }
  return {};
}

NameParts name_parts(SqlNode node) {
  NameParts parts;
  for (const auto part : list_of(node, "column_names")) parts.emplace_back(std::string_view(part));
  return parts;
}

Status walk(SqlNode node, const std::set<std::string>& aggregates, std::set<std::string> lambda,
            std::vector<NameParts>& names) {
  if (!node.is_object()) return walk_children(node, aggregates, lambda, names);
  MAIA_TRY(check_class(node, aggregates));
  const auto kind = text_of(node, "class");
  if (kind == "COLUMN_REF") {
    auto parts = name_parts(node);
    if (!parts.empty() && !lambda.contains(parts.front())) names.push_back(std::move(parts));
    return {};
  }
  if (kind == "LAMBDA") {
    std::vector<NameParts> parameters;
    MAIA_TRY(walk(node["lhs"], aggregates, {}, parameters));
    for (const auto& each : parameters) lambda.insert(each.front());
    return walk(node["expr"], aggregates, lambda, names);
  }
  return walk_children(node, aggregates, lambda, names);
}

}  // namespace

std::string text_of(SqlNode node, std::string_view field) {
  std::string_view text;
  if (node[field].get(text) != simdjson::SUCCESS) return "";
  return std::string(text);
}

std::vector<SqlNode> list_of(SqlNode node, std::string_view field) {
  simdjson::dom::array array;
  if (node[field].get(array) != simdjson::SUCCESS) return {};
  std::vector<SqlNode> list;
  for (const auto each : array) list.push_back(each);
  return list;
}

bool is_null(SqlNode node, std::string_view field) {
  SqlNode found;
  return node[field].get(found) != simdjson::SUCCESS || found.is_null();
}

Result<SqlTree> SqlTree::parse(duckdb_connection connection, std::string_view sql) {
  const auto json =
      MAIA_TRY(ask(connection, "SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", sql));
  SqlTree tree;
  tree.parser_ = std::make_unique<simdjson::dom::parser>();
  SqlNode root;
  if (tree.parser_->parse(json).get(root) != simdjson::SUCCESS)
    return refused("the statement is too deep", "");
  if (bool failed = true; root["error"].get(failed) != simdjson::SUCCESS || failed) {
    return refused(text_of(root, "error_message"), "");
  }
  const auto statements = list_of(root, "statements");
  if (statements.size() != 1) return refused("one SELECT statement is expected", "");
  if (statements[0]["node"].get(tree.select_) != simdjson::SUCCESS)
    return refused("a SELECT is expected", "");
  return tree;
}

std::optional<SqlNode> SqlTree::only_value() const {
  const auto values = list_of(select_, "select_list");
  SqlNode from;
  if (text_of(select_, "type") != "SELECT_NODE" || values.size() != 1 || !is_null(select_, "where_clause") ||
      select_["from_table"].get(from) != simdjson::SUCCESS || text_of(from, "type") != "EMPTY" ||
      !list_of(select_, "modifiers").empty()) {
    return {};
  }
  return values[0];
}

Result<std::vector<NameParts>> row_wise_names(SqlNode expression, const std::set<std::string>& aggregates) {
  std::vector<NameParts> names;
  MAIA_TRY(walk(expression, aggregates, {}, names));
  return names;
}

Result<std::set<std::string>> aggregate_names(duckdb_connection connection) {
  const auto text =
      MAIA_TRY(ask(connection,
                   "SELECT string_agg(DISTINCT function_name, ' ') || ' ' FROM duckdb_functions() "
                   "WHERE function_type = ?",
                   "aggregate"));
  std::set<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const auto space = text.find(' ', at);
    names.insert(text.substr(at, space - at));
    at = space + 1;
  }
  return names;
}

Result<std::string> expression_sql(duckdb_connection connection, SqlNode expression) {
  std::string fields;
  for (const auto field : simdjson::dom::object(expression)) {
    const auto value = field.key == "alias" ? std::string("\"\"") : simdjson::to_string(field.value);
    fields += fmt::format("{}\"{}\":{}", fields.empty() ? "" : ",", field.key, value);
  }
  const auto json =
      fmt::format(R"({{"error":false,"statements":[{{"node":{{"type":"SELECT_NODE","modifiers":[],)"
                  R"("cte_map":{{"map":[]}},"select_list":[{{{}}}],)"
                  R"("from_table":{{"type":"EMPTY","alias":"","sample":null,"query_location":0}},)"
                  R"("where_clause":null,"group_expressions":[],"group_sets":[],)"
                  R"("aggregate_handling":"STANDARD_HANDLING","having":null,"sample":null,"qualify":null}},)"
                  R"("named_param_map":[]}}]}})",
                  fields);
  constexpr std::string_view kSelect = "SELECT ";
  auto sql = MAIA_TRY(ask(connection, "SELECT json_deserialize_sql(CAST(CAST(? AS VARCHAR) AS JSON))", json));
  if (!sql.starts_with(kSelect)) return refused("DuckDB does not give the expression back", "");
  return sql.substr(kSelect.size());
}

}  // namespace maia::transforms
