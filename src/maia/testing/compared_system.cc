// SPDX-License-Identifier: Apache-2.0
#include <libpq-fe.h>

#include <utility>

#include "maia/testing/compare.h"
#include "maia/testing/duckdb_session.h"
#include "maia/testing/mysql_session.h"

namespace maia::testing {
namespace {

std::string literal(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

Result<std::vector<ComparedColumn>> as_columns(Rows rows, const std::string& schema,
                                               const std::string& table) {
  if (rows.empty()) {
    return Error{.code = Error::Code::data, .message = "there is no table " + schema + "." + table};
  }
  std::vector<ComparedColumn> columns;
  for (auto& row : rows) columns.push_back({.name = row[0].value_or(""), .type = row[1].value_or("")});
  return columns;
}

class ComparedPostgres final : public ComparedSystem {
 public:
  explicit ComparedPostgres(PostgresSession session) : session_(std::move(session)) {}

  Kind kind() const override { return Kind::postgres; }

  Result<std::vector<ComparedColumn>> columns(const std::string& schema, const std::string& table) override {
    auto rows = MAIA_TRY(session_.query(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute a join pg_class c on c.oid = "
        "attrelid "
        "join pg_namespace n on n.oid = relnamespace where attnum > 0 and not attisdropped and nspname = " +
        literal(schema) + " and relname = " + literal(table) + " order by attnum"));
    return as_columns(std::move(rows), schema, table);
  }

  Status each_row(std::string_view sql, const std::function<void(Row&&)>& take) override {
    auto* connection = session_.raw();
    if (PQsendQuery(connection, std::string(sql).c_str()) == 0) return failed(sql);
    PQsetSingleRowMode(connection);
    Status outcome;
    while (PGresult* result = PQgetResult(connection)) {
      const auto status = PQresultStatus(result);
      if (status == PGRES_SINGLE_TUPLE) {
        take(row_of(result));
      } else if (status != PGRES_TUPLES_OK) {
        outcome = failed(sql);
      }
      PQclear(result);
    }
    return outcome;
  }

 private:
  static Row row_of(const PGresult* result) {
    Row row(static_cast<std::size_t>(PQnfields(result)));
    for (int column = 0; column < PQnfields(result); ++column) {
      if (PQgetisnull(result, 0, column)) continue;
      row[static_cast<std::size_t>(column)].emplace(PQgetvalue(result, 0, column),
                                                    static_cast<std::size_t>(PQgetlength(result, 0, column)));
    }
    return row;
  }

  Error failed(std::string_view sql) {
    return {.code = Error::Code::data,
            .message = std::string(sql.substr(0, 200)) + ": " + PQerrorMessage(session_.raw())};
  }

  PostgresSession session_;
};

class ComparedDuckdb final : public ComparedSystem {
 public:
  explicit ComparedDuckdb(DuckdbSession session) : session_(std::move(session)) {}

  Kind kind() const override { return Kind::duckdb; }

  Result<std::vector<ComparedColumn>> columns(const std::string& schema, const std::string& table) override {
    auto rows = MAIA_TRY(session_.query(
        "select column_name, data_type from duckdb_columns() where not internal and schema_name = " +
        literal(schema) + " and table_name = " + literal(table) + " order by column_index"));
    return as_columns(std::move(rows), schema, table);
  }

  Status each_row(std::string_view sql, const std::function<void(Row&&)>& take) override {
    return session_.each_row(sql, take);
  }

 private:
  DuckdbSession session_;
};

class ComparedMysql final : public ComparedSystem {
 public:
  explicit ComparedMysql(MysqlSession session) : session_(std::move(session)) {}

  Kind kind() const override { return Kind::mysql; }

  Result<std::vector<ComparedColumn>> columns(const std::string& schema, const std::string& table) override {
    auto rows = MAIA_TRY(session_.query(
        "select column_name, column_type from information_schema.columns where table_schema = " +
        literal(schema) + " and table_name = " + literal(table) + " order by ordinal_position"));
    return as_columns(std::move(rows), schema, table);
  }

  Status each_row(std::string_view sql, const std::function<void(Row&&)>& take) override {
    auto rows = MAIA_TRY(session_.query(sql));
    for (auto& row : rows) take(std::move(row));
    return {};
  }

 private:
  MysqlSession session_;
};

}  // namespace

Result<std::unique_ptr<ComparedSystem>> compared_mysql(const std::string& uri) {
  auto session = MAIA_TRY(MysqlSession::open(uri));
  MAIA_TRY(session.execute("set sql_mode = 'ANSI', time_zone = '+00:00'"));
  return std::make_unique<ComparedMysql>(std::move(session));
}

Result<std::unique_ptr<ComparedSystem>> compared_postgres(const std::string& uri) {
  auto session = MAIA_TRY(PostgresSession::open(uri));
  MAIA_TRY(
      session.execute("set datestyle = 'ISO, YMD'; set intervalstyle = 'iso_8601'; set timezone = 'UTC'; "
                      "set bytea_output = 'hex'; set extra_float_digits = 1"));
  return std::make_unique<ComparedPostgres>(std::move(session));
}

Result<std::unique_ptr<ComparedSystem>> compared_duckdb(const std::string& path) {
  return std::make_unique<ComparedDuckdb>(MAIA_TRY(DuckdbSession::open(path)));
}

}  // namespace maia::testing
