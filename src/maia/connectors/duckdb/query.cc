// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "maia/connectors/duckdb/bookkeeping.h"
#include "maia/sql/quote.h"

namespace maia::duckdb {
namespace {

Error refused(std::string what) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(what),
          "Write one SELECT statement that only reads."};
}

/// The table functions that a query may call; others reach memory, settings, files or hidden statements.
bool may_call(std::string_view function) {
  static constexpr std::array<std::string_view, 12> kReading = {"generate_series",
                                                                "range",
                                                                "unnest",
                                                                "repeat",
                                                                "repeat_row",
                                                                "json_each",
                                                                "json_tree",
                                                                "summary",
                                                                "pg_timezone_names",
                                                                "query_table",
                                                                "icu_calendar_names",
                                                                "test_all_types"};
  return std::find(kReading.begin(), kReading.end(), function) != kReading.end() ||
         function.starts_with("duckdb_") || function.starts_with("pragma_");
}

/// The first table function in DuckDB's tree of a statement that a query may not call, or "".
std::string forbidden_function(const simdjson::dom::element& node) {
  if (const auto array = node.get_array(); array.error() == simdjson::SUCCESS) {
    for (const auto child : array.value_unsafe()) {
      if (auto found = forbidden_function(child); !found.empty()) return found;
    }
    return {};
  }
  const auto object = node.get_object();
  if (object.error() != simdjson::SUCCESS) return {};
  std::string_view type;
  if (node["type"].get(type) == simdjson::SUCCESS && type == "TABLE_FUNCTION") {
    std::string_view name;
    if (node["function"]["function_name"].get(name) != simdjson::SUCCESS) return "unknown";
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    if (!may_call(lower)) return lower;
  }
  for (const auto field : object.value_unsafe()) {
    if (auto found = forbidden_function(field.value); !found.empty()) return found;
  }
  return {};
}

/// Refuses what is not one SELECT, as DuckDB's own parser sees it.
Status check_reads_only(Connection& connection, const std::string& sql) {
  const auto rows = MAIA_TRY(
      connection.rows("SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", {sql}, "query"));
  simdjson::dom::parser parser;
  simdjson::dom::element tree;
  if (parser.parse(rows.at(0).at(0).value_or("")).get(tree) != simdjson::SUCCESS) {
    return refused("the query is nested too deeply");
  }
  std::string_view message;
  if (tree["error_message"].get(message) == simdjson::SUCCESS) {
    std::string_view kind;
    const bool syntax = tree["error_type"].get(kind) == simdjson::SUCCESS && kind == "parser";
    return refused(syntax ? fmt::format("the query cannot be read: {}", message)
                          : "the query is no SELECT statement");
  }
  const auto statements = tree["statements"].get_array();
  if (statements.error() != simdjson::SUCCESS || statements.value_unsafe().size() != 1) {
    return refused("the query must be exactly one statement");
  }
  if (const auto function = forbidden_function(tree); !function.empty()) {
    return refused(fmt::format("the query calls {}(), which is not allowed here", function));
  }
  return {};
}

/// Interrupts the connection when the time is over, unless it goes away before.
class Deadline {
 public:
  Deadline(Connection& connection, std::uint32_t timeout_ms)
      : thread_([this, &connection, timeout_ms] {
          std::unique_lock lock(mutex_);
          const auto over = [this] { return over_; };
          if (condition_.wait_for(lock, std::chrono::milliseconds(timeout_ms), over)) return;
          passed_ = true;
          // Once more and again, for an interrupt that came between two steps of the query.
          while (!over_) {
            connection.interrupt();
            condition_.wait_for(lock, std::chrono::milliseconds(10), over);
          }
        }) {}
  ~Deadline() {
    stop();
    thread_.join();
  }
  /// Whether the time was over before this call; afterwards it cannot be.
  bool stop() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    condition_.notify_all();
    return passed_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool over_ = false;
  bool passed_ = false;
  std::thread thread_;
};

/// Lets names without a schema find the tables of all pipelines.
Status set_search_path(Connection& connection, Database& database) {
  const auto schemas = MAIA_TRY(Bookkeeping(connection, database.catalog()).schemas());
  const auto catalog = MAIA_TRY(sql::duckdb_identifier(database.catalog()));
  std::vector<std::string> path = {catalog + ".main"};
  for (const auto& schema : schemas) {
    if (schema != "main")
      path.push_back(fmt::format("{}.{}", catalog, sql::duckdb_identifier(schema).value()));
  }
  const auto text = MAIA_TRY(sql::duckdb_literal(fmt::format("{}", fmt::join(path, ","))));
  return connection.run("SET search_path = " + text, "query");
}

Error query_error(Error error) {
  const bool ours = error.code == Error::Code::storage || error.recovery != Recovery::halt;
  if (!ours) error.code = Error::Code::invalid_config;
  if (!ours) error.hint.clear();
  return error;
}

/// Names and types of what the query gives.
Status describe(Connection& connection, const std::string& text, const std::string& literal,
                Destination::QueryResult& result) {
  PreparedHandle statement;
  if (duckdb_prepare(connection.raw(), text.c_str(), statement.out()) != DuckDBSuccess) {
    return refused(duckdb_prepare_error(statement.get()));
  }
  if (duckdb_nparams(statement.get()) > 0) return refused("the query has parameters");
  const auto columns = duckdb_prepared_statement_column_count(statement.get());
  for (idx_t i = 0; i < columns; ++i) {
    const auto* name = duckdb_prepared_statement_column_name(statement.get(), i);
    result.columns.emplace_back(name);
    duckdb_free(const_cast<char*>(name));
  }
  const auto types = MAIA_TRY(connection.rows(
      fmt::format("SELECT column_type FROM (DESCRIBE FROM query({}))", literal), {}, "query"));
  for (const auto& row : types) result.types.push_back(row[0].value_or(""));
  return {};
}

Result<Destination::QueryResult> answer(Connection& connection, const std::string& text, std::uint64_t most) {
  Destination::QueryResult result;
  // DuckDB's query() parses the text by itself, so it cannot reach into the statement around it.
  const auto literal = MAIA_TRY(sql::duckdb_literal(text));
  MAIA_TRY(describe(connection, text, literal, result));
  std::vector<std::string> names;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    names.push_back(fmt::format("c{}", i));
    texts.push_back(fmt::format("CAST(c{} AS VARCHAR)", i));
  }
  auto rows = connection.rows(fmt::format("SELECT {} FROM query({}) AS q({}) LIMIT {}",
                                          fmt::join(texts, ", "), literal, fmt::join(names, ", "), most + 1),
                              {}, "query");
  if (!rows.ok()) return query_error(std::move(rows).error());
  result.rows = *std::move(rows);
  result.truncated = result.rows.size() > most;
  if (result.truncated) result.rows.resize(most);
  return result;
}

}  // namespace

Result<Destination::QueryResult> run_query(Database& database, std::string_view text,
                                           const Destination::QueryLimits& limits) {
  const std::string query(text);
  auto connection = MAIA_TRY(database.connect());
  Deadline deadline(connection, limits.timeout_ms);
  const auto work = [&]() -> Result<Destination::QueryResult> {
    MAIA_TRY(check_reads_only(connection, query));
    MAIA_TRY(set_search_path(connection, database));
    MAIA_TRY(connection.run("BEGIN TRANSACTION READ ONLY", "query"));
    return answer(connection, query, limits.rows);
  };
  auto result = work();
  const bool late = deadline.stop();
  if (!result.ok() && late) {
    return Error{Error::Code::timeout, Recovery::halt,
                 fmt::format("the query took longer than {} ms", limits.timeout_ms),
                 "Ask for less, or allow it more time."};
  }
  return result;
}

}  // namespace maia::duckdb
