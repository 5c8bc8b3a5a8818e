// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "maia/base/byte_size.h"
#include "maia/config/spec.h"
#include "maia/net/connection.h"

namespace maia::postgres {

/// Which changes the server sends, by where they were made first.
enum class ChangeOrigin : std::uint8_t { any, none };

/// `source:` with `type: postgres`.
struct SourceConfig {
  net::ConnectionSettings connection;
  std::string replication = "logical";
  std::string publication;  ///< empty: the pipeline's own
  std::string slot;         ///< empty: the pipeline's own
  std::vector<std::string> tables;
  bool create_missing = true;
  ChangeOrigin origin = ChangeOrigin::any;
  ByteSize chunk_size = ByteSize::mib(16);
  ByteSize decoding_memory = ByteSize::mib(256);
};

const config::Spec<SourceConfig>& source_spec();

/// The name of what we make for a pipeline: "maia_" and its name in lower case, other characters than a-z,
/// 0-9 and _ as _. A name that was altered or cut gets a hash, so that two pipelines never share one.
std::string name_for_pipeline(std::string_view pipeline);

}  // namespace maia::postgres

template <>
inline constexpr maia::config::Choice<maia::postgres::ChangeOrigin>
    maia::config::choices_of<maia::postgres::ChangeOrigin>[] = {{"any", maia::postgres::ChangeOrigin::any},
                                                                {"none", maia::postgres::ChangeOrigin::none}};
