// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/connection.h"

#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "maia/base/log.h"
#include "maia/connectors/postgres/session.h"

namespace maia::postgres {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

/// How long a stop request may stay unnoticed.
constexpr milliseconds kStopLatency{50};
/// How long a server may take to answer a cancel request before we give the session up.
constexpr milliseconds kCancelPatience{3'000};
constexpr std::uint16_t kUsualPort = 5432;

SteadyClock::time_point deadline_of(const Limits& limits) {
  return limits.timeout.count() == 0 ? SteadyClock::time_point::max() : SteadyClock::now() + limits.timeout;
}

Error stopped() { return Error{Error::Code::cancelled, Recovery::halt, "a stop was requested", ""}; }

/// Roots that the system trusts; libpq before 16 cannot find them itself.
std::string system_roots() {
  if (const char* file = std::getenv("SSL_CERT_FILE")) return file;
  for (const char* file : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (::access(file, R_OK) == 0) return file;
  }
  return "system";
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

/// Takes the SQLSTATE out of a verbose connection failure ("FATAL:  28P01: password ..."), where libpq has no
/// other place for it, and leaves the message as people know it.
std::string take_sqlstate(std::string& message) {
  if (const auto location = message.find("\nLOCATION:"); location != std::string::npos)
    message.resize(location);
  for (std::size_t at = message.find(":  "); at != std::string::npos; at = message.find(":  ", at + 1)) {
    const auto code = std::string_view(message).substr(at + 3, 5);
    const bool fits = code.size() == 5 && std::all_of(code.begin(), code.end(), [](char c) {
                        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                      });
    if (!fits || message.compare(at + 8, 2, ": ") != 0) continue;
    std::string state(code);
    message.erase(at + 2, 7);
    return state;
  }
  return {};
}

void log_notice(void*, const PGresult* result) {
  const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const bool warning = severity != nullptr && std::string_view(severity) == "WARNING";
  log::write(warning ? log::Level::warning : log::Level::debug, "notice of the PostgreSQL server",
             {{"notice", text == nullptr ? "" : text}});
}

/// The column that a COPY ... FROM failed at, out of the error's context ("COPY t, line 7, column c: ..."),
/// which goes on with the value and so is not shown itself.
std::string copied_column(std::string_view context) {
  constexpr std::string_view kBefore = ", column ";
  const auto at = context.find(kBefore);
  if (!context.starts_with("COPY ") || at == context.npos) return {};
  auto column = context.substr(at + kBefore.size());
  column = column.substr(0, column.find('\n'));
  column = column.substr(0, std::min(column.find(": \""), column.find(": null input")));
  return std::string(column);
}

/// A string literal for SET, whatever standard_conforming_strings says.
std::string literal(PGconn* conn, const std::string& value) {
  char* quoted = PQescapeLiteral(conn, value.data(), value.size());
  if (quoted == nullptr) return "''";
  std::string text(quoted);
  PQfreemem(quoted);
  return text;
}

}  // namespace

std::string describe(const net::ConnectionSettings& endpoint) {
  return endpoint.user + "@" + endpoint.host + ":" + std::to_string(endpoint.port.value_or(kUsualPort)) +
         "/" + endpoint.database;
}

Rows::~Rows() {
  if (result_ != nullptr) PQclear(result_);
}
std::size_t Rows::size() const {
  return result_ == nullptr ? 0 : static_cast<std::size_t>(PQntuples(result_));
}
std::size_t Rows::columns() const {
  return result_ == nullptr ? 0 : static_cast<std::size_t>(PQnfields(result_));
}
bool Rows::is_null(std::size_t row, std::size_t column) const {
  return PQgetisnull(result_, static_cast<int>(row), static_cast<int>(column)) != 0;
}
std::string_view Rows::text(std::size_t row, std::size_t column) const {
  const auto r = static_cast<int>(row);
  const auto c = static_cast<int>(column);
  return {PQgetvalue(result_, r, c), static_cast<std::size_t>(PQgetlength(result_, r, c))};
}
std::optional<std::string> Rows::optional(std::size_t row, std::size_t column) const {
  if (is_null(row, column)) return std::nullopt;
  return str(row, column);
}
std::int64_t Rows::integer(std::size_t row, std::size_t column) const {
  std::int64_t value = 0;
  const auto digits = text(row, column);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}
std::uint64_t Rows::affected() const {
  std::uint64_t value = 0;
  if (result_ == nullptr) return value;
  const std::string_view digits = PQcmdTuples(result_);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Result<std::unique_ptr<Connection>> Connection::open(const Options& options, std::stop_token stop) {
  const auto& at = options.endpoint;
  const auto port = std::to_string(at.port.value_or(kUsualPort));
  const bool verify = at.verifies() || (at.tls != net::Tls::off && !at.tls_ca_file.empty());
  const auto roots = !at.tls_ca_file.empty() ? at.tls_ca_file : system_roots();
  std::vector<std::pair<const char*, const char*>> words = {
      {"host", at.host.c_str()},
      {"port", port.c_str()},
      {"user", at.user.c_str()},
      {"dbname", at.database.c_str()},
      {"application_name", options.application_name.c_str()},
      {"client_encoding", "UTF8"},
      {"sslmode", at.tls == net::Tls::off ? "disable"
                  : verify                ? "verify-full"
                                          : "prefer"},
      {"keepalives_idle", "30"},
      {"keepalives_interval", "10"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "60000"},
  };
  if (!at.password.empty()) words.emplace_back("password", at.password.reveal().c_str());
  if (verify) words.emplace_back("sslrootcert", roots.c_str());
  if (!at.tls_certificate_file.empty()) words.emplace_back("sslcert", at.tls_certificate_file.c_str());
  if (!at.tls_key_file.empty()) words.emplace_back("sslkey", at.tls_key_file.c_str());
  if (options.replication) words.emplace_back("replication", "database");

  std::vector<const char*> keys, values;
  for (const auto& [key, value] : words) {
    keys.push_back(key);
    values.push_back(value);
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  PGconn* conn = PQconnectStartParams(keys.data(), values.data(), 0);
  if (conn == nullptr) {
    return Error{Error::Code::storage, Recovery::retry, "no memory for a connection to " + describe(at), ""};
  }
  std::unique_ptr<Connection> connection(new Connection(conn, describe(at)));
  MAIA_TRY(connection->connect(options, stop));
  return connection;
}

Status Connection::connect(const Options& options, const std::stop_token& stop) {
  // Only a verbose message of a failed connection contains its SQLSTATE.
  PQsetErrorVerbosity(conn_, PQERRORS_VERBOSE);
  const auto until = SteadyClock::now() + options.connect_timeout;
  auto state = PQstatus(conn_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) {
      auto message = trimmed(PQerrorMessage(conn_));
      sqlstate_ = take_sqlstate(message);
      auto error = classify(sqlstate_.empty() ? "08001" : sqlstate_, std::move(message), "");
      // libpq has no code for a certificate that does not verify or a server without TLS; waiting mends
      // neither.
      const bool tls = sqlstate_.empty() && options.endpoint.verifies() &&
                       (error.message.find("SSL") != std::string::npos ||
                        error.message.find("certificate") != std::string::npos);
      if (tls) {
        error.code = Error::Code::invalid_config;
        error.recovery = Recovery::halt;
        error.hint = "name the roots to trust with `tls_ca_file`, or write `tls: off` for plain text";
      }
      return std::move(error).in("connect to " + where_);
    }
    const auto ready = poll_socket(state == PGRES_POLLING_WRITING, until, stop);
    if (ready == Ready::stopped) return stopped();
    if (ready == Ready::no) {
      return Error{Error::Code::timeout, Recovery::reconnect, "connect to " + where_ + ": no answer in time",
                   "check host and port, and that a firewall lets us through"};
    }
    state = PQconnectPoll(conn_);
  }
  PQsetErrorVerbosity(conn_, PQERRORS_DEFAULT);
  PQsetNoticeReceiver(conn_, log_notice, nullptr);
  PQsetnonblocking(conn_, 1);
  auto sets = session_set_statements();
  for (const auto& [name, value] : options.settings) {
    if (name.starts_with('?')) continue;
    sets += "SET " + name + " TO " + literal(conn_, value) + ";";
  }
  const Limits limits{options.connect_timeout, stop};
  MAIA_TRY(in("prepare the session at " + where_, run(sets, limits)));
  for (const auto& [name, value] : options.settings) {
    if (!name.starts_with('?')) continue;
    const auto set = run("SET " + name.substr(1) + " TO " + literal(conn_, value), limits);
    if (set.ok()) continue;
    if (broken()) return set.error();
    log::debug("a session setting of PostgreSQL is left as it is",
               {{"setting", name.substr(1)}, {"error", set.error().message}});
  }
  return {};
}

Connection::~Connection() {
  if (conn_ != nullptr) PQfinish(conn_);
}

bool Connection::broken() const { return unusable_ || PQstatus(conn_) != CONNECTION_OK; }
int Connection::server_version() const { return PQserverVersion(conn_); }
int Connection::backend_pid() const { return PQbackendPID(conn_); }

Connection::Ready Connection::poll_socket(bool write, SteadyClock::time_point until,
                                          const std::stop_token& stop) const {
  for (;;) {
    if (stop.stop_requested()) return Ready::stopped;
    const auto now = SteadyClock::now();
    const auto left = until <= now ? milliseconds{0} : std::chrono::ceil<milliseconds>(until - now);
    const auto slice =
        stop.stop_possible() ? std::min(left, kStopLatency) : std::min(left, milliseconds{60'000});
    pollfd fd{PQsocket(conn_), static_cast<short>(POLLIN | (write ? POLLOUT : 0)), 0};
    const int n = ::poll(&fd, 1, static_cast<int>(slice.count()));
    if (n > 0) return Ready::yes;
    if (n < 0 && errno != EINTR) return Ready::failed;
    if (n == 0 && slice == left) return Ready::no;
  }
}

Status Connection::await(bool write, SteadyClock::time_point until, const Limits& limits) {
  switch (poll_socket(write, until, limits.stop)) {
    case Ready::yes: return {};
    case Ready::stopped: cancel_and_drain(); return stopped();
    case Ready::no:
      cancel_and_drain();
      return Error{Error::Code::timeout, broken() ? Recovery::reconnect : Recovery::retry,
                   where_ + ": no answer in time", ""};
    case Ready::failed: break;
  }
  unusable_ = true;
  return Error{Error::Code::unavailable, Recovery::reconnect, where_ + ": the connection broke", ""};
}

Status Connection::flush(const Limits& limits) {
  const auto until = deadline_of(limits);
  for (;;) {
    const int state = PQflush(conn_);
    if (state == 0) return {};
    if (state < 0) return error_of(nullptr, "send");
    MAIA_TRY(await(true, until, limits));
    // The server may be blocked on writing to us; reading makes it go on.
    if (PQconsumeInput(conn_) == 0) return error_of(nullptr, "send");
  }
}

Result<bool> Connection::wait_readable(milliseconds wait, const std::stop_token& stop) {
  const auto ready = poll_socket(false, SteadyClock::now() + wait, stop);
  if (ready == Ready::failed) {
    unusable_ = true;
    return Error{Error::Code::unavailable, Recovery::reconnect, where_ + ": the connection broke", ""};
  }
  if (ready != Ready::yes) return false;
  if (PQconsumeInput(conn_) == 0) return error_of(nullptr, "receive");
  return true;
}

Result<pg_result*> Connection::next_result(SteadyClock::time_point until, const Limits& limits) {
  MAIA_TRY(flush(limits));
  while (PQisBusy(conn_) != 0) {
    MAIA_TRY(await(false, until, limits));
    if (PQconsumeInput(conn_) == 0) return error_of(nullptr, "receive");
  }
  return PQgetResult(conn_);
}

Result<Rows> Connection::last_of(const Limits& limits, std::string_view what) {
  const auto until = deadline_of(limits);
  Rows last(nullptr);
  std::optional<Error> error;
  for (;;) {
    Rows result(MAIA_TRY(next_result(until, limits)));
    if (result.native() == nullptr) break;
    const auto status = PQresultStatus(result.native());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY && !error) {
      error = error_of(result.native(), what);
      if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        unusable_ = true;
        return *error;
      }
    }
    last = std::move(result);
  }
  if (error) return *error;
  return last;
}

Result<Rows> Connection::query(const std::string& sql, std::span<const Parameter> parameters,
                               const Limits& limits) {
  sqlstate_.clear();
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
  if (PQsendQueryParams(conn_, sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                        nullptr, 0) == 0) {
    return error_of(nullptr, "send");
  }
  return last_of(limits, where_);
}

Result<Rows> Connection::query(const std::string& sql, const Limits& limits) {
  sqlstate_.clear();
  if (PQsendQuery(conn_, sql.c_str()) == 0) return error_of(nullptr, "send");
  return last_of(limits, where_);
}

Status Connection::run(const std::string& sql, const Limits& limits) {
  MAIA_TRY(query(sql, limits));
  return {};
}

Error Connection::error_of(const pg_result* result, std::string_view what) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  sqlstate_ = state == nullptr ? "" : state;
  if (sqlstate_.empty()) {
    // Nothing from the server: the session itself is at fault, or we used it wrongly while it was busy.
    auto message = trimmed(result != nullptr ? PQresultErrorMessage(result) : PQerrorMessage(conn_));
    if (message.empty()) message = "the server closed the connection";
    unusable_ = true;
    return Error{
        Error::Code::unavailable, Recovery::reconnect,
        where_ + ": " + std::string(what == where_ ? "" : what) + (what == where_ ? "" : ": ") + message, ""};
  }
  const auto field = [&](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text == nullptr ? "" : text);
  };
  auto column = field(PG_DIAG_COLUMN_NAME);
  if (column.empty()) column = copied_column(field(PG_DIAG_CONTEXT));
  if (!column.empty()) column = "column " + column + ": ";
  return classify(sqlstate_, std::string(what) + ": " + column + field(PG_DIAG_MESSAGE_PRIMARY),
                  field(PG_DIAG_MESSAGE_HINT));
}

void Connection::cancel_and_drain() {
  PGcancel* cancel = PQgetCancel(conn_);
  if (cancel == nullptr) {
    unusable_ = true;
    return;
  }
  std::array<char, 256> message{};
  const bool sent = PQcancel(cancel, message.data(), static_cast<int>(message.size())) != 0;
  PQfreeCancel(cancel);
  const auto until = SteadyClock::now() + kCancelPatience;
  while (sent) {
    char* piece = nullptr;
    const int copied = PQgetCopyData(conn_, &piece, 1);
    if (piece != nullptr) PQfreemem(piece);
    if (copied > 0) continue;
    if (copied != 0 && PQisBusy(conn_) == 0) {
      Rows result(PQgetResult(conn_));
      if (result.native() == nullptr) return;
      const auto status = PQresultStatus(result.native());
      if (status == PGRES_COPY_IN) PQputCopyEnd(conn_, "cancelled");
      if (status == PGRES_COPY_BOTH) break;
      continue;
    }
    // Only when nothing is left to take: each call moves all that libpq holds.
    if (PQflush(conn_) < 0 || poll_socket(false, until, {}) != Ready::yes) break;
    if (PQconsumeInput(conn_) == 0) break;
  }
  unusable_ = true;
}

}  // namespace maia::postgres
