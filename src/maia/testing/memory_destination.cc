// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/memory_destination.h"

#include <fmt/format.h>

namespace maia::testing {
namespace {

Error fenced() { return Error{Error::Code::fenced, Recovery::halt, "a newer run has the destination", ""}; }

Error wrong(std::string what) { return Error{Error::Code::internal, Recovery::halt, std::move(what), ""}; }

bool meets(std::int64_t id, const RowCondition& condition) {
  using Compare = RowCondition::Compare;
  for (const auto& each : condition.all) {
    const auto value = std::stoll(each.literals[0]);
    bool holds = false;
    switch (each.how) {
      case Compare::equal: holds = id == value; break;
      case Compare::less: holds = id < value; break;
      case Compare::at_most: holds = id <= value; break;
      case Compare::greater: holds = id > value; break;
      case Compare::at_least: holds = id >= value; break;
      case Compare::one_of:
        for (const auto& literal : each.literals) holds = holds || id == std::stoll(literal);
        break;
    }
    if (!holds) return false;
  }
  return true;
}

}  // namespace

std::vector<ColumnMapping> MemoryDestination::plan(const TableSchema& schema) const {
  std::vector<ColumnMapping> mappings;
  for (const auto& column : schema.columns) mappings.push_back({column.name, "memory", Fidelity::exact, ""});
  return mappings;
}

Result<Destination::Opened> MemoryDestination::open(std::string_view, Epoch held) {
  MAIA_TRY(faults_.at("open"));
  const std::lock_guard lock(store_.mutex_);
  if (held.value != 0 && held.value != store_.state_.epoch) return fenced();
  epoch_ = ++store_.state_.epoch;
  staged_.clear();
  return Opened{Epoch{epoch_}, store_.state_.checkpoint};
}

Status MemoryDestination::begin() {
  MAIA_TRY(faults_.at("begin"));
  const std::lock_guard lock(store_.mutex_);
  working_ = store_.state_;
  edits_seen_ = store_.edits_.size();
  return {};
}

Status MemoryDestination::prepare(const TableTarget& target) {
  MAIA_TRY(faults_.at("prepare"));
  working_.tables.try_emplace(to_string(target.name));
  return {};
}

Status MemoryDestination::alter(const TableTarget&, const TableTarget&, const SchemaChange&) {
  return wrong("a memory table has one shape");
}

Status MemoryDestination::truncate(std::span<const TableTarget* const> targets, const Truncate&) {
  for (const auto* target : targets) working_.tables[to_string(target->name)].clear();
  return {};
}

Status MemoryDestination::write_row(const Delivery& delivery, std::size_t row) {
  const auto& batch = *delivery.batch;
  auto& rows = working_.tables.at(to_string(delivery.target->name));
  const auto op = batch.op(row);
  const auto old_id = batch.old_key(0, row).fixed<std::int64_t>(row);
  const auto old = rows.find(old_id);
  if (op == Op::remove) {
    if (old == rows.end() && delivery.converging) return {};
    if (old == rows.end()) return wrong(fmt::format("remove of row {} that is not there", old_id));
    rows.erase(old);
    return {};
  }
  const auto id = batch.after(0).fixed<std::int64_t>(row);
  MAIA_TRY(faults_.at(fmt::format("row {} {}", to_string(delivery.target->name), id)));
  const bool creates = op == Op::insert || op == Op::read;
  if (!creates && old == rows.end() && delivery.converging) {
    if (batch.after(2).has_value(row)) {
      rows[id] = {std::string(batch.after(1).text(row)), std::string(batch.after(2).text(row))};
    }
    return {};
  }
  if (creates && old != rows.end() && !delivery.converging)
    return wrong(fmt::format("insert of row {} that is there", id));
  if (!creates && old == rows.end()) return wrong(fmt::format("update of row {} that is not there", old_id));
  std::string b = creates ? std::string() : old->second.second;
  if (batch.after(2).has_value(row)) b = batch.after(2).text(row);
  if (!creates) rows.erase(old);
  rows[id] = {std::string(batch.after(1).text(row)), b};
  return {};
}

Status MemoryDestination::write(std::span<const Delivery> deliveries) {
  MAIA_TRY(faults_.at("write"));
  for (const auto& delivery : deliveries) {
    for (std::size_t row = 0; row < delivery.batch->rows(); ++row) MAIA_TRY(write_row(delivery, row));
  }
  return {};
}

Status MemoryDestination::begin_staging(const TableTarget& target) {
  staged_[to_string(target.name)].clear();
  return faults_.at("stage");
}

Status MemoryDestination::stage(const TableTarget& target, const Batch& batch) {
  MAIA_TRY(faults_.at("stage"));
  auto& rows = staged_.at(to_string(target.name));
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const auto added = rows.try_emplace(batch.after(0).fixed<std::int64_t>(row), batch.after(1).text(row),
                                        batch.after(2).text(row));
    if (!added.second) return wrong("a row is staged twice");
  }
  return {};
}

Status MemoryDestination::finish_snapshot(std::span<const TableTarget* const> targets) {
  for (const auto* target : targets) working_.finished.insert(to_string(target->name));
  return {};
}

Result<Destination::Reconciled> MemoryDestination::reconcile(const TableTarget& target,
                                                             const Reconciliation& how) {
  MAIA_TRY(faults_.at("reconcile"));
  Reconciled done;
  auto& rows = working_.tables.at(to_string(target.name));
  const auto staged = std::exchange(staged_.at(to_string(target.name)), {});
  for (const auto& [id, row] : staged) {
    if (!meets(id, how.rows)) continue;
    const auto found = rows.find(id);
    if (found == rows.end()) {
      ++done.inserted;
    } else if (found->second != row) {
      ++done.updated;
    }
    rows[id] = row;
  }
  done.removed = how.keep_surplus ? 0 : std::erase_if(rows, [&](const auto& row) {
    return meets(row.first, how.rows) && !staged.contains(row.first);
  });
  return done;
}

Status MemoryDestination::commit(const CheckpointUpdate& update) {
  MAIA_TRY(faults_.at("commit"));
  {
    const std::lock_guard lock(store_.mutex_);
    if (store_.state_.epoch != epoch_) return fenced();
    for (; edits_seen_ < store_.edits_.size(); ++edits_seen_) store_.edits_[edits_seen_](working_);
    working_.epoch = epoch_;
    working_.checkpoint.sequence = update.sequence;
    working_.checkpoint.position = update.position;
    working_.checkpoint.seal = update.seal;
    for (const auto& [key, value] : update.facts) {
      if (value) {
        working_.checkpoint.facts[key] = *value;
      } else {
        working_.checkpoint.facts.erase(key);
      }
    }
    store_.state_ = std::move(working_);
    working_ = {};
    if (store_.on_commit) store_.on_commit(store_.state_);
  }
  return faults_.at("answer");
}

}  // namespace maia::testing
