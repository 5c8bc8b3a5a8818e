// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "maia/config/spec.h"
#include "maia/net/connection.h"

namespace maia::postgres {

/// What happens to foreign keys and triggers of the destination's tables while MAIA writes.
enum class ForeignKeys : std::uint8_t {
  automatic,  ///< `replica` where the user may, otherwise `check`
  check,      ///< the server checks them and fires triggers; MAIA writes in an order that satisfies them
  replica,    ///< neither: the rows have satisfied the source's (session_replication_role)
};

/// `destination:` with `type: postgres`.
struct DestinationConfig {
  net::ConnectionSettings connection;
  std::string schema = "public";
  ForeignKeys foreign_keys = ForeignKeys::automatic;
};

const config::Spec<DestinationConfig>& destination_spec();

}  // namespace maia::postgres

template <>
inline constexpr maia::config::Choice<maia::postgres::ForeignKeys>
    maia::config::choices_of<maia::postgres::ForeignKeys>[] = {
        {"auto", maia::postgres::ForeignKeys::automatic},
        {"check", maia::postgres::ForeignKeys::check},
        {"replica", maia::postgres::ForeignKeys::replica}};
