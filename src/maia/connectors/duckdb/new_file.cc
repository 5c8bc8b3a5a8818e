// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/new_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "maia/connectors/duckdb/handle.h"

namespace maia::duckdb {
namespace {

namespace fs = std::filesystem;

Status create(const std::string& path) {
  DatabaseHandle database;
  char* message = nullptr;
  if (duckdb_open_ext(path.c_str(), database.out(), nullptr, &message) == DuckDBSuccess) return {};
  Error error{Error::Code::storage, Recovery::halt, message ? message : "unknown error", ""};
  duckdb_free(message);
  return error;
}

}  // namespace

Status make_new_file(const std::string& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return {};
  const auto draft = path + ".new";
  if (auto created = create(draft); !created.ok()) {
    // One that a crash left; if it is another process's, that one has it locked, and it stays.
    const bool left =
        fs::exists(draft, ignored) && created.error().message.find("Could not set lock") == std::string::npos;
    if (!left) return created;
    fs::remove(draft, ignored);
    MAIA_TRY(create(draft));
  }
  if (renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return {};
  // Some file systems do not know the flag; and somebody else may have been quicker.
  if (errno == EINVAL && !fs::exists(path, ignored) && std::rename(draft.c_str(), path.c_str()) == 0)
    return {};
  const auto why = errno;
  fs::remove(draft, ignored);
  if (fs::exists(path, ignored)) return {};
  return Error{Error::Code::storage, Recovery::halt, std::strerror(why), ""};
}

}  // namespace maia::duckdb
