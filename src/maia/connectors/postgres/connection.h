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
#include <utility>
#include <vector>

#include "maia/base/result.h"
#include "maia/net/connection.h"

struct pg_conn;
struct pg_result;

namespace maia::postgres {

/// "user@host:port/database", for messages.
std::string describe(const net::ConnectionSettings& endpoint);

/// The rows of one statement, as text. Views live as long as the object.
class Rows {
 public:
  explicit Rows(pg_result* result) : result_(result) {}
  Rows(Rows&& other) noexcept : result_(std::exchange(other.result_, nullptr)) {}
  Rows& operator=(Rows&& other) noexcept {
    std::swap(result_, other.result_);
    return *this;
  }
  ~Rows();

  std::size_t size() const;
  std::size_t columns() const;
  bool is_null(std::size_t row, std::size_t column) const;
  /// Empty for NULL.
  std::string_view text(std::size_t row, std::size_t column) const;
  std::string str(std::size_t row, std::size_t column) const { return std::string(text(row, column)); }
  std::optional<std::string> optional(std::size_t row, std::size_t column) const;
  bool boolean(std::size_t row, std::size_t column) const { return text(row, column) == "t"; }
  /// 0 for NULL and for what is no integer.
  std::int64_t integer(std::size_t row, std::size_t column) const;
  /// Rows that the statement wrote, as the server counted them.
  std::uint64_t affected() const;
  pg_result* native() const { return result_; }

 private:
  pg_result* result_;
};

/// How long a call may take. On a stop request or at the deadline the statement is cancelled at the server.
struct Limits {
  std::chrono::milliseconds timeout{0};  ///< 0: no deadline
  std::stop_token stop;
};

using Parameter = std::optional<std::string>;  ///< text form, or NULL

/// One session at a server, over libpq, never blocking past its limits. Used from one thread. Errors carry
/// the Recovery that the SQLSTATE asks for; a password is in none of them.
class Connection {
 public:
  struct Options {
    net::ConnectionSettings endpoint;
    bool replication = false;  ///< a walsender session of the database
    std::string application_name = "maia";
    /// Session settings (SET) over session_settings(), in order; the server may refuse one that starts with
    /// '?'.
    std::vector<std::pair<std::string, std::string>> settings;
    std::chrono::milliseconds connect_timeout{15'000};
  };
  static Result<std::unique_ptr<Connection>> open(const Options& options, std::stop_token stop = {});
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// One statement with parameters ($1...), result as text. Not for replication sessions.
  Result<Rows> query(const std::string& sql, std::span<const Parameter> parameters,
                     const Limits& limits = {});
  /// One or several statements without parameters by the simple protocol; the last one's rows.
  Result<Rows> query(const std::string& sql, const Limits& limits = {});
  Status run(const std::string& sql, const Limits& limits = {});

  /// Runs a COPY ... TO STDOUT and hands each message of it to `sink`. An error of the sink cancels the
  /// statement and is returned.
  using Sink = std::function<Status(std::string_view)>;
  Status copy_out(const std::string& sql, const Sink& sink, const Limits& limits = {});

  /// A COPY ... FROM STDIN: start, put any number of times (in pieces of any size), finish.
  Status copy_in_start(const std::string& sql, const Limits& limits = {});
  Status copy_in_put(std::string_view bytes, const Limits& limits = {});
  /// Returns the rows that the server counted.
  Result<std::uint64_t> copy_in_finish(const Limits& limits = {});
  /// Ends a running COPY FROM with an error at the server, which is expected and not returned.
  void copy_in_abort(const std::string& reason);

  /// Sends START_REPLICATION and waits until the server streams (CopyBoth).
  Status start_copy_both(const std::string& sql, const Limits& limits = {});
  /// Waits until the socket can be read, at most until `wait` has passed; true if it can.
  Result<bool> wait_readable(std::chrono::milliseconds wait, const std::stop_token& stop);
  /// Sends what is buffered, waiting for the socket as needed.
  Status flush(const Limits& limits = {});

  bool broken() const;
  int server_version() const;  ///< 150020 for 15.20
  int backend_pid() const;
  /// SQLSTATE of the last error that the server reported; empty if the last error was ours or the socket's.
  const std::string& last_sqlstate() const { return sqlstate_; }
  pg_conn* native() const { return conn_; }
  const std::string& where() const { return where_; }

  /// Error of the connection's last failure. Sets last_sqlstate().
  Error error_of(const pg_result* result, std::string_view what);

 private:
  explicit Connection(pg_conn* conn, std::string where) : conn_(conn), where_(std::move(where)) {}
  Status connect(const Options& options, const std::stop_token& stop);
  enum class Ready { yes, no, stopped, failed };
  Ready poll_socket(bool write, std::chrono::steady_clock::time_point until,
                    const std::stop_token& stop) const;
  Status await(bool write, std::chrono::steady_clock::time_point until, const Limits& limits);
  /// The next result of the running statement; nothing when it is complete.
  Result<pg_result*> next_result(std::chrono::steady_clock::time_point until, const Limits& limits);
  Result<Rows> last_of(const Limits& limits, std::string_view what);
  /// Asks the server to cancel and discards what is left of the statement; marks the session as unusable
  /// when the server does not answer.
  void cancel_and_drain();

  pg_conn* conn_ = nullptr;
  std::string where_;
  std::string sqlstate_;
  bool unusable_ = false;
};

/// What the engine may do about an SQLSTATE, and its class. Pure.
Error classify(std::string_view sqlstate, std::string message, std::string hint);

}  // namespace maia::postgres
