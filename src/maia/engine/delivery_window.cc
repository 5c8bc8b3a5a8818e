// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that takes one window apart: rows to their routes, barriers in their place.
#include <fmt/format.h>

#include <algorithm>

#include "maia/engine/delivery.h"
#include "maia/engine/drift.h"
#include "maia/engine/rewrite.h"
#include "maia/engine/schema_diff.h"
#include "maia/engine/untold_values.h"

namespace maia::engine {
namespace {

Batch rows_between(const Batch& batch, std::uint64_t from, std::uint64_t until) {
  Batch kept(batch.schema());
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    if (batch.ordinal(row) >= from && batch.ordinal(row) < until) kept.push_row(batch, row);
  }
  return kept;
}

std::string in_words(const std::vector<ColumnChange>& changes) {
  std::string words;
  for (const auto& change : changes) {
    if (!words.empty()) words += ", ";
    switch (change.kind) {
      case ColumnChange::Kind::add: words += "added " + change.column; break;
      case ColumnChange::Kind::drop: words += "dropped " + change.column; break;
      case ColumnChange::Kind::rename:
        words += fmt::format("renamed {} to {}", change.old_name, change.column);
        break;
      case ColumnChange::Kind::retype: words += "changed the type of " + change.column; break;
      case ColumnChange::Kind::nullability:
        words += "changed whether " + change.column + " may be null";
        break;
      case ColumnChange::Kind::key: words += "changed the key"; break;
      case ColumnChange::Kind::default_value: words += "changed the default of " + change.column; break;
    }
  }
  return words;
}

/// The destination failed to do `change`. Notes the kinds in it that may be left out (try_evolve); the error
/// asks for another try if there were any.
Error without_what_may_stay(const SchemaChange& change, const DriftOptions& drift,
                            std::set<ColumnChange::Kind>& refused, Error error) {
  if (error.recovery != Recovery::halt) return error;
  std::set<ColumnChange::Kind> kinds;
  for (const auto& step : change.columns) kinds.insert(step.kind);
  if (change.before->name != change.after->name) kinds.insert(ColumnChange::Kind::rename);
  for (const auto kind : kinds) {
    if (drift.of(kind) == Drift::try_evolve && refused.insert(kind).second) error.recovery = Recovery::retry;
  }
  return error;
}

}  // namespace

std::uint64_t Delivery::first_news(const Window& window, const Position& position) const {
  if (window.transactions.empty()) return 0;
  const auto& first = window.transactions.front();
  if (parts_.source.compare(first.position, position) > 0) return 0;
  for (const auto& transaction : window.transactions) {
    if (!(parts_.source.compare(transaction.position, position) <= 0)) return transaction.first_ordinal;
  }
  return UINT64_MAX;
}

Status Delivery::take(const WindowRef& window, const Lane& lane) {
  pending_windows_.push_back(window);
  catching_up_in_hand_ = lane.catching_up;
  last_taken_ = window->sequence;
  if (!lane.catching_up) {
    news_ = passed_checkpoint_ ? 0 : first_news(*window, checkpoint_.position);
    passed_checkpoint_ = news_ == 0;
  }
  for (const auto& item : window->items) {
    if (const auto* batch = std::get_if<Batch>(&item)) {
      MAIA_TRY(take_batch(*window, *batch, lane));
    } else if (const auto* truncate = std::get_if<Truncate>(&item)) {
      MAIA_TRY(take_truncate(*window, *truncate, lane));
    } else if (const auto* change = std::get_if<SchemaChange>(&item)) {
      MAIA_TRY(take_change(*window, *change, lane));
    }
  }
  if (!lane.catching_up && !window->transactions.empty())
    newest_commit_ = window->transactions.back().committed_at;
  return {};
}

Status Delivery::take_batch(const Window& window, const Batch& batch, const Lane& lane) {
  if (batch.rows() == 0) return {};
  const auto& id = batch.schema()->id;
  auto found = tables_.find(id);
  auto share = found == tables_.end() ? Share{.from = lane.catching_up ? UINT64_MAX : news_}
                                      : share_of(found->second, window, lane);
  const auto first = batch.ordinal(0);
  const auto last = batch.ordinal(batch.rows() - 1);
  if (last < share.from || first >= share.until) return {};
  if (found == tables_.end() || !same_shape(*found->second.fact.source, *batch.schema())) {
    // The stream speaks of a shape that no change announced: the change fell into a time that we did not see.
    MAIA_TRY(take_change(window,
                         SchemaChange{.before = nullptr,
                                      .after = batch.schema(),
                                      .columns = {},
                                      .ordinal = std::max(share.from, first)},
                         lane));
    found = tables_.find(id);
    share = share_of(found->second, window, lane);
    if (last < share.from || first >= share.until) return {};
  }
  auto& entry = found->second;
  if (!entry.fact.made) {
    MAIA_TRY(flush());
    MAIA_TRY(blamed(id, make(entry)));
  }
  const Batch* rows = &batch;
  if (share.from > first || share.until <= last) {
    pending_batches_.push_back(std::make_unique<Batch>(rows_between(batch, share.from, share.until)));
    rows = pending_batches_.back().get();
    if (rows->rows() == 0) return {};
  }
  if (share.meets_newer && destination_->can_compare() && moves_untold_values(*rows)) {
    overtaken_ = id;
    return Error{Error::Code::data, Recovery::retry,
                 to_string(entry.fact.source->name) + ": rows are newer than the changes of their keys", ""};
  }
  auto routed = MAIA_TRY(blamed(id, route(*rows, entry, window.transactions)));
  if (!limit_) entry.changes += rows->rows();
  if (routed.batch->rows() == 0) return {};
  const bool appended_before = lane.catching_up && share.converging &&
                               options_.mode == TableTarget::Mode::append && options_.transactional;
  if (appended_before) MAIA_TRY(take_away(entry, *routed.batch, window.sequence.value));
  pending_.push_back(maia::Delivery{.target = &entry.route.target(),
                                    .batch = routed.batch,
                                    .fresh = false,
                                    .converging = share.converging,
                                    .transactions = window.transactions,
                                    .window = window.sequence.value});
  pending_tables_.push_back(id);
  if (routed.own) pending_batches_.push_back(std::move(routed.own));
  return {};
}

Result<RoutedBatch> Delivery::route(const Batch& batch, TableEntry& entry,
                                    std::span<const Transaction> transactions) {
  const Batch* rows = &batch;
  for (;;) {
    if (auto kept = MAIA_TRY(sift(*rows, entry, transactions))) {
      pending_batches_.push_back(std::make_unique<Batch>(std::move(*kept)));
      rows = pending_batches_.back().get();
    }
    std::vector<RowFailure> failures;
    auto routed =
        MAIA_TRY(in(to_string(entry.fact.source->name), entry.route.apply(*rows, transactions, failures)));
    if (failures.empty()) return routed;
    // What is said about a row names its transaction.
    if (ahead_) return taken_back();
    // Once more, because later rows of the batch may be changes of those that failed.
    MAIA_TRY(bury(*rows, entry, transactions, failures, Stage::transform));
  }
}

Status Delivery::take_away(const TableEntry& entry, const Batch& rows, std::uint64_t window) {
  // Another way to find rows of the same table, so it must not meet others in one write.
  MAIA_TRY(flush());
  auto by_id = entry.route.target();
  const auto id = rows.schema()->find(kIdColumn).value();
  by_id.mode = TableTarget::Mode::upsert;
  by_id.key = {id};
  Batch removes(rows.schema());
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    removes.begin_row(Op::remove, rows.ordinal(row));
    removes.mutable_before(id).push_from(rows.after(id), row);
    removes.finish_row();
  }
  const maia::Delivery delivery{.target = &by_id,
                                .batch = &removes,
                                .fresh = false,
                                .converging = true,
                                .transactions = {},
                                .window = window};
  return blamed(entry.fact.source->id, destination_->write({&delivery, 1}));
}

Status Delivery::take_truncate(const Window& window, const Truncate& truncate, const Lane& lane) {
  std::vector<const TableTarget*> targets;
  std::string id;
  for (const auto& table : truncate.tables) {
    const auto found = tables_.find(table->id);
    if (found == tables_.end() || !found->second.fact.made) continue;
    if (!share_of(found->second, window, lane).has(truncate.ordinal)) continue;
    if (options_.mode == TableTarget::Mode::upsert && options_.deletes == Deletes::apply) {
      targets.push_back(&found->second.route.target());
      id = table->id;
    }
  }
  if (targets.empty()) return {};
  MAIA_TRY(flush());
  auto truncated = destination_->truncate(targets, truncate);
  return targets.size() == 1 ? blamed(id, std::move(truncated)) : std::move(truncated);
}

Status Delivery::take_change(const Window& window, const SchemaChange& change, const Lane& lane) {
  const auto& id = (change.after ? change.after : change.before)->id;
  const auto found = tables_.find(id);
  if (found == tables_.end()) {
    if (change.after == nullptr || lane.catching_up || change.ordinal < news_) return {};
    MAIA_TRY(flush());
    return blamed(id, add_table(change.after, change.before != nullptr));
  }
  auto& entry = found->second;
  if (!share_of(entry, window, lane).has(change.ordinal)) return {};
  if (change.after == nullptr) {
    entry.fact.last_schema_change = "dropped at the source; the destination keeps its rows";
    ++entry.fact.schema_changes;
    entry.dirty = true;
    return {};
  }
  if (same_shape(*entry.fact.source, *change.after)) return {};
  // What the source offered at the start may be newer than what the stream has come to.
  if (!entry.fact.made) return blamed(id, adopt_shape(entry, change.after));
  MAIA_TRY(flush());
  return blamed(id, in(to_string(change.after->name), reshape(entry, change, options_.drift)));
}

Status Delivery::reshape(TableEntry& entry, const SchemaChange& change, const DriftOptions& drift) {
  auto route = MAIA_TRY(TableRoute::bind(change.after, transforms_, options_));
  auto& refused = refused_[change.after->id];
  auto plan = MAIA_TRY(plan_drift(*entry.fact.target, *route.wanted(), drift, refused));
  for (auto& step : plan.changes) {
    if (step.kind != ColumnChange::Kind::add) continue;
    const auto at_source = change.after->find(step.column);
    const auto at_target = plan.target.find(step.column);
    for (const auto& announced : change.columns) {
      const bool same = announced.kind == step.kind && announced.column == step.column && at_source &&
                        at_target &&
                        change.after->columns[*at_source].type == plan.target.columns[*at_target].type;
      if (same) step.existing_rows = announced.existing_rows;
    }
  }
  auto shape = std::make_shared<const TableSchema>(std::move(plan.target));
  const TableTarget before = entry.route.target();
  route.set_target(shape);
  if (!plan.changes.empty() || before.name != shape->name) {
    const SchemaChange at_destination{
        .before = before.schema, .after = shape, .columns = plan.changes, .ordinal = change.ordinal};
    auto altered = destination_->alter(before, route.target(), at_destination);
    if (!altered.ok()) {
      return without_what_may_stay(at_destination, drift, refused, std::move(altered).error());
    }
  }
  entry.fact.source = change.after;
  entry.fact.target = shape;
  entry.route = std::move(route);
  entry.dirty = true;
  ++entry.fact.schema_changes;
  entry.fact.last_schema_change = in_words(plan.changes);
  parts_.observer.event(Observer::Level::info, "schema change",
                        {{"destination", options_.name},
                         {"table", to_string(change.after->name)},
                         {"did", entry.fact.last_schema_change},
                         {"kept_back", fmt::format("{}", fmt::join(plan.kept_back, ", "))}});
  return {};
}

Status Delivery::flush() {
  const StageLoad::Wait wait(delivery_load_, parts_.clock);
  if (isolating_) {
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      auto written = destination_->write({&pending_[i], 1});
      write_refused_ = !written.ok() && written.error().code == Error::Code::data;
      MAIA_TRY(blamed(pending_tables_[i], std::move(written)));
    }
  } else if (!pending_.empty()) {
    auto written = destination_->write(pending_);
    if (!written.ok()) {
      write_refused_ = written.error().code == Error::Code::data;
      const bool one = std::all_of(pending_tables_.begin(), pending_tables_.end(),
                                   [&](const auto& id) { return id == pending_tables_.front(); });
      if (one) return blamed(pending_tables_.front(), std::move(written));
      suspects_ = true;
      return written;
    }
  }
  pending_.clear();
  pending_tables_.clear();
  pending_batches_.clear();
  // The window in hand is still being read.
  if (pending_windows_.size() > 1)
    pending_windows_.erase(pending_windows_.begin(), pending_windows_.end() - 1);
  return {};
}

void Delivery::settle(TableEntry& entry, const Position& reached) {
  auto& fact = entry.fact;
  if (fact.state != TableState::catching_up || fact.held) return;
  const auto& until = fact.converge_until ? fact.converge_until : fact.skip_until;
  if (until && !(parts_.source.compare(reached, *until) >= 0)) return;
  if (!happen(fact, TableEvent::met).ok()) return;
  // What is appended must not get changes from before its snapshot when they are sent again.
  if (options_.mode != TableTarget::Mode::append) fact.skip_until.reset();
  fact.converge_until.reset();
  fact.snapshot = {};
  entry.dirty = true;
}

}  // namespace maia::engine
