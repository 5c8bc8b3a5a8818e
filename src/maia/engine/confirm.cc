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

void Confirm::journaled(const Position& position) {
  const std::lock_guard lock(mutex_);
  journaled_ = position;
}

void Confirm::inherited(const Position& position) {
  const std::lock_guard lock(mutex_);
  relied_on_ = position;
}

void Confirm::held(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(mutex_);
  over_limit_ = bytes && *bytes > options_.retain_at_source;
}

bool Confirm::over_limit() const {
  const std::lock_guard lock(mutex_);
  return over_limit_;
}

bool Confirm::journal_counts() const {
  return over_limit_ || options_.when == ConfirmOptions::When::journaled;
}

bool Confirm::relies_on_journal() const {
  const std::lock_guard lock(mutex_);
  if (journal_counts()) return true;
  if (relied_on_.empty()) return false;
  const auto oldest = oldest_locked();
  return !oldest || !(source_.compare(oldest->position, relied_on_) >= 0);
}

std::optional<Confirm::Oldest> Confirm::oldest() const {
  const std::lock_guard lock(mutex_);
  return oldest_locked();
}

std::optional<Confirm::Oldest> Confirm::oldest_locked() const {
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

std::string Confirm::farthest_behind() const {
  const std::lock_guard lock(mutex_);
  std::string farthest;
  std::optional<Sequence> lowest;
  for (const auto& [name, durable] : durable_) {
    if (!durable) return name;
    if (lowest && durable->sequence >= *lowest) continue;
    lowest = durable->sequence;
    farthest = name;
  }
  return farthest;
}

std::optional<Position> Confirm::safe() const {
  const auto delivered = oldest_locked();
  auto safe = delivered ? std::optional(delivered->position) : std::nullopt;
  if (!journal_counts() || journaled_.empty()) return safe;
  if (!safe || source_.compare(journaled_, *safe) > 0) safe = journaled_;
  return safe;
}

Status Confirm::tell(Stream& stream) {
  std::optional<Position> safe_now;
  {
    const std::lock_guard lock(mutex_);
    safe_now = safe();
    if (!safe_now || safe_now == told_) return {};
    // With `journaled` no longer in force the deliveries come after what was told then.
    if (told_ && !(source_.compare(*safe_now, *told_) > 0)) return {};
    if (journal_counts()) relied_on_ = *safe_now;
  }
  MAIA_TRY(stream.confirm(*safe_now));
  told_ = std::move(safe_now);
  return {};
}

void Confirm::delivered(const std::string& destination, const Position& position) {
  if (position.empty()) return;
  const std::lock_guard lock(mutex_);
  delivered_[destination] = position;
}

bool Confirm::reached(const std::string& destination, const Position& position) const {
  const std::lock_guard lock(mutex_);
  const auto found = delivered_.find(destination);
  return found != delivered_.end() && source_.compare(found->second, position) >= 0;
}

}  // namespace maia::engine
