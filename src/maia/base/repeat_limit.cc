// SPDX-License-Identifier: Apache-2.0
#include "maia/base/repeat_limit.h"

#include <utility>

namespace maia {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::size_t kMostKinds = 1024;

}  // namespace

std::optional<std::uint64_t> RepeatLimit::admit(std::uint64_t kind, std::int64_t now_micros) {
  const std::lock_guard lock(mutex_);
  if (seen_.size() >= kMostKinds && !seen_.contains(kind)) forget_old(now_micros);
  auto [found, fresh] = seen_.try_emplace(kind);
  auto& seen = found->second;
  if (fresh || now_micros - seen.since_micros >= kSecond) {
    seen.since_micros = now_micros;
    seen.passed = 0;
  }
  if (seen.passed == per_second_) {
    ++seen.held_back;
    return std::nullopt;
  }
  ++seen.passed;
  return std::exchange(seen.held_back, 0);
}

void RepeatLimit::forget_old(std::int64_t now_micros) {
  std::erase_if(seen_, [&](const auto& entry) { return now_micros - entry.second.since_micros >= kSecond; });
  if (seen_.size() >= kMostKinds) seen_.clear();
}

}  // namespace maia
