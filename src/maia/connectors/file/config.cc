// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/file/config.h"

namespace maia::file {

const config::Spec<Config>& config_spec() {
  static const auto spec =
      config::Spec<Config>()
          .add("path", &Config::path,
               "Where the lines go: a file, which is created when it is not there, or - for standard output.")
          .required()
          .example("changes.jsonl")
          .add("format", &Config::format,
               "The form of a line: Debezium's envelope, or the row itself with the operation beside it.");
  return spec;
}

}  // namespace maia::file
