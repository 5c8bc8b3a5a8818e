// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "simulated_clock.h"
#include "trace.h"

namespace maia::simulation {

/// What is wrong with the world outside of the process under test: systems that are away, sessions that
/// break, single calls that fail.
class Weather {
 public:
  Weather(SimulatedClock& clock, Trace& trace) : clock_(clock), trace_(trace) {}

  /// Breaks all sessions with a system, and keeps it away for a time.
  void cut(const std::string& system, std::int64_t away_for);
  /// The `skip`-th next call of a system whose name is `call` ("" means any) fails.
  struct Failure {
    std::string call;
    std::uint64_t skip = 0;
    Recovery recovery = Recovery::retry;
  };
  void fail(const std::string& system, Failure failure);
  /// Everything is well from now on.
  void heal();

  /// A session's number goes stale with the next cut.
  std::uint64_t session(const std::string& system) { return systems_[system].session; }
  /// What a call meets.
  Status meet(const std::string& system, std::string_view call, std::uint64_t session);

 private:
  struct System {
    std::uint64_t session = 1;
    std::int64_t away_until = 0;
    std::vector<Failure> failures;
  };
  SimulatedClock& clock_;
  Trace& trace_;
  std::map<std::string, System> systems_;
};

}  // namespace maia::simulation
