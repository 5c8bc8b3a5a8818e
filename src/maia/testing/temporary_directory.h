// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

#include "maia/base/result.h"

namespace maia::testing {

/// A new empty directory (mode 0700) that goes away with this object, with everything in it. Movable, not
/// copyable.
class TemporaryDirectory {
 public:
  /// Below the system's directory for temporary files; its name begins with `prefix`.
  static Result<TemporaryDirectory> make(std::string_view prefix = "maia-test-");

  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&& other) noexcept;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  void remove();

  std::filesystem::path path_;  ///< empty after a move
};

}  // namespace maia::testing
