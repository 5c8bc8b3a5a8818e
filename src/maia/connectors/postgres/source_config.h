// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "maia/base/byte_size.h"
#include "maia/config/spec.h"
#include "maia/net/connection.h"

namespace maia::postgres {

/// `source:` with `type: postgres`.
struct SourceConfig {
  net::ConnectionSettings connection;
  std::string replication = "logical";
  std::string publication;  ///< empty: the pipeline's own
  std::string slot;         ///< empty: the pipeline's own
  std::vector<std::string> tables;
  bool create_missing = true;
  ByteSize chunk_size = ByteSize::mib(16);
  ByteSize decoding_memory = ByteSize::mib(256);
};

const config::Spec<SourceConfig>& source_spec();

/// The name of what we make for a pipeline: "maia_" and its name in lower case, other characters than a-z,
/// 0-9 and _ as _. A name that was altered or cut gets a hash, so that two pipelines never share one.
std::string name_for_pipeline(std::string_view pipeline);

}  // namespace maia::postgres
