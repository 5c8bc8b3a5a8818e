// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/net/connection.h"

struct st_mysql;

namespace maia::mysql {

/// "user@host:port/database", for messages.
std::string describe(const net::ConnectionSettings& endpoint);

/// The rows of one statement, as text.
struct Rows {
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::uint64_t affected = 0;  ///< rows that the statement changed or, of UPDATE, found

  std::size_t size() const { return rows.size(); }
  bool is_null(std::size_t row, std::size_t column) const { return !rows[row][column]; }
  /// Empty for NULL.
  std::string str(std::size_t row, std::size_t column) const { return rows[row][column].value_or(""); }
  /// 0 for NULL and for what is no integer.
  std::int64_t integer(std::size_t row, std::size_t column) const;
};

/// What is at the other end.
struct ServerKind {
  bool mariadb = false;
  std::uint32_t version = 0;  ///< 101119 for 10.11.19, 90704 for 9.7.4
};

/// One session at a server, over libmariadb. Used from one thread. A stop request ends the session at once,
/// and with it what it was doing. Errors carry the Recovery that the server's error number asks for; a
/// password is in none of them. The server cannot ask for a file of this machine, nor for a password in plain
/// text. Sessions are strict (a value that does not fit is an error), in UTC and UTF-8, and read what is
/// committed.
class Connection {
 public:
  struct Options {
    net::ConnectionSettings endpoint;
    std::string program_name = "maia";  ///< as the server shows it
    std::chrono::seconds connect_timeout{15};
    std::chrono::seconds read_timeout{0};  ///< longest silence of the server; 0: any
  };
  static Result<std::unique_ptr<Connection>> open(const Options& options, std::stop_token stop = {});
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// One statement; its rows, all in memory.
  Result<Rows> query(std::string_view sql, std::stop_token stop = {});
  Status run(std::string_view sql, std::stop_token stop = {});
  /// Hands each row on as it comes, as text. An error of the sink ends the session and is returned.
  using Fields = std::span<const std::optional<std::string_view>>;
  using Sink = std::function<Status(Fields row)>;
  Status each_row(std::string_view sql, const Sink& sink, std::stop_token stop = {});

  bool broken() const { return broken_; }
  const ServerKind& server() const { return server_; }
  std::uint64_t id() const;  ///< CONNECTION_ID()
  /// The server's error number of the last failed call; 0 if none failed since the last good one.
  unsigned last_error() const { return last_error_; }
  /// Most bytes of a statement; a longer one is Code::data and is not sent.
  std::size_t max_statement() const { return max_statement_; }
  st_mysql* native() const { return mysql_; }
  const std::string& where() const { return where_; }

  /// Error of the connection's last failure. Sets last_error() and broken().
  Error error_of(std::string_view what);

 private:
  explicit Connection(st_mysql* mysql, std::string where) : mysql_(mysql), where_(std::move(where)) {}
  Status connect(const Options& options);
  Status prepare_session();
  Status send(std::string_view sql);
  Error stopped();
  void cut();

  st_mysql* mysql_;
  std::string where_;
  ServerKind server_;
  unsigned last_error_ = 0;
  std::size_t max_statement_ = 1 << 20;
  bool broken_ = false;
};

/// What the engine may do about an error number and SQLSTATE of a server or of libmariadb. Pure.
Error classify(unsigned number, std::string_view sqlstate, std::string message);

}  // namespace maia::mysql
