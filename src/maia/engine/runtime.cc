// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/runtime.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace maia::engine {
namespace {

constexpr std::chrono::milliseconds kLook{20};

}  // namespace

void Threads::launch(Task& task, Failed failed) {
  threads_.emplace_back([this, &task, failed = std::move(failed)](std::stop_token stop) {
    run(task, failed, std::move(stop));
  });
}

void Threads::end() {
  for (auto& thread : threads_) thread.request_stop();
  threads_.clear();
}

void Threads::rest(std::chrono::milliseconds at_most, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, at_most, [] { return false; });
}

void Threads::run(Task& task, const Failed& failed, std::stop_token stop) {
  while (!stop.stop_requested()) {
    task.mailbox().serve();
    auto step = task.step(stop);
    if (!step.ok()) {
      task.mailbox().close();
      return failed(task, std::move(step).error());
    }
    if (step->want == Step::Want::done) break;
    if (step->want != Step::Want::wait) continue;
    // As long as the task wants, but not while somebody asks something of it.
    const auto end = std::chrono::steady_clock::now() + step->at_most;
    while (!stop.stop_requested() && !task.mailbox().waiting()) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) break;
      rest(std::min(left, kLook), stop);
    }
  }
  task.mailbox().close();
}

}  // namespace maia::engine
