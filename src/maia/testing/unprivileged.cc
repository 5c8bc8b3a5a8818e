// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/unprivileged.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace maia::testing {
namespace {

constexpr const char* kUser = "nobody";

bool open_to_others(const std::filesystem::path& path) {
  for (auto place = path; place.has_relative_path(); place = place.parent_path()) {
    std::error_code failure;
    const auto permissions = std::filesystem::status(place, failure).permissions();
    if (failure || (permissions & std::filesystem::perms::others_exec) == std::filesystem::perms::none) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::vector<std::string> unprivileged(std::vector<std::string> command,
                                      const std::vector<std::filesystem::path>& paths) {
  if (geteuid() != 0) return command;
  std::vector<std::string> result{"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"};
  for (const auto& path : paths) {
    if (open_to_others(path)) continue;
    // The secure bit lets access(2), by which initdb looks for its programs, count the capability.
    result.insert(result.end(), {"--securebits=+no_setuid_fixup", "--inh-caps=+dac_override",
                                 "--ambient-caps=+dac_override"});
    break;
  }
  result.insert(result.end(), command.begin(), command.end());
  return result;
}

Status give_to_unprivileged(const std::filesystem::path& path) {
  if (geteuid() != 0) return {};
  const passwd* user = getpwnam(kUser);
  if (user == nullptr || chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    return Error{.code = Error::Code::storage,
                 .message = "give " + path.string() + " to the user nobody: " + std::strerror(errno)};
  }
  return {};
}

}  // namespace maia::testing
