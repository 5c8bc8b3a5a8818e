// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "maia/connectors/file/destination.h"

namespace maia::file {
namespace {

ColumnMapping mapping(const Column& column) {
  const auto as = [&](std::string_view json, Fidelity fidelity, std::string_view note = {}) {
    return ColumnMapping{column.name, std::string(json), fidelity, std::string(note)};
  };
  switch (column.type.id) {
    case TypeId::boolean: return as("boolean", Fidelity::exact);
    case TypeId::int16:
    case TypeId::int32:
    case TypeId::int64: return as("number", Fidelity::exact);
    case TypeId::float32:
    case TypeId::float64: return as("number", Fidelity::exact, "NaN and infinities are strings");
    case TypeId::string: return as("string", Fidelity::exact);
    case TypeId::bytes: return as("string", Fidelity::as_text, "base64");
    case TypeId::array:
      return as("array", Fidelity::exact, "with a lower bound other than 1: a string with the literal");
    case TypeId::decimal:
    case TypeId::date:
    case TypeId::time:
    case TypeId::timestamp:
    case TypeId::timestamp_tz:
    case TypeId::interval:
    case TypeId::uuid:
    case TypeId::json: return as("string", Fidelity::as_text);
  }
  return as("", Fidelity::unsupported);
}

}  // namespace

std::vector<ColumnMapping> FileDestination::plan(const TableSchema& schema) const {
  std::vector<ColumnMapping> plan;
  for (const auto& column : schema.columns) plan.push_back(mapping(column));
  return plan;
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
