// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/config.h"

namespace maia::duckdb {
namespace {

Status check_path(const Config& config) {
  if (!config.path.empty() && !config.path.starts_with(":memory:")) return {};
  return Error{Error::Code::invalid_config, Recovery::halt, "path: a DuckDB destination needs a file",
               "Write where it is to be, such as path: shop.duckdb"};
}

}  // namespace

const config::Spec<Config>& config_spec() {
  static const auto spec =
      config::Spec<Config>()
          .add("path", &Config::path, "The database file. It is created when it is not there.")
          .required()
          .example("shop.duckdb")
          .add(
              "memory_limit", &Config::memory_limit,
              "How much memory DuckDB may use for its buffers, a share of the pipeline's memory_limit if not "
              "given; what does not fit goes to a temporary folder beside the file.")
          .between(kLeastMemory, ByteSize::gib(1024))
          .advanced()
          .add("threads", &Config::threads, "How many threads DuckDB may use.")
          .between(1, 256)
          .advanced()
          .add("arrays", &Config::arrays,
               "What a column of one-dimensional arrays becomes: a LIST, or text in the form {1,2}. A LIST "
               "cannot hold an array with more dimensions or another lower bound than 1.")
          .advanced()
          .add(
              "unbounded_numerics", &Config::unbounded_numerics,
              "What a numeric without a limit, or with more than 38 digits, becomes: text, which keeps every "
              "digit, or a double, which rounds.")
          .advanced()
          .add("special_numerics", &Config::special_numerics,
               "What happens to NaN and infinity in a numeric with up to 38 digits, which DuckDB's DECIMAL "
               "cannot hold: refuse stops with the column's name, null stores NULL.")
          .advanced()
          .rule(check_path);
  return spec;
}

}  // namespace maia::duckdb
