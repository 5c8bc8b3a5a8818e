// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/temporary_directory.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace maia::testing {

Result<TemporaryDirectory> TemporaryDirectory::make(std::string_view prefix) {
  std::error_code failure;
  const auto parent = std::filesystem::temp_directory_path(failure);
  std::string name = (failure ? std::filesystem::path("/tmp") : parent) / (std::string(prefix) + "XXXXXX");
  if (mkdtemp(name.data()) == nullptr) {
    return Error{.code = Error::Code::storage,
                 .message = "make the temporary directory " + name + ": " + std::strerror(errno)};
  }
  return TemporaryDirectory(name);
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory& TemporaryDirectory::operator=(TemporaryDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryDirectory::~TemporaryDirectory() { remove(); }

void TemporaryDirectory::remove() {
  if (path_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace maia::testing
