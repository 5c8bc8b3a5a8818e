// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/seal.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>

#include "maia/base/bytes.h"

namespace maia::engine {
namespace {

std::uint64_t hash_of(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t hash_of(std::string_view key, std::string_view value) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.text(key);
  writer.text(value);
  return hash_of(bytes);
}

Error edited(const std::string& pipeline, std::string_view what) {
  return Error{.code = Error::Code::lost_history,
               .message = fmt::format("the checkpoint of pipeline {} was changed by somebody else: {}",
                                      pipeline, what),
               .hint =
                   "put the checkpoint back as it was, from a backup, and run again; or copy the "
                   "tables again: `maia drop`, empty them, `maia run`. Whoever is sure of the change clears "
                   "`seal` in the checkpoint",
               .reason = "checkpoint_edited"};
}

}  // namespace

std::string Seal::text(Epoch writer, Sequence sequence, const Position& position, std::uint64_t facts) const {
  Bytes bytes;
  ByteWriter all(bytes);
  all.text(pipeline_);
  all.u64(writer.value);
  all.u64(sequence.value);
  all.text(position.token);
  all.u64(facts);
  return fmt::format("{}-{:016x}", writer.value, hash_of(bytes));
}

Status Seal::open(const Destination::Opened& opened) {
  epoch_ = opened.epoch;
  facts_.clear();
  sum_ = 0;
  const auto& checkpoint = opened.checkpoint;
  for (const auto& [key, value] : checkpoint.facts) sum_ += facts_[key] = hash_of(key, value);
  if (checkpoint.seal.empty()) return {};
  Epoch writer;
  const auto& seal = checkpoint.seal;
  std::from_chars(seal.data(), seal.data() + seal.size(), writer.value);
  if (text(writer, checkpoint.sequence, checkpoint.position, sum_) != seal) {
    return edited(pipeline_, "its sequence, position or facts are not those that were written");
  }
  if (writer >= opened.epoch) {
    return edited(pipeline_, fmt::format("its epoch went back below {}, which wrote it", writer.value));
  }
  return {};
}

std::string Seal::of(const CheckpointUpdate& update) const {
  auto sum = sum_;
  for (const auto& [key, value] : update.facts) {
    if (const auto old = facts_.find(key); old != facts_.end()) sum -= old->second;
    if (value) sum += hash_of(key, *value);
  }
  return text(epoch_, update.sequence, update.position, sum);
}

void Seal::committed(const CheckpointUpdate& update) {
  for (const auto& [key, value] : update.facts) {
    if (const auto old = facts_.find(key); old != facts_.end()) {
      sum_ -= old->second;
      facts_.erase(old);
    }
    if (value) sum_ += facts_[key] = hash_of(key, *value);
  }
}

}  // namespace maia::engine
