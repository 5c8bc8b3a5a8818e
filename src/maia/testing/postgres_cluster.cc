// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/postgres_cluster.h"

#include <algorithm>
#include <functional>
#include <system_error>

#include "maia/testing/child_process.h"
#include "maia/testing/server_place.h"
#include "maia/testing/unprivileged.h"

namespace maia::testing {
namespace {

namespace fs = std::filesystem;

Status run_initdb(int version, const std::vector<std::string>& arguments, const fs::path& data) {
  const auto binaries = MAIA_TRY(postgres_binaries(version));
  std::vector<std::string> command{(binaries / "initdb").string(), "--pgdata=" + data.string(), "--no-sync",
                                   "--encoding=UTF8", "--username=postgres"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const bool own_locale = std::any_of(arguments.begin(), arguments.end(),
                                      [](const auto& word) { return word.starts_with("--locale"); });
  if (!own_locale) command.push_back("--locale=C.UTF-8");
  return ChildProcess::run(unprivileged(std::move(command), {binaries, data.parent_path()}));
}

}  // namespace

Result<fs::path> postgres_binaries(int version) {
  const auto number = std::to_string(version);
  for (const auto& place :
       {dependencies() / ("postgres-" + number) / "bin", fs::path("/usr/lib/postgresql") / number / "bin"}) {
    std::error_code ignored;
    if (fs::exists(place / "postgres", ignored)) return place;
  }
  return Error{.code = Error::Code::unavailable,
               .message = "there is no PostgreSQL " + number + " for the tests in " + dependencies().string(),
               .hint = "./dev setup installs it"};
}

Status make_postgres_cluster(int version, const std::vector<std::string>& initdb_arguments,
                             const fs::path& data) {
  std::string key;
  for (const auto& argument : initdb_arguments) key += argument + '\n';
  return make_from_template(
      "postgres-" + std::to_string(version) + "-" + std::to_string(std::hash<std::string>{}(key)), data,
      [&] { return run_initdb(version, initdb_arguments, data); });
}

}  // namespace maia::testing
