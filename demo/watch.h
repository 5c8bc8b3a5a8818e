// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace maia::demo {

/// Looks at a running maia from outside, through its control socket and /proc, and remembers what the demo
/// promises about it. Made when maia is started; used from one thread.
class Watch {
 public:
  /// `directory` is that of the pipeline within maia's state.
  Watch(pid_t pid, std::string directory);

  /// To be called often: what is between two looks is not seen.
  void look();
  /// What was promised and what was seen.
  void print() const;

 private:
  const pid_t pid_;
  const std::string directory_;
  const std::chrono::steady_clock::time_point start_;
  std::optional<std::chrono::milliseconds> first_row_;  ///< that was durable at the destination
  bool streaming_ = false;                              ///< every table is
  std::uint64_t in_snapshot_ = 0;                       ///< most resident memory that was seen, in bytes
  std::uint64_t while_streaming_ = 0;
};

}  // namespace maia::demo
