// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>

#include "maia/base/result.h"

namespace maia::engine {

/// Work that other threads ask of a task. It is done on the task's own thread, between two pieces of its
/// work, so it needs no locks and never meets a transaction half done. The answer is a sentence for people.
class Mailbox {
 public:
  using Work = std::function<Result<std::string>()>;

  /// From any thread. The future is ready once the task has served it; Code::cancelled if the task has ended.
  std::future<Result<std::string>> post(Work work);
  /// Whether something waits; from any thread.
  bool waiting() const;
  /// Does all that waits, in order; by the task.
  void serve();
  /// Answers all that waits, and whatever is posted later, with Code::cancelled.
  void close();

 private:
  struct Letter {
    Work work;
    std::promise<Result<std::string>> answer;
  };
  mutable std::mutex mutex_;
  std::deque<Letter> letters_;  // guarded by mutex_
  bool closed_ = false;         // guarded by mutex_
};

}  // namespace maia::engine
