// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that copies the tables that lack rows, one round a step, while the others stream.
#include <algorithm>

#include "maia/engine/delivery.h"
#include "maia/engine/schema_diff.h"

namespace maia::engine {
namespace {

bool retyped(const TableSchema& before, const TableSchema& after) {
  const auto changes = diff_columns(before, after);
  return std::any_of(changes.begin(), changes.end(),
                     [](const auto& change) { return change.kind == ColumnChange::Kind::retype; });
}

}  // namespace

Result<bool> Delivery::copy(std::stop_token stop) {
  if (copy_) {
    const bool complete = MAIA_TRY(copy_->step(stop));
    publish("snapshot");
    if (complete) {
      copy_.reset();
      snapshot_.reset();
      skipped_copied_.clear();
      parts_.observer.event(Observer::Level::info, Observer::kCopied, {{"destination", options_.name}});
    }
    return true;
  }
  std::vector<TableEntry*> tables;
  for (auto& [id, entry] : tables_) {
    if (entry.lacks_rows()) tables.push_back(&entry);
  }
  if (tables.empty()) {
    snapshot_.reset();
    return false;
  }
  MAIA_TRY(begin_copy(std::move(tables)));
  return true;
}

Status Delivery::begin_copy(std::vector<TableEntry*> tables) {
  MAIA_TRY(take_snapshot(tables));
  std::erase_if(tables, [](const TableEntry* entry) { return !entry->lacks_rows(); });
  std::sort(tables.begin(), tables.end(), [](const TableEntry* a, const TableEntry* b) {
    return a->fact.source->name < b->fact.source->name;
  });
  SnapshotCopy::Parts parts{
      .destination = *destination_,
      .commit = [this] { return commit(checkpoint_.sequence, checkpoint_.position); },
      .sift = [this](const auto& batch, auto& entry,
                     auto transactions) { return sift(batch, entry, transactions); },
      .bury =
          [this](const auto& batch, auto& entry, auto transactions, const auto& failures) {
            return bury(batch, entry, transactions, failures, Stage::transform);
          },
      .blame = [this](const TableEntry& entry) { culprit_ = entry.fact.source->id; },
      .load = &copy_load_,
      .started_at = parts_.clock.wall(),
      .keep_surplus = options_.deletes != Deletes::apply,
      .keys_hold = options_.key.empty() && options_.key_by_table.empty() && !options_.allow_merge &&
                   transforms_.empty(),
      .transactional = options_.transactional};
  copy_ = MAIA_TRY(SnapshotCopy::start(std::move(parts), snapshot_, std::move(tables), pipeline_));
  return {};
}

Status Delivery::take_snapshot(const std::vector<TableEntry*>& tables) {
  // The view must contain everything that the tables are said to have.
  const auto too_old = [&](const TableEntry* entry) {
    return !(parts_.source.compare(snapshot_->position(), entry->fact.held->position) >= 0);
  };
  if (snapshot_ && std::none_of(tables.begin(), tables.end(), too_old)) return {};
  std::vector<SourceTable> offered;
  {
    const std::lock_guard lock(parts_.source_mutex);
    snapshot_ = MAIA_TRY(parts_.source.snapshot());
    // After it, so that no change of shape is missed: one that comes twice changes nothing.
    offered = MAIA_TRY(parts_.source.tables());
  }
  if (std::any_of(tables.begin(), tables.end(), too_old)) {
    snapshot_.reset();
    return Error{Error::Code::internal, Recovery::retry, "the source gave a view of its past", ""};
  }
  return adopt_shapes(tables, offered);
}

/// A copy that has begun can go on in the shape that it began with: changes meet its rows, and that of the
/// shape as well. It cannot where a column has another type meanwhile, or where it is read from its beginning
/// all the same, also because nothing of it had been read: then what the view has is passed over.
Result<bool> Delivery::can_copy_on(const TableEntry& entry, const TableSchema& now) {
  const auto& fact = entry.fact;
  if (retyped(*fact.source, now)) return false;
  if (options_.mode == TableTarget::Mode::append) return false;
  return MAIA_TRY(snapshot_->plan(fact.source, fact.snapshot)).converging;
}

/// A table that is read from its beginning is read in the shape that it has now; the changes of shape in
/// between are in its rows, like all its changes up to the snapshot.
Status Delivery::adopt_shapes(const std::vector<TableEntry*>& tables,
                              const std::vector<SourceTable>& offered) {
  bool changed = false;
  const auto begin_once = [&]() -> Status {
    if (!std::exchange(changed, true)) MAIA_TRY(destination_->begin());
    return {};
  };
  for (auto* entry : tables) {
    auto& fact = entry->fact;
    const bool begun = !fact.resync && !fact.snapshot.token.empty();
    const auto now = std::find_if(offered.begin(), offered.end(), [&](const SourceTable& each) {
      return each.schema->id == fact.source->id && each.problem.empty();
    });
    if (now == offered.end()) {
      if (begun) continue;
      MAIA_TRY(begin_once());
      MAIA_TRY(happen(fact, TableEvent::remove));
      fact.held.reset();
      entry->dirty = true;
      continue;
    }
    entry->rows_estimate = now->rows_estimate;
    if (same_shape(*fact.source, *now->schema)) continue;
    if (begun && MAIA_TRY(blamed(fact.source->id, can_copy_on(*entry, *now->schema)))) continue;
    MAIA_TRY(begin_once());
    if (fact.resync && !fact.resync->empty()) {
      // The change of shape may have given all rows a new value, and it will be passed over.
      parts_.observer.event(Observer::Level::info, "the table has another shape by now",
                            {{"destination", options_.name},
                             {"table", to_string(fact.source->name)},
                             {"then", "all its rows are compared"}});
      fact.resync = "";
    }
    if (!fact.resync && (begun || fact.rows > 0)) {
      // First, so that no row has to be turned into the new type.
      const TableTarget* target = &entry->route.target();
      MAIA_TRY(blamed(fact.source->id, destination_->truncate({&target, 1}, Truncate{})));
      fact.snapshot = {};
      fact.rows = 0;
    }
    if (fact.made) {
      MAIA_TRY(blamed(
          fact.source->id,
          reshape(*entry,
                  SchemaChange{.before = fact.source, .after = now->schema, .columns = {}, .ordinal = 0},
                  options_.drift)));
      continue;
    }
    MAIA_TRY(blamed(fact.source->id, adopt_shape(*entry, now->schema)));
  }
  return changed ? commit(checkpoint_.sequence, checkpoint_.position) : Status();
}

}  // namespace maia::engine
