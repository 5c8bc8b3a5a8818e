// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace maia {

/// A value that no log, API answer, error or crash dump may show. It cannot be streamed, formatted
/// or compared; reading it takes the word `reveal`, so that each use can be found by grep.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  std::string value_;
};

}  // namespace maia
