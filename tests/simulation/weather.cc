// SPDX-License-Identifier: Apache-2.0
#include "weather.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::simulation {

void Weather::cut(const std::string& system, std::int64_t away_for) {
  auto& at = systems_[system];
  ++at.session;
  at.away_until = std::max(at.away_until, clock_.now() + away_for);
}

void Weather::fail(const std::string& system, Failure failure) {
  systems_[system].failures.push_back(std::move(failure));
}

void Weather::heal() {
  for (auto& [name, system] : systems_) {
    system.away_until = 0;
    system.failures.clear();
  }
}

Status Weather::meet(const std::string& system, std::string_view call, std::uint64_t session) {
  auto& at = systems_[system];
  const auto error = [&](Recovery recovery, std::string_view why) {
    return Error{Error::Code::unavailable, recovery, fmt::format("{}: {}: {}", system, call, why), ""};
  };
  if (clock_.now() < at.away_until) return error(Recovery::reconnect, "cannot be reached");
  if (session != at.session) return error(Recovery::reconnect, "the connection was lost");
  for (auto failure = at.failures.begin(); failure != at.failures.end(); ++failure) {
    if (!failure->call.empty() && failure->call != call) continue;
    if (failure->skip-- > 0) continue;
    const auto recovery = failure->recovery;
    at.failures.erase(failure);
    trace_.tell(fmt::format("  {}: {} fails", system, call));
    if (recovery == Recovery::reconnect) ++at.session;
    return error(recovery, "failed");
  }
  return {};
}

}  // namespace maia::simulation
