// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace maia::postgres {

struct SessionSetting {
  std::string_view name;
  std::string_view value;
};

/// The settings under which a server prints values in our canonical text (types/value_text.h), reads them
/// back unchanged whatever the role or database sets, and neither hides rows nor times out in the middle of
/// a copy. Every connection of this connector has them: snapshot, stream, catalogue and destination. All of
/// them exist in PostgreSQL 14 and later and may be set by any role.
///
/// Text that arrives is UTF-8 whatever the database's encoding: the server converts it, and from a SQL_ASCII
/// database it refuses what is none (SQLSTATE 22021).
std::span<const SessionSetting> session_settings();

/// The settings as the value of libpq's `options` parameter: "-c datestyle=ISO,MDY -c ...".
std::string session_startup_options();
/// The same as statements, for sessions behind a pooler that takes no options: "SET datestyle = 'ISO,MDY';
/// ...".
std::string session_set_statements();

}  // namespace maia::postgres
