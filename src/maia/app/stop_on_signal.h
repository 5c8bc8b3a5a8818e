// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

namespace maia::app {

/// Turns SIGINT and SIGTERM into a stop request. Made before any other thread, so that all inherit the
/// blocked signals. Who waits for an answer that does not come cannot hear the request; ten seconds later, or
/// at a second signal, the process ends all the same, with 0: it is made to be killed at any moment, and what
/// was not durable is delivered by the next run.
class StopOnSignal {
 public:
  explicit StopOnSignal(std::stop_source& stop);

 private:
  void await(const std::stop_token& done, std::stop_source& stop) const;

  sigset_t signals_;
  std::jthread waiter_;
};

}  // namespace maia::app
