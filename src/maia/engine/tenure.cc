// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/tenure.h"

#include <algorithm>

namespace maia::engine {

void Tenure::holds(const std::string& destination) {
  const std::lock_guard lock(mutex_);
  answered_[destination] = asked_;
}

void Tenure::lets_go(const std::string& destination) {
  const std::lock_guard lock(mutex_);
  answered_.erase(destination);
}

std::uint64_t Tenure::ask() {
  const std::lock_guard lock(mutex_);
  return ++asked_;
}

std::uint64_t Tenure::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

void Tenure::committed(const std::string& destination, std::uint64_t asked) {
  const std::lock_guard lock(mutex_);
  answered_[destination] = asked;
}

bool Tenure::waits_for(const std::string& destination) const {
  const std::lock_guard lock(mutex_);
  const auto holder = answered_.find(destination);
  return holder != answered_.end() && holder->second < asked_;
}

void Tenure::replaced(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!replaced_) replaced_ = error;
}

Result<Tenure::Answer> Tenure::answer(std::uint64_t asked) const {
  const std::lock_guard lock(mutex_);
  if (replaced_) return *replaced_;
  const bool all = std::all_of(answered_.begin(), answered_.end(),
                               [&](const auto& holder) { return holder.second >= asked; });
  return all ? Answer::ours : Answer::not_yet;
}

}  // namespace maia::engine
