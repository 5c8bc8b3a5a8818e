// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <stdexcept>

#include "maia/base/result.h"

namespace maia::testing {

/// Fails the test with the whole error.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << to_string(result.error().code) << ": " << result.error().message << " / "
                  << result.error().hint;
    throw std::runtime_error(result.error().message);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

}  // namespace maia::testing
