// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "maia/config/spec.h"
#include "maia/net/connection.h"

namespace maia::mysql {

/// What happens to foreign keys of the destination's tables while MAIA writes.
enum class ForeignKeys : std::uint8_t {
  off,    ///< not checked, nothing cascades: the rows have satisfied the source's
  check,  ///< the server checks them; MAIA writes row by row in the source's order
};

/// `destination:` with `type: mysql`.
struct DestinationConfig {
  net::ConnectionSettings connection;
  std::string default_schema = "public";
  ForeignKeys foreign_keys = ForeignKeys::off;
};

const config::Spec<DestinationConfig>& destination_spec();

}  // namespace maia::mysql

template <>
inline constexpr maia::config::Choice<maia::mysql::ForeignKeys>
    maia::config::choices_of<maia::mysql::ForeignKeys>[] = {{"off", maia::mysql::ForeignKeys::off},
                                                            {"check", maia::mysql::ForeignKeys::check}};
