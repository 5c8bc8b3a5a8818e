// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "maia/base/result.h"

namespace maia::testing {

/// A program started by a test, in a session of its own. Killed (SIGKILL) and reaped by the destructor. Not
/// thread-safe.
class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> command;            ///< program (looked up in PATH) and arguments
    std::filesystem::path output = "/dev/null";  ///< standard output and error, appended
    std::vector<std::string> environment;        ///< NAME=value, over the test's own
    int standard_input = -1;                     ///< descriptor that the child reads; -1: /dev/null
  };

  static Result<ChildProcess> start(const Options& options);
  /// Runs it to its end; an error, with the tail of its output, unless it exits with 0.
  static Status run(const std::vector<std::string>& command);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  /// Exit code, or 128 + the signal's number; nothing while it runs.
  std::optional<int> poll();
  /// Waits for the end; the exit code as in poll(), or nothing when `limit` has passed.
  std::optional<int> wait(std::chrono::milliseconds limit);
  /// Sends a signal; does nothing once it has ended.
  void signal(int number);
  /// SIGKILL, then waits for the end.
  void kill9();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_ = -1;  ///< -1 after a move
  std::optional<int> exit_;
};

}  // namespace maia::testing
