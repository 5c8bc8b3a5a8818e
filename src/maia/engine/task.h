// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "maia/base/result.h"
#include "maia/engine/mailbox.h"

namespace maia::engine {

/// What a task wants next.
struct Step {
  enum class Want { again, wait, done };
  Want want = Want::again;
  std::chrono::milliseconds at_most{0};  ///< wait: call again no later than this

  static Step again() { return {Want::again, std::chrono::milliseconds{0}}; }
  static Step wait(std::chrono::milliseconds at_most) { return {Want::wait, at_most}; }
  static Step done() { return {Want::done, std::chrono::milliseconds{0}}; }
};

/// A part of the engine as an object that does one bounded piece of work per step. The runtime gives each a
/// thread; the simulator runs all of them on one. An error ends the task: what can be retried it has retried
/// itself.
class Task {
 public:
  virtual ~Task() = default;
  virtual const std::string& name() const = 0;
  virtual Result<Step> step(std::stop_token stop) = 0;
  /// Where others ask something of the task. Whoever runs the task serves it between two steps.
  Mailbox& mailbox() { return mailbox_; }

 private:
  Mailbox mailbox_;
};

}  // namespace maia::engine
