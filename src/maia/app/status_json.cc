// SPDX-License-Identifier: Apache-2.0
#include "maia/app/status_json.h"

#include "maia/app/table_lag.h"
#include "maia/base/clock.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;

/// null where it is not known.
Node milliseconds(const std::optional<std::int64_t>& micros) {
  return micros ? Node{Node::Scalar{std::to_string(*micros / 1000)}, {}} : Node{};
}

Node table_node(const engine::TableStatus& table, const std::optional<std::int64_t>& lag) {
  return Object()
      .set("source", table.source)
      .set("target", table.target)
      .set("state", to_string(table.state))
      .set("reason", table.reason)
      .set("hint", table.hint)
      .set("since", table.left_at / 1'000'000)
      .set("held_after", table.held_after)
      .set("lag_ms", milliseconds(lag))
      .set("snapshot_rows", table.snapshot_rows)
      .set("snapshot_rows_estimate", table.snapshot_rows_estimate)
      .set("changes", table.changes)
      .set("schema_changes", table.schema_changes)
      .set("last_schema_change", table.last_schema_change)
      .set("dead_letters", table.dead_letters)
      .set("dead_letters_waiting", table.dead_letters_waiting)
      .set("skipped", table.skipped)
      .set("resync_inserted", table.resync_inserted)
      .set("resync_updated", table.resync_updated)
      .set("resync_removed", table.resync_removed)
      .node();
}

Node stage_node(const engine::StageStatus& stage) {
  return Object().set("held_bytes", stage.held_bytes).set("waited_ms", stage.waited_micros / 1000).node();
}

Node destination_node(const engine::DestinationStatus& destination) {
  Node::Sequence tables;
  const auto now = system_clock().wall();
  for (const auto& [id, table] : destination.tables)
    tables.push_back(table_node(table, lag_of(table, destination, now)));
  return Object()
      .set("name", destination.name)
      .set("state", destination.state)
      .set("sequence", destination.sequence)
      .set("position", destination.position)
      .set("lag_ms", destination.lag_micros / 1000)
      .set("commits", destination.commits)
      .set("retries", destination.retries)
      .set("attempts_left", destination.attempts_left)
      .set("copy", stage_node(destination.copy))
      .set("delivery", stage_node(destination.delivery))
      .set("last_error", destination.last_error)
      .set("hint", destination.hint)
      .set("tables", Node{std::move(tables), {}})
      .node();
}

}  // namespace

Node status_node(const engine::PipelineStatus& status) {
  Node::Sequence destinations;
  for (const auto& destination : status.destinations) destinations.push_back(destination_node(destination));
  Node::Sequence losses;
  for (const auto& [reason, count] : status.lost_history) {
    losses.push_back(Object().set("reason", reason).set("count", count).node());
  }
  return Object()
      .set("pipeline", status.name)
      .set("capture", status.capture)
      .set("capture_error", status.capture_error)
      .set("capture_hint", status.capture_hint)
      .set("lost_history", Node{std::move(losses), {}})
      .set("captured", status.captured)
      .set("captured_changes", status.captured_changes)
      .set("source_lag_bytes", status.source_lag_bytes.value_or(0))
      .set("source_retained_bytes", status.source_held_bytes.value_or(0))
      .set("confirms_journaled", status.confirms_journaled)
      .set("journal_bytes", status.journal_bytes)
      .set("journal_max_bytes", status.journal_max_bytes)
      .set("notice", status.notice)
      .set("reconnects", status.reconnects)
      .set("attempts_left", status.attempts_left)
      .set("capturing", stage_node(status.capturing))
      .set("destinations", Node{std::move(destinations), {}})
      .node();
}

}  // namespace maia::app
