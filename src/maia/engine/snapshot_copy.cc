// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/snapshot_copy.h"

#include <algorithm>

namespace maia::engine {
namespace {

/// Chunks in a round: few at first, so that rows show soon, then enough to make a commit's cost small.
std::size_t round_size(std::uint64_t round, std::size_t readers) {
  return readers * (std::size_t{1} << std::min<std::uint64_t>(round, 2));
}

}  // namespace

SnapshotCopy::SnapshotCopy(Parts parts, std::shared_ptr<Snapshot> snapshot, std::vector<TableEntry*> tables,
                           std::size_t budget)
    : parts_(std::move(parts)),
      snapshot_(std::move(snapshot)),
      tables_(std::move(tables)),
      converging_(tables_.size()),
      left_(tables_.size()),
      queue_(budget) {}

SnapshotCopy::~SnapshotCopy() {
  queue_.end();
  for (auto& reader : readers_) reader.request_stop();
  readers_.clear();
}

Result<std::unique_ptr<SnapshotCopy>> SnapshotCopy::start(Parts parts, std::shared_ptr<Snapshot> snapshot,
                                                          std::vector<TableEntry*> tables,
                                                          const PipelineOptions& options) {
  std::unique_ptr<SnapshotCopy> copy(new SnapshotCopy(std::move(parts), std::move(snapshot),
                                                      std::move(tables), options.snapshot_queue_bytes));
  std::vector<CopyJob> jobs;
  MAIA_TRY(copy->parts_.destination.begin());
  for (std::size_t i = 0; i < copy->tables_.size(); ++i) {
    auto& entry = *copy->tables_[i];
    MAIA_TRY(in(to_string(entry.fact.source->name), copy->plan(entry, i, jobs)));
  }
  MAIA_TRY(copy->parts_.commit());
  copy->schedule(std::move(jobs));
  const auto readers = std::max<std::uint32_t>(1, options.snapshot_readers);
  for (std::uint32_t i = 0; i < readers; ++i) {
    copy->readers_.emplace_back([raw = copy.get()](std::stop_token stop) { raw->read_all(stop); });
  }
  return copy;
}

Status SnapshotCopy::plan(TableEntry& entry, std::size_t index, std::vector<CopyJob>& jobs) {
  auto& fact = entry.fact;
  const bool begun = fact.state == TableState::snapshot;
  auto plan = MAIA_TRY(snapshot_->plan(
      fact.source, begun ? std::optional(fact.snapshot) : std::optional<TablePlanProgress>()));
  MAIA_TRY(parts_.destination.prepare(entry.route.target()));
  const bool whole_again =
      begun && (plan.restarted || entry.route.target().mode == TableTarget::Mode::append);
  if (whole_again && !plan.restarted) plan = MAIA_TRY(snapshot_->plan(fact.source, std::nullopt));
  if (whole_again) {
    const TableTarget* target = &entry.route.target();
    MAIA_TRY(parts_.destination.truncate({&target, 1}, Truncate{}));
  }
  if (!begun || whole_again) {
    fact.snapshot.done.clear();
    fact.rows = 0;
    fact.chunks = 0;
  }
  const bool converging = plan.converging && !whole_again;
  fact.state = TableState::snapshot;
  fact.snapshot.token = plan.token;
  fact.chunks = static_cast<std::uint32_t>(fact.snapshot.done.size() + plan.chunks.size());
  if (converging) {
    fact.converge_until = snapshot_->position();
  } else {
    fact.skip_until = snapshot_->position();
    fact.converge_until.reset();
  }
  entry.dirty = true;
  converging_[index] = converging;
  left_[index] = plan.chunks.size();
  schemas_.push_back(fact.source);
  if (plan.chunks.empty()) fact.state = TableState::catching_up;
  for (auto& chunk : plan.chunks) jobs.push_back(CopyJob{index, std::move(chunk), 0});
  return {};
}

void SnapshotCopy::schedule(std::vector<CopyJob> jobs) {
  const std::size_t readers = 2;
  std::size_t in_round = 0;
  for (auto& job : jobs) {
    if (in_round == round_size(rounds_, readers)) {
      ++rounds_;
      in_round = 0;
    }
    job.round = rounds_;
    ++in_round;
    queue_.add(std::move(job));
  }
  if (in_round > 0) ++rounds_;
}

void SnapshotCopy::read_all(std::stop_token stop) {
  auto reader = snapshot_->open_reader();
  if (!reader.ok()) return queue_.fail(std::move(reader).error());
  while (const auto job = queue_.take()) {
    const auto sink = [&](Batch batch) { return queue_.push(*job, std::move(batch), stop); };
    if (auto read = (*reader)->read(schemas_[job->table], job->chunk, sink, stop); !read.ok()) {
      return queue_.fail(std::move(read).error().in(to_string(schemas_[job->table]->name)));
    }
    queue_.finish(*job);
  }
}

Result<bool> SnapshotCopy::step(std::stop_token stop) {
  if (round_ >= rounds_) {
    MAIA_TRY(finish());
    return true;
  }
  MAIA_TRY(parts_.destination.begin());
  while (auto item = MAIA_TRY(queue_.next(round_, stop))) {
    if (item->batch) {
      MAIA_TRY(in(to_string(schemas_[item->job.table]->name), write(item->job, std::move(*item->batch))));
    } else {
      complete(item->job);
    }
  }
  MAIA_TRY(parts_.commit());
  ++round_;
  return false;
}

Status SnapshotCopy::write(const CopyJob& job, Batch batch) {
  auto& entry = *tables_[job.table];
  auto& rows = rows_in_chunk_[{job.table, job.chunk.number}];
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    batch.set_ordinal(row, (std::uint64_t{job.chunk.number} << 32) + rows++);
  }
  const Transaction snapshot{.position = snapshot_->position(),
                             .id = "snapshot",
                             .committed_at = parts_.started_at,
                             .first_ordinal = 0};
  if (auto kept = MAIA_TRY(parts_.sift(batch, entry, {&snapshot, 1}))) batch = std::move(*kept);
  std::vector<RowFailure> failures;
  const auto routed = MAIA_TRY(entry.route.apply(batch, {&snapshot, 1}, failures));
  if (!failures.empty()) MAIA_TRY(parts_.bury(batch, entry, {&snapshot, 1}, failures));
  const maia::Delivery delivery{.target = &entry.route.target(),
                                .batch = routed.batch,
                                .fresh = !converging_[job.table],
                                .converging = converging_[job.table],
                                .transactions = {&snapshot, 1}};
  MAIA_TRY(parts_.destination.write({&delivery, 1}));
  entry.fact.rows += routed.batch->rows();
  return {};
}

void SnapshotCopy::complete(const CopyJob& job) {
  auto& entry = *tables_[job.table];
  auto& done = entry.fact.snapshot.done;
  done.insert(std::upper_bound(done.begin(), done.end(), job.chunk.number), job.chunk.number);
  rows_in_chunk_.erase({job.table, job.chunk.number});
  if (--left_[job.table] == 0) entry.fact.state = TableState::catching_up;
  entry.dirty = true;
}

Status SnapshotCopy::finish() {
  std::vector<const TableTarget*> targets;
  for (const auto* entry : tables_) targets.push_back(&entry->route.target());
  MAIA_TRY(parts_.destination.begin());
  MAIA_TRY(parts_.destination.finish_snapshot(targets));
  return parts_.commit();
}

}  // namespace maia::engine
