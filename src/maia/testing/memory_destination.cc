// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/memory_destination.h"

#include <fmt/format.h>

namespace maia::testing {
namespace {

Error wrong(std::string what) { return Error{Error::Code::internal, Recovery::halt, std::move(what), ""}; }

}  // namespace

std::vector<ColumnMapping> MemoryDestination::plan(const TableSchema& schema) const {
  std::vector<ColumnMapping> mappings;
  for (const auto& column : schema.columns) mappings.push_back({column.name, "memory", Fidelity::exact, ""});
  return mappings;
}

Result<Destination::Opened> MemoryDestination::open(std::string_view) {
  MAIA_TRY(faults_.at("open"));
  const std::lock_guard lock(store_.mutex_);
  epoch_ = ++store_.state_.epoch;
  return Opened{Epoch{epoch_}, store_.state_.checkpoint};
}

Status MemoryDestination::begin() {
  MAIA_TRY(faults_.at("begin"));
  working_ = store_.read();
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
    if (old == rows.end()) return wrong(fmt::format("remove of row {} that is not there", old_id));
    rows.erase(old);
    return {};
  }
  const auto id = batch.after(0).fixed<std::int64_t>(row);
  const bool creates = op == Op::insert || op == Op::read;
  if (creates && old != rows.end()) return wrong(fmt::format("insert of row {} that is there", id));
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

Status MemoryDestination::commit(const CheckpointUpdate& update) {
  MAIA_TRY(faults_.at("commit"));
  {
    const std::lock_guard lock(store_.mutex_);
    if (store_.state_.epoch != epoch_) {
      return Error{Error::Code::fenced, Recovery::halt, "a newer run has the destination", ""};
    }
    working_.epoch = epoch_;
    working_.checkpoint.sequence = update.sequence;
    working_.checkpoint.position = update.position;
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
