// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that takes one window apart: rows to their routes, barriers in their place.
#include <fmt/format.h>

#include <algorithm>

#include "maia/engine/delivery.h"
#include "maia/engine/drift.h"
#include "maia/engine/rewrite.h"
#include "maia/engine/schema_diff.h"

namespace maia::engine {
namespace {

bool same_shape(const TableSchema& a, const TableSchema& b) {
  return a.name == b.name && a.identity == b.identity && a.columns == b.columns;
}

Batch rows_from(const Batch& batch, std::uint64_t ordinal) {
  Batch kept(batch.schema());
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    if (batch.ordinal(row) >= ordinal) kept.push_row(batch, row);
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

Status Delivery::take(const WindowRef& window) {
  pending_windows_.push_back(window);
  std::uint64_t news = 0;
  if (!passed_checkpoint_) {
    news = first_news(*window, checkpoint_.position);
    passed_checkpoint_ = news == 0;
  }
  if (news != UINT64_MAX) {
    for (const auto& item : window->items) {
      if (const auto* batch = std::get_if<Batch>(&item)) {
        MAIA_TRY(take_batch(*window, *batch, news));
      } else if (const auto* truncate = std::get_if<Truncate>(&item)) {
        if (truncate->ordinal >= news) MAIA_TRY(take_truncate(*window, *truncate));
      } else if (const auto* change = std::get_if<SchemaChange>(&item)) {
        if (change->ordinal >= news) MAIA_TRY(follow(*window, *change));
      }
    }
  }
  if (!window->transactions.empty()) newest_commit_ = window->transactions.back().committed_at;
  if (!window->continues) settle(*window);
  return {};
}

Status Delivery::take_batch(const Window& window, const Batch& batch, std::uint64_t news) {
  if (batch.rows() == 0) return {};
  auto found = tables_.find(batch.schema()->id);
  if (found == tables_.end() || !same_shape(*found->second.fact.source, *batch.schema())) {
    // The stream speaks of a shape that no change announced: the change fell into a time that we did not see.
    MAIA_TRY(follow(window,
                    SchemaChange{.before = nullptr, .after = batch.schema(), .columns = {}, .ordinal = 0}));
    found = tables_.find(batch.schema()->id);
  }
  auto& entry = found->second;
  if (entry.fact.skip_until) news = std::max(news, first_news(window, *entry.fact.skip_until));
  const Batch* rows = &batch;
  if (news > batch.ordinal(0)) {
    pending_batches_.push_back(std::make_unique<Batch>(rows_from(batch, news)));
    rows = pending_batches_.back().get();
    if (rows->rows() == 0) return {};
  }
  auto routed = MAIA_TRY(route(*rows, entry, window.transactions));
  entry.changes += rows->rows();
  if (routed.batch->rows() == 0) return {};
  const bool converging =
      entry.fact.converge_until && !window.transactions.empty() &&
      parts_.source.compare(window.transactions.front().position, *entry.fact.converge_until) <= 0;
  pending_.push_back(maia::Delivery{.target = &entry.route.target(),
                                    .batch = routed.batch,
                                    .fresh = false,
                                    .converging = converging,
                                    .transactions = window.transactions,
                                    .window = window.sequence.value});
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
    // Once more, because later rows of the batch may be changes of those that failed.
    MAIA_TRY(bury(*rows, entry, transactions, failures, Stage::transform));
  }
}

Status Delivery::take_truncate(const Window& window, const Truncate& truncate) {
  MAIA_TRY(flush());
  std::vector<const TableTarget*> targets;
  for (const auto& table : truncate.tables) {
    const auto found = tables_.find(table->id);
    if (found == tables_.end()) continue;
    const auto& skip = found->second.fact.skip_until;
    if (skip && first_news(window, *skip) > truncate.ordinal) continue;
    if (options_.mode == TableTarget::Mode::upsert && options_.deletes == Deletes::apply) {
      targets.push_back(&found->second.route.target());
    }
  }
  if (targets.empty()) return {};
  return destination_->truncate(targets, truncate);
}

Status Delivery::follow(const Window& window, const SchemaChange& change) {
  MAIA_TRY(flush());
  if (change.after == nullptr) {
    const auto found = tables_.find(change.before->id);
    if (found == tables_.end()) return {};
    found->second.last_schema_change = "dropped at the source; the destination keeps its rows";
    ++found->second.schema_changes;
    return {};
  }
  const auto found = tables_.find(change.after->id);
  if (found == tables_.end()) return add_table(change.after);
  auto& entry = found->second;
  if (entry.fact.skip_until && first_news(window, *entry.fact.skip_until) > change.ordinal) return {};
  if (same_shape(*entry.fact.source, *change.after)) return {};
  return in(to_string(change.after->name), reshape(entry, change));
}

Status Delivery::add_table(const SchemaRef& schema) {
  auto route = MAIA_TRY(TableRoute::bind(schema, transforms_, options_));
  MAIA_TRY(destination_->prepare(route.target()));
  TableFact fact;
  fact.state = TableState::streaming;
  fact.source = schema;
  fact.target = route.wanted();
  tables_.emplace(schema->id, TableEntry{.fact = std::move(fact),
                                         .route = std::move(route),
                                         .dirty = true,
                                         .schema_changes = 1,
                                         .last_schema_change = "created"});
  parts_.observer.event(Observer::Level::info, "new table",
                        {{"destination", options_.name}, {"table", to_string(schema->name)}});
  return refuse_meeting_tables();
}

Status Delivery::reshape(TableEntry& entry, const SchemaChange& change) {
  auto route = MAIA_TRY(TableRoute::bind(change.after, transforms_, options_));
  auto& refused = refused_[change.after->id];
  auto plan = MAIA_TRY(plan_drift(*entry.fact.target, *route.wanted(), options_.drift, refused));
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
    if (!altered.ok() && altered.error().recovery == Recovery::halt &&
        options_.drift.on_drift == Drift::try_evolve) {
      for (const auto& step : plan.changes) refused.insert(step.kind);
      auto error = std::move(altered).error();
      error.recovery = Recovery::retry;
      return error;
    }
    MAIA_TRY(std::move(altered));
  }
  entry.fact.source = change.after;
  entry.fact.target = shape;
  entry.route = std::move(route);
  entry.dirty = true;
  ++entry.schema_changes;
  entry.last_schema_change = in_words(plan.changes);
  parts_.observer.event(Observer::Level::info, "schema change",
                        {{"destination", options_.name},
                         {"table", to_string(change.after->name)},
                         {"did", entry.last_schema_change},
                         {"kept_back", fmt::format("{}", fmt::join(plan.kept_back, ", "))}});
  return {};
}

Status Delivery::flush() {
  if (!pending_.empty()) MAIA_TRY(destination_->write(pending_));
  pending_.clear();
  pending_batches_.clear();
  // The window in hand is still being read.
  if (pending_windows_.size() > 1)
    pending_windows_.erase(pending_windows_.begin(), pending_windows_.end() - 1);
  return {};
}

void Delivery::settle(const Window& window) {
  for (auto& [id, entry] : tables_) {
    auto& fact = entry.fact;
    if (fact.state != TableState::catching_up) continue;
    const auto& until = fact.converge_until ? fact.converge_until : fact.skip_until;
    if (until && !(parts_.source.compare(window.end, *until) >= 0)) continue;
    fact.state = TableState::streaming;
    fact.skip_until.reset();
    fact.converge_until.reset();
    fact.snapshot = {};
    entry.dirty = true;
  }
}

}  // namespace maia::engine
