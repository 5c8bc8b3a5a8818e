// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/connection.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysql.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <mutex>

namespace maia::mysql {
namespace {

constexpr std::uint16_t kUsualPort = 3306;
constexpr std::size_t kPacketOverhead = 64;
/// Never a password in plain text (mysql_clear_password), whatever the server asks for.
constexpr const char* kAuthentication =
    "caching_sha2_password,sha256_password,client_ed25519,mysql_native_password";

struct FreeResult {
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using StoredResult = std::unique_ptr<MYSQL_RES, FreeResult>;

/// Roots that the system trusts.
const char* system_roots() {
  if (const char* file = std::getenv("SSL_CERT_FILE")) return file;
  for (const char* file : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (::access(file, R_OK) == 0) return file;
  }
  return "/etc/ssl/certs/ca-certificates.crt";
}

bool must_verify(const net::ConnectionSettings& at) {
  return at.verifies() || (at.tls != net::Tls::off && !at.tls_ca_file.empty());
}

void choose_tls(MYSQL* mysql, const net::ConnectionSettings& at) {
  const my_bool verify = must_verify(at) ? 1 : 0;
  mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
  mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &verify);
  if (at.tls == net::Tls::off) return;
  mysql_optionsv(mysql, MYSQL_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
  if (verify != 0)
    mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, at.tls_ca_file.empty() ? system_roots() : at.tls_ca_file.c_str());
  if (at.tls_certificate_file.empty()) return;
  mysql_optionsv(mysql, MYSQL_OPT_SSL_CERT, at.tls_certificate_file.c_str());
  mysql_optionsv(mysql, MYSQL_OPT_SSL_KEY, at.tls_key_file.c_str());
}

/// A server that has died without a word is noticed within about a minute.
void watch_peer(int socket) {
  const int on = 1, idle = 30, interval = 10, count = 3, unanswered_ms = 60'000;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
}

MYSQL* new_handle() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_server_init(0, nullptr, nullptr); });
  return mysql_init(nullptr);
}

}  // namespace

std::string describe(const net::ConnectionSettings& endpoint) {
  return fmt::format("{}@{}:{}/{}", endpoint.user, endpoint.host, endpoint.port.value_or(kUsualPort),
                     endpoint.database);
}

std::int64_t Rows::integer(std::size_t row, std::size_t column) const {
  std::int64_t value = 0;
  const auto digits = str(row, column);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

Result<std::unique_ptr<Connection>> Connection::open(const Options& options, std::stop_token stop) {
  auto where = describe(options.endpoint);
  if (stop.stop_requested()) {
    return Error{.code = Error::Code::cancelled, .message = "a stop was requested"};
  }
  MYSQL* mysql = new_handle();
  if (mysql == nullptr) {
    return Error{Error::Code::storage, Recovery::retry, "no memory for a connection to " + where, ""};
  }
  std::unique_ptr<Connection> connection(new Connection(mysql, std::move(where)));
  MAIA_TRY(connection->connect(options));
  MAIA_TRY(in("prepare the session at " + connection->where_, connection->prepare_session()));
  return connection;
}

Status Connection::connect(const Options& options) {
  const auto& at = options.endpoint;
  const auto connect_seconds = static_cast<unsigned>(options.connect_timeout.count());
  const auto read_seconds = static_cast<unsigned>(options.read_timeout.count());
  const unsigned off = 0;
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  mysql_optionsv(mysql_, MYSQL_OPT_READ_TIMEOUT, &read_seconds);
  mysql_optionsv(mysql_, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_optionsv(mysql_, MARIADB_OPT_RESTRICTED_AUTH, kAuthentication);
  mysql_optionsv(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(mysql_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", options.program_name.c_str());
  choose_tls(mysql_, at);
  const bool socket = at.host.starts_with('/');
  // `localhost` would be a Unix socket to the library, wherever it believes that to be.
  const char* host = at.host == "localhost" ? "127.0.0.1" : at.host.c_str();
  const auto* made =
      mysql_real_connect(mysql_, socket ? nullptr : host, at.user.c_str(), at.password.reveal().c_str(),
                         at.database.empty() ? nullptr : at.database.c_str(), at.port.value_or(kUsualPort),
                         socket ? at.host.c_str() : nullptr, CLIENT_FOUND_ROWS);
  if (made == nullptr) return error_of("connect to " + where_);
  if (must_verify(at) && mysql_get_ssl_cipher(mysql_) == nullptr) {
    return classify(CR_SSL_CONNECTION_ERROR, "", "connect to " + where_ + ": the server does not use TLS");
  }
  if (!socket) watch_peer(mysql_get_socket(mysql_));
  server_.mariadb = mariadb_connection(mysql_) != 0;
  server_.version = static_cast<std::uint32_t>(mysql_get_server_version(mysql_));
  return {};
}

Status Connection::prepare_session() {
  // A key of 0 is a key, not a request for the next number. Sessions may be idle for as long as the source
  // is.
  MAIA_TRY(
      run("set session sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
          "NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', autocommit = 1, "
          "wait_timeout = 2147483, net_read_timeout = 600, net_write_timeout = 600, lock_wait_timeout = 60"));
  MAIA_TRY(run("set session transaction isolation level read committed"));
  const auto packet = MAIA_TRY(query("select @@max_allowed_packet"));
  max_statement_ = static_cast<std::size_t>(packet.integer(0, 0)) - kPacketOverhead;
  return {};
}

Connection::~Connection() { mysql_close(mysql_); }

std::uint64_t Connection::id() const { return mysql_thread_id(mysql_); }

Error Connection::error_of(std::string_view what) {
  last_error_ = mysql_errno(mysql_);
  auto error =
      classify(last_error_, mysql_sqlstate(mysql_), fmt::format("{}: {}", what, mysql_error(mysql_)));
  if (error.recovery == Recovery::reconnect) broken_ = true;
  return error;
}

Error Connection::stopped() {
  broken_ = true;
  return {.code = Error::Code::cancelled, .message = "a stop was requested"};
}

void Connection::cut() {
  broken_ = true;
  ::shutdown(mysql_get_socket(mysql_), SHUT_RDWR);
}

Status Connection::send(std::string_view sql) {
  last_error_ = 0;
  if (broken_) {
    return Error{Error::Code::unavailable, Recovery::reconnect, where_ + ": the connection is broken", ""};
  }
  // The server would end the session, which says nothing of the reason.
  if (sql.size() > max_statement_) {
    return Error{.code = Error::Code::data,
                 .message = fmt::format("{}: a statement of {} bytes is more than the server takes", where_,
                                        sql.size()),
                 .hint = "raise max_allowed_packet at the server"};
  }
  if (mysql_real_query(mysql_, sql.data(), sql.size()) != 0) return error_of(where_);
  return {};
}

Result<Rows> Connection::query(std::string_view sql, std::stop_token stop) {
  const std::stop_callback on_stop(stop, [this] { ::shutdown(mysql_get_socket(mysql_), SHUT_RDWR); });
  auto sent = send(sql);
  Rows out;
  StoredResult result;
  if (sent.ok()) {
    result.reset(mysql_store_result(mysql_));
    if (!result && mysql_field_count(mysql_) > 0) sent = error_of(where_);
  }
  if (!sent.ok()) {
    if (stop.stop_requested()) return stopped();
    return std::move(sent).error();
  }
  out.affected = mysql_affected_rows(mysql_);
  if (!result) return out;
  const auto columns = mysql_num_fields(result.get());
  while (MYSQL_ROW fields = mysql_fetch_row(result.get())) {
    const auto* lengths = mysql_fetch_lengths(result.get());
    auto& row = out.rows.emplace_back(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (fields[i] != nullptr) row[i].emplace(fields[i], lengths[i]);
    }
  }
  return out;
}

Status Connection::run(std::string_view sql, std::stop_token stop) {
  if (auto done = query(sql, std::move(stop)); !done.ok()) return std::move(done).error();
  return {};
}

Status Connection::each_row(std::string_view sql, const Sink& sink, std::stop_token stop) {
  const std::stop_callback on_stop(stop, [this] { ::shutdown(mysql_get_socket(mysql_), SHUT_RDWR); });
  const auto failed = [&](Error error) { return stop.stop_requested() ? stopped() : std::move(error); };
  if (auto sent = send(sql); !sent.ok()) return failed(std::move(sent).error());
  const StoredResult result(mysql_use_result(mysql_));
  if (!result) {
    if (mysql_field_count(mysql_) > 0) return failed(error_of(where_));
    return {};
  }
  std::vector<std::optional<std::string_view>> row(mysql_num_fields(result.get()));
  while (MYSQL_ROW fields = mysql_fetch_row(result.get())) {
    const auto* lengths = mysql_fetch_lengths(result.get());
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i].reset();
      if (fields[i] != nullptr) row[i].emplace(fields[i], lengths[i]);
    }
    if (auto taken = sink(row); !taken.ok()) {
      cut();  // what is left of the result may be as long as the table
      return taken;
    }
  }
  if (mysql_errno(mysql_) != 0) return failed(error_of(where_));
  return {};
}

}  // namespace maia::mysql
