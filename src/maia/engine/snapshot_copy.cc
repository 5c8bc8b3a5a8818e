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
      queue_(budget, parts_.load) {}

SnapshotCopy::~SnapshotCopy() {
  if (parts_.load) parts_.load->hold(0);
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
  for (std::size_t i = 0; i < copy->tables_.size(); ++i) MAIA_TRY(copy->blamed(i, copy->plan(i, jobs)));
  MAIA_TRY(copy->parts_.commit());
  if (options.snapshot_readers == 0) {
    copy->inline_reader_ = MAIA_TRY(copy->snapshot_->open_reader());
  }
  copy->schedule(std::move(jobs));
  for (std::uint32_t i = 0; i < options.snapshot_readers; ++i) {
    copy->readers_.emplace_back([raw = copy.get()](std::stop_token stop) { raw->read_all(stop); });
  }
  return copy;
}

Status SnapshotCopy::blamed(std::size_t table, Status done) {
  if (done.ok()) return done;
  parts_.blame(*tables_[table]);
  return std::move(done).error().in(to_string(schemas_.at(table)->name));
}

Status SnapshotCopy::plan(std::size_t index, std::vector<CopyJob>& jobs) {
  auto& entry = *tables_[index];
  auto& fact = entry.fact;
  schemas_.push_back(fact.source);
  if (fact.resync) fact.snapshot = {};
  const bool begun = !fact.snapshot.token.empty();
  auto plan = MAIA_TRY(snapshot_->plan(
      fact.source, begun ? std::optional(fact.snapshot) : std::optional<TablePlanProgress>()));
  const bool loads = parts_.keys_hold && !begun && !fact.resync && !fact.made;
  MAIA_TRY(loads ? parts_.destination.prepare_load(entry.route.target())
                 : parts_.destination.prepare(entry.route.target()));
  fact.made = true;
  MAIA_TRY(begin_rows(entry, plan));
  MAIA_TRY(happen(fact, TableEvent::read));
  fact.snapshot.token = plan.token;
  fact.chunks = static_cast<std::uint32_t>(fact.snapshot.done.size() + plan.chunks.size());
  if (plan.converging) {
    fact.converge_until = snapshot_->position();
  } else if (!fact.resync) {
    fact.skip_until = snapshot_->position();
    fact.converge_until.reset();
  }
  entry.dirty = true;
  converging_[index] = plan.converging;
  left_[index] = plan.chunks.size();
  for (auto& chunk : plan.chunks) jobs.push_back(CopyJob{index, std::move(chunk), 0});
  if (left_[index] == 0) MAIA_TRY(finish_table(index));
  return {};
}

Status SnapshotCopy::begin_rows(TableEntry& entry, TablePlan& plan) {
  auto& fact = entry.fact;
  const auto& target = entry.route.target();
  if (fact.resync) {
    MAIA_TRY(parts_.destination.begin_staging(target));
  } else {
    const bool begun = !fact.snapshot.token.empty();
    const bool from_start = plan.restarted || (!plan.converging && !parts_.transactional);
    const bool whole_again = begun ? from_start || target.mode == TableTarget::Mode::append : fact.rows > 0;
    if (begun && !whole_again) return {};
    if (begun && !plan.restarted) plan = MAIA_TRY(snapshot_->plan(fact.source, std::nullopt));
    const TableTarget* truncated = &target;
    if (whole_again) MAIA_TRY(parts_.destination.truncate({&truncated, 1}, Truncate{}));
  }
  plan.converging = false;
  fact.snapshot.done.clear();
  fact.rows = 0;
  return {};
}

void SnapshotCopy::schedule(std::vector<CopyJob> jobs) {
  const std::size_t readers = 2;
  std::size_t in_round = 0;
  for (auto& job : jobs) {
    if (in_round == (inline_reader_ ? 1 : round_size(rounds_, readers))) {
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
  if (!reader.ok()) return queue_.fail(std::nullopt, std::move(reader).error());
  while (const auto job = queue_.take()) {
    const auto sink = [&](Batch batch) { return queue_.push(*job, std::move(batch), stop); };
    if (auto read = (*reader)->read(schemas_[job->table], job->chunk, sink, stop); !read.ok()) {
      return queue_.fail(job->table, std::move(read).error().in(to_string(schemas_[job->table]->name)));
    }
    queue_.finish(*job);
  }
}

Result<bool> SnapshotCopy::step(std::stop_token stop) {
  if (round_ >= rounds_) return true;
  MAIA_TRY(parts_.destination.begin());
  MAIA_TRY(inline_reader_ ? read_inline(stop) : take_round(stop));
  MAIA_TRY(parts_.commit());
  return ++round_ >= rounds_;
}

Status SnapshotCopy::take_round(std::stop_token stop) {
  for (;;) {
    auto item = queue_.next(round_, stop);
    if (!item.ok()) {
      if (const auto table = queue_.failed_table()) parts_.blame(*tables_[*table]);
      return std::move(item).error();
    }
    if (!item->has_value()) return {};
    const auto& job = (*item)->job;
    auto& batch = (*item)->batch;
    MAIA_TRY(blamed(job.table, batch ? write(job, std::move(*batch)) : complete(job)));
  }
}

Status SnapshotCopy::read_inline(std::stop_token stop) {
  const auto job = queue_.take();
  const auto sink = [&](Batch batch) { return write(*job, std::move(batch)); };
  MAIA_TRY(blamed(job->table, inline_reader_->read(schemas_[job->table], job->chunk, sink, stop)));
  return blamed(job->table, complete(*job));
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
  // Rows that are compared are newer than what waits.
  if (!entry.fact.resync) {
    if (auto kept = MAIA_TRY(parts_.sift(batch, entry, {&snapshot, 1}))) batch = std::move(*kept);
  }
  std::vector<RowFailure> failures;
  const auto routed = MAIA_TRY(entry.route.apply(batch, {&snapshot, 1}, failures));
  if (!failures.empty()) MAIA_TRY(parts_.bury(batch, entry, {&snapshot, 1}, failures));
  if (routed.batch->rows() == 0) return {};
  entry.fact.rows += routed.batch->rows();
  if (entry.fact.resync) return parts_.destination.stage(entry.route.target(), *routed.batch);
  const maia::Delivery delivery{.target = &entry.route.target(),
                                .batch = routed.batch,
                                .fresh = !converging_[job.table],
                                .converging = converging_[job.table],
                                .transactions = {&snapshot, 1}};
  auto written = parts_.destination.write({&delivery, 1});
  if (!written.ok() && written.error().code == Error::Code::data)
    refused_.emplace(Refused{entry.fact.source->id, std::move(batch), snapshot, delivery.fresh});
  return written;
}

Status SnapshotCopy::complete(const CopyJob& job) {
  auto& entry = *tables_[job.table];
  auto& done = entry.fact.snapshot.done;
  done.insert(std::upper_bound(done.begin(), done.end(), job.chunk.number), job.chunk.number);
  rows_in_chunk_.erase({job.table, job.chunk.number});
  entry.dirty = true;
  return --left_[job.table] == 0 ? finish_table(job.table) : Status();
}

Status SnapshotCopy::finish_table(std::size_t table) {
  auto& entry = *tables_[table];
  auto& fact = entry.fact;
  if (fact.resync && !fact.resync->empty()) {
    entry.staged_at = snapshot_->position();
    return {};
  }
  if (fact.resync) {
    entry.reconciled = MAIA_TRY(parts_.destination.reconcile(
        entry.route.target(), {.rows = {}, .keep_surplus = parts_.keep_surplus}));
    fact.resync.reset();
    fact.skip_until = snapshot_->position();
    fact.converge_until.reset();
  }
  fact.copied = true;
  const auto* target = &entry.route.target();
  MAIA_TRY(parts_.destination.finish_snapshot({&target, 1}));
  return happen(fact, TableEvent::copied);
}

}  // namespace maia::engine
