// SPDX-License-Identifier: Apache-2.0
#include "maia/app/pipeline_metrics.h"

#include "maia/observe/families.h"

namespace maia::app {
namespace {

constexpr const char* kCaptureStates[] = {
    "opening", "streaming",   "waiting to retry", "waiting for the disk", "waiting for room in the journal",
    "failed",  "lost history"};

void publish_stage(observe::Registry& registry, observe::Labels labels, const char* name,
                   const engine::StageStatus& stage) {
  labels.emplace_back("stage", name);
  registry.gauge(observe::kBackpressure, labels).set(static_cast<double>(stage.waited_micros) / 1e6);
  registry.gauge(observe::kMemory, labels).set(static_cast<double>(stage.held_bytes));
}

void publish_table(observe::Registry& registry, observe::Labels labels, const engine::TableStatus& table) {
  labels.emplace_back("table", table.source);
  for (const auto state : engine::kTableStates) {
    auto with_state = labels;
    with_state.emplace_back("state", to_string(state));
    registry.gauge(observe::kTableState, with_state).set(table.state == state ? 1 : 0);
  }
  registry.counter(observe::kRecordsWritten, labels)
      .advance_to(table.changes + table.snapshot_rows - table.snapshot_rows_at_start);
  registry.counter(observe::kRecordsFailed, labels).advance_to(table.dead_letters);
  registry.gauge(observe::kDeadLettersWaiting, labels).set(static_cast<double>(table.dead_letters_waiting));
  registry.counter(observe::kRecordsSkipped, labels).advance_to(table.skipped);
  registry.counter(observe::kSchemaChanges, labels).advance_to(table.schema_changes);
  registry.gauge(observe::kSnapshotRowsDone, labels).set(static_cast<double>(table.snapshot_rows));
  registry.gauge(observe::kSnapshotRows, labels).set(static_cast<double>(table.snapshot_rows_estimate));
  registry.gauge(observe::kSnapshotRunning, labels).set(table.state == engine::TableState::snapshot ? 1 : 0);
}

}  // namespace

void publish(observe::Registry& registry, const engine::PipelineStatus& status) {
  const observe::Labels pipeline{{"pipeline", status.name}};
  for (const char* state : kCaptureStates) {
    auto labels = pipeline;
    labels.emplace_back("state", state);
    registry.gauge(observe::kPipelineState, labels).set(status.capture == state ? 1 : 0);
  }
  if (status.source_lag_bytes) {
    registry.gauge(observe::kSourceLagBytes, pipeline).set(static_cast<double>(*status.source_lag_bytes));
  }
  if (status.source_held_bytes) {
    registry.gauge(observe::kSourceHeldBytes, pipeline).set(static_cast<double>(*status.source_held_bytes));
  }
  registry.gauge(observe::kConfirmsJournaled, pipeline).set(status.confirms_journaled ? 1 : 0);
  registry.gauge(observe::kJournalMaxBytes, pipeline).set(static_cast<double>(status.journal_max_bytes));
  registry.gauge(observe::kJournalBytes, pipeline).set(static_cast<double>(status.journal_bytes));
  registry.counter(observe::kRecordsRead, pipeline).advance_to(status.captured_changes);
  registry.counter(observe::kReconnects, pipeline).advance_to(status.reconnects);
  publish_stage(registry, pipeline, "capture", status.capturing);
  for (const auto& [reason, count] : status.lost_history) {
    auto labels = pipeline;
    labels.emplace_back("reason", reason);
    registry.counter(observe::kLostHistory, labels).advance_to(count);
  }
  for (const auto& destination : status.destinations) {
    auto labels = pipeline;
    labels.emplace_back("destination", destination.name);
    registry.gauge(observe::kLag, labels).set(static_cast<double>(destination.lag_micros) / 1e6);
    const bool in_use = destination.state == "streaming" || destination.state == "snapshot";
    registry.gauge(observe::kConnected, labels).set(in_use ? 1 : 0);
    publish_stage(registry, labels, "copy", destination.copy);
    publish_stage(registry, labels, "delivery", destination.delivery);
    registry.counter(observe::kCommits, labels).advance_to(destination.commits);
    registry.gauge(observe::kAttemptsLeft, labels).set(static_cast<double>(destination.attempts_left));
    registry.counter(observe::kRetries, labels).advance_to(destination.retries);
    int quarantined = 0;
    for (const auto& [id, table] : destination.tables) {
      publish_table(registry, labels, table);
      quarantined += table.state == engine::TableState::quarantined ? 1 : 0;
    }
    registry.gauge(observe::kTablesQuarantined, labels).set(quarantined);
  }
}

}  // namespace maia::app
