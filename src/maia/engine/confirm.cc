// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/confirm.h"

namespace maia::engine {

void Confirm::expect(const std::string& destination) {
  const std::lock_guard lock(mutex_);
  durable_.try_emplace(destination);
}

void Confirm::durable(const std::string& destination, Sequence sequence, const Position& position) {
  if (position.empty()) return;
  const std::lock_guard lock(mutex_);
  durable_[destination] = Oldest{sequence, position};
}

std::optional<Confirm::Oldest> Confirm::oldest() const {
  const std::lock_guard lock(mutex_);
  std::optional<Oldest> oldest;
  for (const auto& [name, durable] : durable_) {
    if (!durable) return std::nullopt;
    if (!oldest) {
      oldest = durable;
      continue;
    }
    const auto order = source_.compare(durable->position, oldest->position);
    if (order == std::partial_ordering::unordered) return std::nullopt;
    if (order < 0) oldest->position = durable->position;
    oldest->sequence = std::min(oldest->sequence, durable->sequence);
  }
  return oldest;
}

Status Confirm::tell(Stream& stream) {
  const auto safe = oldest();
  if (!safe || safe->position == told_) return {};
  MAIA_TRY(stream.confirm(safe->position));
  told_ = safe->position;
  return {};
}

void Confirm::delivered(const std::string& destination, const Position& position) {
  const std::lock_guard lock(mutex_);
  delivered_[destination] = position;
}

bool Confirm::reached(const std::string& destination, const Position& position) const {
  const std::lock_guard lock(mutex_);
  const auto found = delivered_.find(destination);
  return found != delivered_.end() && source_.compare(found->second, position) >= 0;
}

}  // namespace maia::engine
