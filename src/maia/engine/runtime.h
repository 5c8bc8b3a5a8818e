// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>
#include <vector>

#include "maia/engine/task.h"

namespace maia::engine {

/// Who calls the steps of a pipeline's tasks, and does all waiting of the engine. The product uses Threads;
/// the simulator steps every task itself, on one thread, and lets its own clock run instead of waiting.
class Runtime {
 public:
  /// Told at most once for each task, with the error that ended it.
  using Failed = std::function<void(Task&, Error)>;

  virtual ~Runtime() = default;
  /// From now on calls `task`'s steps, and serves its mailbox between them, until it is done, fails, or `end`
  /// is called. The task outlives this runtime or a call of `end`.
  virtual void launch(Task& task, Failed failed) = 0;
  /// Asks all tasks to stop and waits until none of them is in a step. No step is called afterwards.
  virtual void end() = 0;
  /// Waits, but not past a stop request. For whoever started the pipeline, not for tasks.
  virtual void rest(std::chrono::milliseconds at_most, std::stop_token stop) = 0;
  /// The longest that a step may wait for its input before it returns; zero where all run on one thread.
  virtual std::chrono::milliseconds patience() const = 0;
};

/// A thread for each task.
class Threads final : public Runtime {
 public:
  ~Threads() override { end(); }
  void launch(Task& task, Failed failed) override;
  void end() override;
  void rest(std::chrono::milliseconds at_most, std::stop_token stop) override;
  std::chrono::milliseconds patience() const override { return std::chrono::milliseconds{200}; }

 private:
  void run(Task& task, const Failed& failed, std::stop_token stop);
  std::vector<std::jthread> threads_;
};

}  // namespace maia::engine
