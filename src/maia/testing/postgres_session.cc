// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/postgres_session.h"

#include <libpq-fe.h>

#include <cstring>

namespace maia::testing {
namespace {

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};

Error error_of(pg_conn* connection, const char* text, std::string_view what) {
  std::string message(text);
  while (message.ends_with('\n')) message.pop_back();
  const bool lost = PQstatus(connection) != CONNECTION_OK;
  return {.code = lost ? Error::Code::unavailable : Error::Code::data,
          .recovery = lost ? Recovery::reconnect : Recovery::halt,
          .message = std::string(what) + ": " + message};
}

}  // namespace

void PostgresSession::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

Result<PostgresSession> PostgresSession::open(const std::string& uri) {
  PostgresSession session(PQconnectdb(uri.c_str()));
  if (PQstatus(session.raw()) != CONNECTION_OK) {
    return error_of(session.raw(), PQerrorMessage(session.raw()), "connect");
  }
  PQsetNoticeProcessor(
      session.raw(), [](void*, const char*) {}, nullptr);
  return session;
}

Status PostgresSession::execute(std::string_view sql) {
  if (auto rows = query(sql); !rows.ok()) return std::move(rows).error();
  return {};
}

Result<Rows> PostgresSession::query(std::string_view sql) {
  const std::unique_ptr<PGresult, ClearResult> result(PQexec(raw(), std::string(sql).c_str()));
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
    const char* text = result ? PQresultErrorMessage(result.get()) : "";
    return error_of(raw(), std::strlen(text) > 0 ? text : PQerrorMessage(raw()), sql.substr(0, 200));
  }
  Rows rows(static_cast<std::size_t>(PQntuples(result.get())));
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      auto& value = rows[static_cast<std::size_t>(row)].emplace_back();
      if (PQgetisnull(result.get(), row, column)) continue;
      value.emplace(PQgetvalue(result.get(), row, column),
                    static_cast<std::size_t>(PQgetlength(result.get(), row, column)));
    }
  }
  return rows;
}

Result<std::string> PostgresSession::value(std::string_view sql) {
  auto rows = MAIA_TRY(query(sql));
  if (rows.empty() || rows.front().empty()) {
    return Error{.code = Error::Code::data, .message = std::string(sql) + ": no row"};
  }
  return rows.front().front().value_or("");
}

}  // namespace maia::testing
