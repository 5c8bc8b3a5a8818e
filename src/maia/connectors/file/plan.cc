// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "maia/connector/json_plan.h"
#include "maia/connectors/file/destination.h"

namespace maia::file {
std::vector<ColumnMapping> FileDestination::plan(const TableSchema& schema) const {
  return json_plan(schema);
}

Result<Findings> FileDestination::check() {
  if (config_.to_stdout()) return Findings{{Finding::Level::ok, "standard output takes the lines", "", ""}};
  std::error_code error;
  if (std::filesystem::exists(config_.path, error)) {
    if (!std::filesystem::is_regular_file(config_.path, error)) {
      return Findings{{Finding::Level::error, config_.path + " is not a regular file",
                       "a restart must be able to cut off what was not finished",
                       "Choose the path of a file, or - for standard output"}};
    }
    if (::access(config_.path.c_str(), R_OK | W_OK) != 0) {
      return Findings{{Finding::Level::error, "no permission to write " + config_.path, "",
                       "chmod u+rw " + config_.path}};
    }
    return Findings{{Finding::Level::ok, config_.path + " can be written", "", ""}};
  }
  const auto parent = std::filesystem::path(config_.path).parent_path();
  const auto folder = parent.empty() ? std::string(".") : parent.string();
  if (::access(folder.c_str(), W_OK | X_OK) == 0) {
    return Findings{{Finding::Level::ok, config_.path + " can be created", "", ""}};
  }
  return Findings{{Finding::Level::error, fmt::format("{} cannot be created in {}", config_.path, folder),
                   "the folder is missing or closed to this user", "mkdir -p " + folder}};
}

}  // namespace maia::file
