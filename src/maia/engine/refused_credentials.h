// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "maia/base/clock.h"
#include "maia/base/result.h"

namespace maia::engine {

/// Where a password is changed at a server first and where we read it after that, it is refused for a moment.
/// So what has worked before is tried again for a while, read anew each time, before it counts as an error.
class RefusedCredentials {
 public:
  /// Error::reason of a connector whose server refuses them.
  static constexpr std::string_view kReason = "credentials_refused";
  static constexpr std::chrono::minutes kPatience{5};

  /// The error as it is to be taken now.
  Error taken(Error error, Clock::Steady now) {
    if (error.reason != kReason) return error;
    if (!since_) since_ = now;
    if (now - *since_ >= kPatience) return error;
    error.recovery = Recovery::reconnect;
    error.message += " (the password is read again at each attempt)";
    return error;
  }
  void accepted() { since_.reset(); }

 private:
  std::optional<Clock::Steady> since_;  ///< they are refused
};

}  // namespace maia::engine
