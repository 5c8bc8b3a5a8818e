// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "maia/testing/fault_proxy.h"

namespace maia::testing {

enum class Fault : std::uint8_t {
  delay,
  throttle,
  stall,
  stall_to_server,
  stall_to_client,
  reset_now,
  reset_to_server,  ///< when so many bytes have passed that way
  reset_to_client,
  half_close_to_server,
  half_close_to_client,
  lose_answer,
  refuse,  ///< with a reset of what is connected
};

inline constexpr std::array<std::string_view, 12> kFaultNames{
    "delay",       "throttle",        "stall",           "stall_to_server",      "stall_to_client",
    "reset_now",   "reset_to_server", "reset_to_client", "half_close_to_server", "half_close_to_client",
    "lose_answer", "refuse"};

/// One fault and how long it is in force.
struct FaultStep {
  Fault fault = Fault::delay;
  std::size_t bytes = 0;               ///< after which it strikes; of throttle: a second
  std::chrono::milliseconds delay{0};  ///< of delay
  std::chrono::milliseconds lasts{0};
};

/// The same steps for the same seed. Sizes are spread over all magnitudes, so that handshakes are hit as well
/// as what flows later.
std::vector<FaultStep> random_faults(std::uint64_t seed, std::size_t steps,
                                     std::chrono::milliseconds longest);

/// Lets the proxy do this from now on, in place of the step before.
void apply(const FaultStep& step, FaultProxy& proxy);

/// "reset_to_server after 4096 bytes, 300 ms".
std::string to_string(const FaultStep& step);

}  // namespace maia::testing
