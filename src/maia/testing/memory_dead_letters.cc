// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/memory_dead_letters.h"

namespace maia::testing {

Status MemoryDeadLetters::record(std::span<const DeadLetter> letters, const std::string& burial) {
  const std::lock_guard lock(mutex_);
  for (const auto& letter : letters) {
    const auto [at, is_new] =
        letters_.try_emplace({letter.destination, letter.operation_id}, Kept{letter, burial});
    if (is_new) continue;
    auto& kept = at->second;
    ++kept.letter.attempts;
    kept.letter.reason = letter.reason;
    if (!kept.burial.empty()) kept.burial = burial;
  }
  return {};
}

Status MemoryDeadLetters::settle(const std::string& destination, const std::string& burial) {
  const std::lock_guard lock(mutex_);
  std::erase_if(letters_, [&](const auto& each) {
    const auto& kept = each.second;
    return kept.letter.destination == destination && !kept.burial.empty() && kept.burial != burial;
  });
  for (auto& [key, kept] : letters_) {
    if (kept.letter.destination == destination) kept.burial.clear();
  }
  return {};
}

Result<std::vector<DeadLetter>> MemoryDeadLetters::waiting(const std::string& destination, bool) {
  const std::lock_guard lock(mutex_);
  std::vector<DeadLetter> found;
  for (const auto& [key, kept] : letters_) {
    const auto& letter = kept.letter;
    if (letter.destination == destination && letter.status == DeadLetter::Status::waiting)
      found.push_back(letter);
  }
  return found;
}

Status MemoryDeadLetters::overtake(const std::string& destination,
                                   std::span<const std::string> operation_ids) {
  const std::lock_guard lock(mutex_);
  for (const auto& id : operation_ids) {
    if (const auto found = letters_.find({destination, id}); found != letters_.end())
      found->second.letter.overtaken = true;
  }
  return {};
}

Status MemoryDeadLetters::replayed(const std::string& destination,
                                   std::span<const std::string> operation_ids) {
  const std::lock_guard lock(mutex_);
  for (const auto& id : operation_ids) {
    if (const auto found = letters_.find({destination, id}); found != letters_.end())
      found->second.letter.status = DeadLetter::Status::replayed;
  }
  return {};
}

}  // namespace maia::testing
