// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/trace.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

namespace maia::kafka {

std::string traceparent(std::string_view pipeline, std::string_view position, std::string_view operation) {
  const auto seed = XXH3_64bits(pipeline.data(), pipeline.size());
  const auto trace = XXH3_128bits_withSeed(position.data(), position.size(), seed);
  const auto span = XXH3_64bits_withSeed(operation.data(), operation.size(), seed);
  // All zeros are not allowed.
  return fmt::format("00-{:016x}{:016x}-{:016x}-01", trace.high64, std::max<XXH64_hash_t>(trace.low64, 1),
                     std::max<XXH64_hash_t>(span, 1));
}

}  // namespace maia::kafka
