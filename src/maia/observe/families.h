// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/observe/metrics.h"

/// Every metric of MAIA. Labels: `pipeline`, then `destination` and `table` where the comment says so.
namespace maia::observe {

inline constexpr Family kBuild{"maia_build_info", "Always 1; the label version says which build this is."};

// Per pipeline.
inline constexpr Family kPipelineState{"maia_pipeline_state",
                                       "1 for the state that capture is in, by the label state."};
inline constexpr Family kSourceLagBytes{"maia_source_lag_bytes",
                                        "Bytes of the source's log that MAIA has not read."};
inline constexpr Family kJournalBytes{"maia_journal_bytes", "Size of the journal on disk."};
inline constexpr Family kJournalMaxBytes{"maia_journal_max_bytes",
                                         "Size at which reading from the source waits; 0 for no limit."};
inline constexpr Family kSourceHeldBytes{
    "maia_source_retained_bytes", "Bytes of log that the source keeps because MAIA has not confirmed them."};
inline constexpr Family kConfirmsJournaled{
    "maia_source_confirms_journaled",
    "1 while the source may have discarded what a destination still needs from the journal."};
inline constexpr Family kRecordsRead{"maia_records_read_total", "Changes read from the source."};
inline constexpr Family kReconnects{"maia_reconnects_total",
                                    "Connections to the source that were made anew."};
inline constexpr Family kLostHistory{
    "maia_lost_history_total",
    "Times that the source could no longer give all changes, by the label reason."};

inline constexpr Family kMemoryLimit{"maia_memory_limit_bytes", "What the process may use of memory."};
inline constexpr Family kMemory{"maia_memory_bytes", "What a stage holds in its queue, by the label stage."};
inline constexpr Family kBackpressure{"maia_backpressure_seconds_total",
                                      "Time that a stage has waited for the one after it, by the label "
                                      "stage: capture for the journal, copy for "
                                      "room in the snapshot's queue, delivery for the destination."};

// Per destination.
inline constexpr Family kLag{
    "maia_replication_lag_seconds",
    "Time from commit at the source to durable at the destination, 0 when caught up."};
inline constexpr Family kConnected{"maia_connector_connected",
                                   "Whether the destination is in use rather than failed or waiting."};
inline constexpr Family kCommits{"maia_checkpoint_commits_total",
                                 "Transactions committed at the destination."};
inline constexpr Family kAttemptsLeft{"maia_retry_budget",
                                      "Attempts to connect again that may be made at once."};
inline constexpr Family kRetries{"maia_retries_total", "Steps that were tried again after an error."};

inline constexpr Family kTablesQuarantined{"maia_tables_quarantined",
                                           "Tables that failed and wait for maia resume."};

// Per destination and table.
inline constexpr Family kTableState{"maia_table_state",
                                    "1 for the state that the table is in, by the label state."};
inline constexpr Family kRecordsWritten{"maia_records_written_total", "Changes written to the destination."};
inline constexpr Family kRecordsFailed{"maia_records_failed_total", "Rows that went to the dead letters."};
inline constexpr Family kDeadLettersWaiting{"maia_dead_letters_waiting",
                                            "Dead letters that wait to be replayed or purged."};
inline constexpr Family kRecordsSkipped{"maia_records_skipped_total",
                                        "Rows that failed and were given up, by errors: skip."};
inline constexpr Family kSchemaChanges{"maia_schema_changes_total",
                                       "Schema changes followed at the destination."};
inline constexpr Family kSnapshotRowsDone{"maia_snapshot_rows_done",
                                          "Rows of the snapshot that are at the destination."};
inline constexpr Family kSnapshotRows{"maia_snapshot_rows", "Rows that the snapshot is expected to have."};
inline constexpr Family kSnapshotRunning{"maia_snapshot_running", "1 while the table is copied."};

}  // namespace maia::observe
