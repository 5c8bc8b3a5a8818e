// SPDX-License-Identifier: Apache-2.0
#include <errmsg.h>
#include <mysqld_error.h>

#include <algorithm>

#include "maia/connectors/mysql/connection.h"

namespace maia::mysql {
namespace {

struct Rule {
  unsigned number;
  Error::Code code;
  Recovery recovery;
  std::string_view hint = {};
  std::string_view reason = {};
};

constexpr std::string_view kGrant =
    "grant the missing privilege to the user; `maia check` prints the statement";
constexpr std::string_view kCredentials =
    "check user and password, and from which hosts the user may connect";
constexpr std::string_view kConnections = "raise max_connections, or close sessions that are not needed";
constexpr std::string_view kSpace = "free disk space at the server";
constexpr std::string_view kReadOnly = "the server takes no writes; connect to the one that does";

// MySQL and MariaDB share the numbers below 1900; those above are of the one named.
constexpr Rule kRules[] = {
    {CR_CONNECTION_ERROR, Error::Code::unavailable, Recovery::reconnect},
    {CR_CONN_HOST_ERROR, Error::Code::unavailable, Recovery::reconnect},
    {CR_UNKNOWN_HOST, Error::Code::unavailable, Recovery::reconnect, "check `host`"},
    {CR_SERVER_GONE_ERROR, Error::Code::unavailable, Recovery::reconnect},
    {CR_SERVER_LOST, Error::Code::unavailable, Recovery::reconnect},
    {CR_SERVER_LOST_EXTENDED, Error::Code::unavailable, Recovery::reconnect},
    {CR_SERVER_HANDSHAKE_ERR, Error::Code::unavailable, Recovery::reconnect},
    {CR_MALFORMED_PACKET, Error::Code::corruption, Recovery::reconnect},
    {CR_SSL_CONNECTION_ERROR, Error::Code::invalid_config, Recovery::halt,
     "name the certificates to trust with `tls_ca_file`, or write `tls: off` for plain text"},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, Error::Code::unsupported, Recovery::halt,
     "let the user log in with caching_sha2_password, ed25519 or mysql_native_password"},
    {CR_NET_PACKET_TOO_LARGE, Error::Code::check_failed, Recovery::halt, "raise max_allowed_packet"},
    {ER_NET_PACKET_TOO_LARGE, Error::Code::check_failed, Recovery::halt, "raise max_allowed_packet"},
    {ER_CON_COUNT_ERROR, Error::Code::unavailable, Recovery::reconnect, kConnections},
    {ER_TOO_MANY_USER_CONNECTIONS, Error::Code::unavailable, Recovery::reconnect, kConnections},
    {ER_USER_LIMIT_REACHED, Error::Code::unavailable, Recovery::reconnect, kConnections},
    {ER_SERVER_SHUTDOWN, Error::Code::unavailable, Recovery::reconnect},
    {1927 /* MariaDB: connection was killed */, Error::Code::unavailable, Recovery::reconnect},
    {3169 /* MySQL: session was killed */, Error::Code::unavailable, Recovery::reconnect},
    {4031 /* MySQL: closed as idle */, Error::Code::unavailable, Recovery::reconnect},
    {ER_OPTION_PREVENTS_STATEMENT, Error::Code::unavailable, Recovery::reconnect, kReadOnly},
    {1836 /* read-only mode */, Error::Code::unavailable, Recovery::reconnect, kReadOnly},
    {ER_QUERY_INTERRUPTED, Error::Code::timeout, Recovery::retry},
    {1969 /* MariaDB: max_statement_time */, Error::Code::timeout, Recovery::retry},
    {3024 /* MySQL: max_execution_time */, Error::Code::timeout, Recovery::retry},
    {ER_LOCK_WAIT_TIMEOUT, Error::Code::unavailable, Recovery::retry},
    {ER_LOCK_DEADLOCK, Error::Code::unavailable, Recovery::retry},
    {ER_DISK_FULL, Error::Code::unavailable, Recovery::retry, kSpace},
    {ER_RECORD_FILE_FULL, Error::Code::unavailable, Recovery::retry, kSpace},
    {ER_ACCESS_DENIED_ERROR, Error::Code::invalid_config, Recovery::halt, kCredentials,
     "credentials_refused"},
    {1698 /* no password given */, Error::Code::invalid_config, Recovery::halt, kCredentials,
     "credentials_refused"},
    {ER_HOST_NOT_PRIVILEGED, Error::Code::invalid_config, Recovery::halt, kCredentials},
    {ER_MUST_CHANGE_PASSWORD, Error::Code::invalid_config, Recovery::halt, "give the user a new password"},
    {ER_BAD_DB_ERROR, Error::Code::invalid_config, Recovery::halt, "check `database`"},
    {ER_DBACCESS_DENIED_ERROR, Error::Code::check_failed, Recovery::halt, kGrant},
    {ER_TABLEACCESS_DENIED_ERROR, Error::Code::check_failed, Recovery::halt, kGrant},
    {ER_COLUMNACCESS_DENIED_ERROR, Error::Code::check_failed, Recovery::halt, kGrant},
    {ER_SPECIFIC_ACCESS_DENIED_ERROR, Error::Code::check_failed, Recovery::halt, kGrant},
    {ER_NOT_SUPPORTED_YET, Error::Code::unsupported, Recovery::halt},
    {ER_WARN_DATA_OUT_OF_RANGE, Error::Code::data, Recovery::halt},
    {WARN_DATA_TRUNCATED, Error::Code::data, Recovery::halt},
    {ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, Error::Code::data, Recovery::halt},
    {ER_NO_DEFAULT_FOR_FIELD, Error::Code::data, Recovery::halt},
    {3819 /* MySQL: a CHECK */, Error::Code::data, Recovery::halt},
    {4025 /* MariaDB: a CHECK */, Error::Code::data, Recovery::halt},
};

/// Classes of SQLSTATE, for numbers that have no rule.
Error by_class(std::string_view sqlstate, std::string message) {
  const auto of = [&](Error::Code code, Recovery recovery) {
    return Error{.code = code, .recovery = recovery, .message = std::move(message), .hint = ""};
  };
  if (sqlstate.starts_with("08")) return of(Error::Code::unavailable, Recovery::reconnect);
  if (sqlstate.starts_with("40")) return of(Error::Code::unavailable, Recovery::retry);
  if (sqlstate.starts_with("22") || sqlstate.starts_with("23")) return of(Error::Code::data, Recovery::halt);
  if (sqlstate.starts_with("28") || sqlstate.starts_with("42"))
    return of(Error::Code::invalid_config, Recovery::halt);
  return of(Error::Code::check_failed, Recovery::halt);
}

}  // namespace

Error classify(unsigned number, std::string_view sqlstate, std::string message) {
  const auto* rule = std::find_if(std::begin(kRules), std::end(kRules),
                                  [&](const Rule& each) { return each.number == number; });
  if (rule == std::end(kRules)) return by_class(sqlstate, std::move(message));
  return Error{rule->code, rule->recovery, std::move(message), std::string(rule->hint), rule->reason};
}

}  // namespace maia::mysql
