// SPDX-License-Identifier: Apache-2.0
#include "maia/app/stop_on_signal.h"

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "maia/base/log.h"

namespace maia::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{10};

[[noreturn]] void leave() {
  log::warning("stopped while a server owed us an answer; the next run goes on from what is durable");
  _exit(0);
}

}  // namespace

StopOnSignal::StopOnSignal(std::stop_source& stop) {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  signal(SIGPIPE, SIG_IGN);
  waiter_ = std::jthread([this, &stop](const std::stop_token& done) { await(done, stop); });
}

void StopOnSignal::await(const std::stop_token& done, std::stop_source& stop) const {
  const timespec look{0, 100'000'000};
  std::optional<Clock::time_point> since;
  while (!done.stop_requested()) {
    const bool signalled = sigtimedwait(&signals_, nullptr, &look) > 0;
    if (since && (signalled || Clock::now() - *since >= kPatience)) leave();
    if (!signalled) continue;
    since = Clock::now();
    stop.request_stop();
  }
}

}  // namespace maia::app
