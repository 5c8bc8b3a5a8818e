// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/session.h"

namespace maia::postgres {
namespace {

constexpr SessionSetting kSettings[] = {
    {"client_encoding", "UTF8"},
    {"datestyle", "ISO,MDY"},
    {"intervalstyle", "iso_8601"},
    {"timezone", "UTC"},
    {"extra_float_digits", "3"},
    {"bytea_output", "hex"},
    {"lc_monetary", "C"},
    {"xmlbinary", "base64"},
    {"xmloption", "content"},
    {"array_nulls", "on"},
    {"standard_conforming_strings", "on"},
    // The names of regclass and its like are printed in full, and nobody can slip a function under ours.
    {"search_path", ""},
    // A policy that would hide rows is an error instead.
    {"row_security", "off"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0"},
};

}  // namespace

std::span<const SessionSetting> session_settings() { return kSettings; }

std::string session_startup_options() {
  std::string options;
  for (const auto& [name, value] : kSettings) {
    if (!options.empty()) options += ' ';
    options.append("-c ").append(name).append("=").append(value);
  }
  return options;
}

std::string session_set_statements() {
  std::string statements;
  for (const auto& [name, value] : kSettings) {
    statements.append("SET ").append(name).append(" = '").append(value).append("'; ");
  }
  return statements;
}

}  // namespace maia::postgres
