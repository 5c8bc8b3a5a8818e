// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that tells people what it does.
#include <algorithm>

#include "maia/engine/delivery.h"

namespace maia::engine {

void Delivery::add_load(PipelineStatus& status) const {
  for (auto& each : status.destinations) {
    if (each.name != options_.name) continue;
    each.copy = {copy_load_.held_bytes(), copy_load_.waited(parts_.clock).count()};
    each.delivery = {delivery_load_.held_bytes(), delivery_load_.waited(parts_.clock).count()};
  }
}

std::string_view Delivery::state_if_well() const {
  if (paused_) return "paused";
  const bool copies = std::any_of(tables_.begin(), tables_.end(),
                                  [](const auto& table) { return table.second.lacks_rows(); });
  return copies ? "snapshot" : "streaming";
}

void Delivery::publish(std::string_view state, const Error* error) {
  last_publish_ = parts_.clock.steady();
  parts_.board.change([&](PipelineStatus& status) {
    const auto found =
        std::find_if(status.destinations.begin(), status.destinations.end(),
                     [&](const DestinationStatus& each) { return each.name == options_.name; });
    auto& mine = found == status.destinations.end() ? status.destinations.emplace_back() : *found;
    mine.name = options_.name;
    mine.state = state;
    mine.sequence = checkpoint_.sequence.value;
    mine.position = checkpoint_.position.empty() ? "" : parts_.source.describe(checkpoint_.position);
    mine.lag_micros = lag_micros_;
    mine.commits = commits_;
    mine.retries = retries_;
    mine.attempts_left = static_cast<std::uint64_t>(backoff_.left(parts_.clock.steady()));
    mine.last_error = error ? error->message : "";
    mine.hint = error ? error->hint : "";
    for (const auto& [id, entry] : tables_) {
      auto& table = mine.tables[id];
      table.id = id;
      publish_table(table, entry);
    }
  });
}

void Delivery::publish_table(TableStatus& table, const TableEntry& entry) const {
  const auto& fact = entry.fact;
  if (fact.state == TableState::snapshot && table.state != TableState::snapshot) {
    table.snapshot_started = parts_.clock.wall();
    table.snapshot_finished = 0;
    table.snapshot_rows_at_start = fact.rows;
  }
  if (fact.copied && table.snapshot_finished == 0) table.snapshot_finished = parts_.clock.wall();
  table.source = to_string(fact.source->name);
  table.target = to_string(fact.target->name);
  table.state = fact.state == TableState::streaming && !fact.made ? TableState::waiting : fact.state;
  table.copied = fact.copied;
  table.reason = fact.reason;
  table.hint = fact.hint;
  table.left_at = fact.left_at;
  table.held_after = fact.held ? parts_.source.describe(fact.held->position) : "";
  table.snapshot_rows = fact.rows;
  table.snapshot_rows_estimate = entry.rows_estimate;
  table.changes = entry.changes;
  table.schema_changes = fact.schema_changes;
  table.last_schema_change = fact.last_schema_change;
  table.dead_letters = entry.dead_letters;
  table.dead_letters_waiting = waiting_.count(table.id);
  table.skipped = entry.skipped;
  if (entry.reconciled) {
    table.resync_inserted = entry.reconciled->inserted;
    table.resync_updated = entry.reconciled->updated;
    table.resync_removed = entry.reconciled->removed;
  }
}

}  // namespace maia::engine
