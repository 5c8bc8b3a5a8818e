// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace maia {
/// Prints the broken promise and its place, then traps. Never returns.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}  // namespace maia

/// A promise that our own code makes to itself; checked in release builds too. Input from outside
/// never trips an assertion: it yields an Error.
#define MAIA_ASSERT(expression) \
  ((expression) ? void(0) : ::maia::assertion_failed(#expression, __FILE__, __LINE__))
