// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/testing/child_process.h"

namespace maia::testing {

// What scratch servers of every kind need around them.

/// Where ./dev setup puts servers and libraries: `$MAIA_DEPS`, or the folder that the build was given.
std::filesystem::path dependencies();

/// A free loopback port below the range that the system takes for outgoing connections, so that it stays free
/// between two starts of a server.
int choose_port();

/// Processes whose parent is `parent`.
std::vector<pid_t> children_of(pid_t parent);

/// The last few thousand bytes of a log.
std::string tail_of(const std::filesystem::path& file);

/// Makes a directory under the system's temporary one. When `input` is closed, or with it this process ends
/// in whatever way, the keeper kills the server whose number `pid_file` (within the directory) has, and
/// removes the directory.
struct KeptDirectory {
  std::filesystem::path path;
  int input;
  ChildProcess keeper;
};
Result<KeptDirectory> make_kept_directory(std::string_view name, const std::string& pid_file);

/// Puts at `data` what `make` makes there. It runs once per `name`; its result is kept as a template in
/// `$MAIA_DEPS/templates`, if that can be written, and copied from then on.
Status make_from_template(const std::string& name, const std::filesystem::path& data,
                          const std::function<Status()>& make);

}  // namespace maia::testing
