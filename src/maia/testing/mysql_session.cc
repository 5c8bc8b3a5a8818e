// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/mysql_session.h"

#include <errmsg.h>
#include <mysql.h>

#include "maia/net/uri.h"

namespace maia::testing {
namespace {

struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};

Error error_of(MYSQL* connection, std::string_view what) {
  const auto number = mysql_errno(connection);
  const bool lost =
      number == CR_SERVER_GONE_ERROR || number == CR_SERVER_LOST || number == CR_CONN_HOST_ERROR;
  return {.code = lost ? Error::Code::unavailable : Error::Code::data,
          .recovery = lost ? Recovery::reconnect : Recovery::halt,
          .message = std::string(what) + ": " + std::to_string(number) + " " + mysql_error(connection)};
}

Row row_of(MYSQL_RES* result, MYSQL_ROW fields) {
  const auto* lengths = mysql_fetch_lengths(result);
  Row row(mysql_num_fields(result));
  for (std::size_t column = 0; column < row.size(); ++column) {
    if (fields[column] != nullptr) row[column].emplace(fields[column], lengths[column]);
  }
  return row;
}

}  // namespace

void MysqlSession::Finish::operator()(st_mysql* connection) const { mysql_close(connection); }

Result<MysqlSession> MysqlSession::open(const std::string& uri) {
  const auto parts = MAIA_TRY(net::parse_uri(uri));
  MysqlSession session(mysql_init(nullptr));
  mysql_optionsv(session.raw(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const bool socket = parts.host.starts_with('/');
  const auto* made = mysql_real_connect(
      session.raw(), socket ? nullptr : parts.host.c_str(), parts.user.c_str(),
      parts.password ? parts.password->reveal().c_str() : "",
      parts.database().empty() ? nullptr : parts.database().c_str(), parts.port.value_or(3306),
      socket ? parts.host.c_str() : nullptr, CLIENT_MULTI_STATEMENTS);
  if (made == nullptr) return error_of(session.raw(), "connect");
  return session;
}

Status MysqlSession::execute(std::string_view sql) {
  if (auto rows = query(sql); !rows.ok()) return std::move(rows).error();
  return {};
}

Result<Rows> MysqlSession::query(std::string_view sql) {
  const auto what = sql.substr(0, 200);
  if (mysql_real_query(raw(), sql.data(), sql.size()) != 0) return error_of(raw(), what);
  Rows rows;
  for (int more = 0; more == 0; more = mysql_next_result(raw())) {
    rows.clear();
    const std::unique_ptr<MYSQL_RES, FreeResult> result(mysql_store_result(raw()));
    if (!result) {
      if (mysql_field_count(raw()) > 0) return error_of(raw(), what);
      continue;
    }
    while (MYSQL_ROW fields = mysql_fetch_row(result.get())) rows.push_back(row_of(result.get(), fields));
  }
  if (mysql_errno(raw()) != 0) return error_of(raw(), what);
  return rows;
}

Result<std::string> MysqlSession::value(std::string_view sql) {
  auto rows = MAIA_TRY(query(sql));
  if (rows.empty() || rows.front().empty()) {
    return Error{.code = Error::Code::data, .message = std::string(sql) + ": no row"};
  }
  return rows.front().front().value_or("");
}

}  // namespace maia::testing
