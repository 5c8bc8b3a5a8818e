// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "maia/config/spec.h"
#include "maia/connectors/mysql/value_push.h"
#include "maia/net/connection.h"

namespace maia::mysql {

/// `source:` with `type: mysql`.
struct SourceConfig {
  net::ConnectionSettings connection;
  std::vector<std::string> tables;
  ZeroDates zero_dates = ZeroDates::refuse;
  std::uint32_t chunk_rows = 100'000;
};

const config::Spec<SourceConfig>& source_spec();

}  // namespace maia::mysql

template <>
inline constexpr maia::config::Choice<maia::mysql::ZeroDates>
    maia::config::choices_of<maia::mysql::ZeroDates>[] = {{"refuse", maia::mysql::ZeroDates::refuse},
                                                          {"null", maia::mysql::ZeroDates::null}};
