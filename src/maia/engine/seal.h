// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connector/destination.h"

namespace maia::engine {

/// Seals the checkpoint of one destination: a checksum over sequence, position and all facts, with the epoch
/// that wrote it, is kept with them. Whoever changes one of them by hand breaks it, and the next run says so
/// instead of going on from a place that never was. Not a protection against somebody who wants to deceive.
/// Used from one thread.
class Seal {
 public:
  explicit Seal(std::string pipeline) : pipeline_(std::move(pipeline)) {}

  /// Takes over what a destination holds. Code::lost_history, reason "checkpoint_edited", if it is not what
  /// was sealed. A checkpoint without a seal passes; clearing it is how somebody accepts what was changed.
  Status open(const Destination::Opened& opened);
  /// The seal of the checkpoint as it will be with `update`.
  std::string of(const CheckpointUpdate& update) const;
  /// The update is durable.
  void committed(const CheckpointUpdate& update);

 private:
  std::string text(Epoch writer, Sequence sequence, const Position& position, std::uint64_t facts) const;

  const std::string pipeline_;
  Epoch epoch_;
  std::map<std::string, std::uint64_t> facts_;  ///< hash of each
  std::uint64_t sum_ = 0;                       ///< of these, so that a commit only hashes what it changes
};

}  // namespace maia::engine
