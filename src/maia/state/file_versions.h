// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/clock.h"
#include "maia/base/result.h"
#include "maia/state/sqlite.h"

namespace maia {

/// The name of a pipeline file's text: its SHA-256 in hexadecimal digits. Dead letters carry it.
std::string version_hash(std::string_view text);
/// As people see and type it: the first twelve digits.
std::string short_hash(std::string_view hash);

/// One text of a pipeline file, and that it was taken up at a time.
struct FileVersion {
  std::string hash;     ///< of the text as it was written, secrets included
  std::string path;     ///< absolute; `${file:}` references are relative to its folder
  std::string text;     ///< with references as they were written, and written-out secrets as ***
  std::string how;      ///< "run" or "apply"
  std::string user;     ///< who did it
  std::string changed;  ///< against the version before it, in words
  WallMicros at = 0;
};

/// Every version of the file of one pipeline that ran or was applied, in an SQLite file of its state
/// directory. Thread-safe.
class FileVersions {
 public:
  static Result<std::unique_ptr<FileVersions>> open(const std::string& path);

  /// Makes it the version in use. Nothing new is kept when it already is.
  Status record(const FileVersion& version);
  /// The version in use; nothing before the first run.
  Result<std::optional<FileVersion>> current();
  /// All that were taken up, the newest first.
  Result<std::vector<FileVersion>> list();

 private:
  explicit FileVersions(Sqlite file) : file_(std::move(file)) {}
  Result<std::vector<FileVersion>> read(std::size_t at_most);

  std::mutex mutex_;
  Sqlite file_;
};

}  // namespace maia
