// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/copy_queue.h"

namespace maia::engine {
namespace {

Error cancelled() { return Error{Error::Code::cancelled, Recovery::halt, "the copy was stopped", ""}; }

}  // namespace

void CopyQueue::add(CopyJob job) {
  const std::lock_guard lock(mutex_);
  ++open_chunks_[job.round];
  jobs_.push_back(std::move(job));
}

std::optional<CopyJob> CopyQueue::take() {
  const std::lock_guard lock(mutex_);
  if (ended_ || jobs_.empty()) return std::nullopt;
  auto job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

Status CopyQueue::push(const CopyJob& job, Batch batch, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  // Rows of the current round always find room for one batch, or the writer would wait for ever behind rows
  // of later rounds.
  const auto has_room = [&] {
    return ended_ || bytes_ < budget_ || (job.round <= current_ && lanes_[job.round].empty());
  };
  if (!has_room()) {
    std::optional<StageLoad::Wait> wait;
    if (load_) wait.emplace(*load_, system_clock());
    changed_.wait(lock, stop, has_room);
  }
  if (ended_ || stop.stop_requested()) return cancelled();
  bytes_ += batch.byte_size();
  note_bytes();
  lanes_[job.round].push_back(Item{job, std::move(batch)});
  changed_.notify_all();
  return {};
}

void CopyQueue::finish(const CopyJob& job) {
  const std::lock_guard lock(mutex_);
  lanes_[job.round].push_back(Item{job, std::nullopt});
  changed_.notify_all();
}

void CopyQueue::fail(std::optional<std::size_t> table, Error error) {
  const std::lock_guard lock(mutex_);
  if (!error_) {
    error_ = std::move(error);
    failed_table_ = table;
  }
  changed_.notify_all();
}

std::optional<std::size_t> CopyQueue::failed_table() const {
  const std::lock_guard lock(mutex_);
  return failed_table_;
}

Result<std::optional<CopyQueue::Item>> CopyQueue::next(std::uint64_t round, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  current_ = round;
  changed_.notify_all();
  changed_.wait(lock, stop, [&] { return error_ || !lanes_[round].empty() || open_chunks_[round] == 0; });
  if (error_) return *error_;
  if (stop.stop_requested()) return cancelled();
  auto& lane = lanes_[round];
  if (lane.empty()) return std::optional<Item>{};
  auto item = std::move(lane.front());
  lane.pop_front();
  if (item.batch) {
    bytes_ -= item.batch->byte_size();
    note_bytes();
  } else {
    --open_chunks_[round];
  }
  changed_.notify_all();
  return std::optional<Item>(std::move(item));
}

void CopyQueue::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

}  // namespace maia::engine
