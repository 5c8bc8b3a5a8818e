// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "maia/base/result.h"

namespace maia::engine {

/// Whether this run still is the newest of its pipeline. A destination fences by the epoch that a run holds
/// there; one that was away since the run began knows nothing of it, and would take a run that was stalled
/// for hours, and replaced, for the newest. So whoever opens it asks here first, and those that hold an epoch
/// elsewhere answer by their next commit. Thread-safe.
class Tenure {
 public:
  /// A destination was opened, which answers all that was asked before.
  void holds(const std::string& destination);
  /// Its session broke: it can give no answer, and nobody waits for one.
  void lets_go(const std::string& destination);

  /// Asks those that hold an epoch; the number is for `answer`.
  std::uint64_t ask();
  /// The last question. Who commits reads it before, and says afterwards what it has answered.
  std::uint64_t asked() const;
  void committed(const std::string& destination, std::uint64_t asked);
  /// Whether somebody waits for its answer.
  bool waits_for(const std::string& destination) const;
  /// A newer run has a destination of ours.
  void replaced(const Error& error);

  enum class Answer : std::uint8_t { not_yet, ours };
  /// Of question `asked`. The error that a destination was taken from us with, if one was.
  Result<Answer> answer(std::uint64_t asked) const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t asked_ = 0;
  std::map<std::string, std::uint64_t> answered_;  // of those that hold an epoch
  std::optional<Error> replaced_;
};

}  // namespace maia::engine
