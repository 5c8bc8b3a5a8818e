// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/connection.h"

namespace maia::postgres {
namespace {

struct Rule {
  std::string_view prefix;  ///< a whole SQLSTATE or its class; the first that fits decides
  Error::Code code;
  Recovery recovery;
  std::string_view hint;  ///< if the server sent none
  std::string_view reason = {};
};

// PostgreSQL documentation, appendix "PostgreSQL Error Codes".
constexpr Rule kRules[] = {
    {"08", Error::Code::unavailable, Recovery::reconnect, ""},
    {"57P01", Error::Code::unavailable, Recovery::reconnect, ""},
    {"57P02", Error::Code::unavailable, Recovery::reconnect, ""},
    {"57P03", Error::Code::unavailable, Recovery::reconnect, ""},
    {"57P05", Error::Code::unavailable, Recovery::reconnect, ""},
    {"25P03", Error::Code::unavailable, Recovery::reconnect, ""},
    {"25P04", Error::Code::unavailable, Recovery::reconnect, ""},
    {"57014", Error::Code::timeout, Recovery::retry, ""},
    {"53300", Error::Code::unavailable, Recovery::reconnect,
     "raise max_connections (or max_wal_senders), or close sessions that are not needed"},
    {"53100", Error::Code::unavailable, Recovery::retry, "free disk space at the server"},
    {"53", Error::Code::unavailable, Recovery::retry, ""},
    {"40", Error::Code::unavailable, Recovery::retry, ""},
    {"55P03", Error::Code::unavailable, Recovery::retry, ""},
    {"55006", Error::Code::unavailable, Recovery::retry, ""},
    {"58030", Error::Code::unavailable, Recovery::retry, "the server could not read or write a file"},
    {"42501", Error::Code::check_failed, Recovery::halt,
     "grant the missing privilege to the user; `maia check` prints the statement"},
    {"28P01", Error::Code::invalid_config, Recovery::halt, "check user and password", "credentials_refused"},
    {"28", Error::Code::invalid_config, Recovery::halt, "check user, password and the server's pg_hba.conf"},
    {"3D000", Error::Code::invalid_config, Recovery::halt, "check `database`"},
    {"0A", Error::Code::unsupported, Recovery::halt, ""},
    {"22", Error::Code::data, Recovery::halt, ""},
    {"23", Error::Code::data, Recovery::halt, ""},
    {"42", Error::Code::invalid_config, Recovery::halt, ""},
};

}  // namespace

Error classify(std::string_view sqlstate, std::string message, std::string hint) {
  for (const auto& rule : kRules) {
    if (!sqlstate.starts_with(rule.prefix)) continue;
    if (hint.empty()) hint = rule.hint;
    return Error{rule.code, rule.recovery, std::move(message), std::move(hint), rule.reason};
  }
  return Error{Error::Code::check_failed, Recovery::halt, std::move(message), std::move(hint)};
}

}  // namespace maia::postgres
