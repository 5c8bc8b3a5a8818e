// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/fault_schedule.h"

#include <fmt/format.h>

#include <random>

namespace maia::testing {
namespace {

using Deed = Trap::Deed;

constexpr std::size_t kMagnitudes = 18;
constexpr std::chrono::milliseconds kShortest{50};
constexpr std::chrono::milliseconds kLongestDelay{150};
/// What a throttled way carries at least, so that some of what is sent arrives.
constexpr std::size_t kSlowest = 4096;

}  // namespace

std::vector<FaultStep> random_faults(std::uint64_t seed, std::size_t steps,
                                     std::chrono::milliseconds longest) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  const auto up_to = [&](std::chrono::milliseconds limit) {
    return std::chrono::milliseconds(below(static_cast<std::size_t>(limit.count()) + 1));
  };
  std::vector<FaultStep> result;
  for (std::size_t i = 0; i < steps; ++i) {
    FaultStep step;
    step.fault = static_cast<Fault>(below(kFaultNames.size()));
    const auto magnitude = std::size_t{1} << below(kMagnitudes);
    step.bytes = magnitude + below(magnitude) + (step.fault == Fault::throttle ? kSlowest : 0);
    step.delay = up_to(kLongestDelay);
    step.lasts = kShortest + up_to(longest - kShortest);
    result.push_back(step);
  }
  return result;
}

void apply(const FaultStep& step, FaultProxy& proxy) {
  const auto trap = [&](Deed deed, Way way) {
    proxy.set(Weather{});
    proxy.set(Trap{.deed = deed, .way = way, .after = step.bytes});
  };
  switch (step.fault) {
    case Fault::delay: return proxy.set(Weather{.delay = step.delay});
    case Fault::throttle: return proxy.set(Weather{.bytes_per_second = step.bytes});
    case Fault::stall: return proxy.set(Weather{.stall_to_server = true, .stall_to_client = true});
    case Fault::stall_to_server: return proxy.set(Weather{.stall_to_server = true});
    case Fault::stall_to_client: return proxy.set(Weather{.stall_to_client = true});
    case Fault::reset_now: proxy.set(Weather{}); return proxy.reset_all();
    case Fault::reset_to_server: return trap(Deed::reset, Way::to_server);
    case Fault::reset_to_client: return trap(Deed::reset, Way::to_client);
    case Fault::half_close_to_server: return trap(Deed::half_close, Way::to_server);
    case Fault::half_close_to_client: return trap(Deed::half_close, Way::to_client);
    case Fault::lose_answer: return trap(Deed::lose_answer, Way::to_server);
    case Fault::refuse: proxy.set(Weather{.refuse = true}); return proxy.reset_all();
  }
}

std::string to_string(const FaultStep& step) {
  auto text = std::string(kFaultNames[static_cast<std::size_t>(step.fault)]);
  switch (step.fault) {
    case Fault::delay: text += fmt::format(" of {} ms", step.delay.count()); break;
    case Fault::throttle: text += fmt::format(" to {} bytes a second", step.bytes); break;
    case Fault::reset_to_server:
    case Fault::reset_to_client:
    case Fault::half_close_to_server:
    case Fault::half_close_to_client:
    case Fault::lose_answer: text += fmt::format(" after {} bytes", step.bytes); break;
    case Fault::stall:
    case Fault::stall_to_server:
    case Fault::stall_to_client:
    case Fault::reset_now:
    case Fault::refuse: break;
  }
  return text + fmt::format(", {} ms", step.lasts.count());
}

}  // namespace maia::testing
