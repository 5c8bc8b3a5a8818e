// SPDX-License-Identifier: Apache-2.0
#include "maia/app/file_history.h"
#include "maia/app/pipelines.h"

namespace maia::app {
namespace {

engine::Drift drift(config::DriftRule rule) {
  switch (rule) {
    case config::DriftRule::evolve: return engine::Drift::evolve;
    case config::DriftRule::try_evolve: return engine::Drift::try_evolve;
    case config::DriftRule::lenient: return engine::Drift::lenient;
    case config::DriftRule::ignore: return engine::Drift::ignore;
    case config::DriftRule::stop: return engine::Drift::stop;
  }
  return engine::Drift::stop;
}

engine::DriftOptions drift(const config::SchemaSettings& schema) {
  using Kind = ColumnChange::Kind;
  engine::DriftOptions out{.on_drift = drift(schema.on_drift), .by_kind = {}};
  const std::pair<Kind, std::optional<config::DriftRule>> kinds[] = {
      {Kind::add, schema.add_column},
      {Kind::drop, schema.drop_column},
      {Kind::rename, schema.rename_column},
      {Kind::retype, schema.change_type},
      {Kind::nullability, schema.change_nullability},
      {Kind::default_value, schema.change_default},
      {Kind::key, schema.change_key},
  };
  for (const auto& [kind, rule] : kinds) {
    if (rule) out.by_kind.emplace(kind, drift(*rule));
  }
  return out;
}

engine::Deletes deletes(config::DeleteRule rule) {
  switch (rule) {
    case config::DeleteRule::apply: return engine::Deletes::apply;
    case config::DeleteRule::soft: return engine::Deletes::soft;
    case config::DeleteRule::ignore: return engine::Deletes::ignore;
  }
  return engine::Deletes::apply;
}

engine::RowErrorPolicy policy(config::RowErrorRule rule) {
  switch (rule) {
    case config::RowErrorRule::stop: return engine::RowErrorPolicy::stop;
    case config::RowErrorRule::dead_letter: return engine::RowErrorPolicy::dead_letter;
    case config::RowErrorRule::skip: return engine::RowErrorPolicy::skip;
  }
  return engine::RowErrorPolicy::stop;
}

engine::RowErrors row_errors(const config::ErrorSettings& errors) {
  return {.transform = policy(errors.transform.value_or(errors.policy)),
          .write = policy(errors.write.value_or(errors.policy)),
          .later_changes_wait = errors.later_changes == config::LaterChanges::wait,
          .max_dead_letters = errors.max_dead_letters};
}

}  // namespace

engine::PipelineOptions engine_options(const config::PipelineSettings& pipeline, const Connector& source) {
  engine::PipelineOptions out;
  out.name = pipeline.name;
  out.file_version = version_of(pipeline);
  out.snapshot = pipeline.snapshot.mode == config::SnapshotMode::initial;
  out.snapshot_readers = pipeline.snapshot.parallel;
  out.row_errors = row_errors(pipeline.errors);
  out.stop_on_row_failure = out.row_errors.transform == engine::RowErrorPolicy::stop ||
                            out.row_errors.write == engine::RowErrorPolicy::stop;
  const auto& journal = pipeline.journal;
  out.retention = {.age = journal.retain_age,
                   .bytes = journal.retain_bytes.bytes,
                   .max_bytes = journal.max_bytes ? journal.max_bytes->bytes : 0,
                   .drop_behind = journal.drop_behind};
  out.confirm = {.when = journal.confirm == config::ConfirmRule::journaled
                             ? engine::ConfirmOptions::When::journaled
                             : engine::ConfirmOptions::When::delivered,
                 .retain_at_source = journal.retain_at_source.bytes};
  out.resync_lost_history = journal.on_lost_history == config::LostHistoryRule::resync;
  if (!source.can.snapshot) {
    out.snapshot = false;
    out.source_has_rows = false;
    // A log may have parts without an order between them: that in which they were read is the journal's, so
    // nothing is delivered before it is durable there.
    out.confirm.when = engine::ConfirmOptions::When::journaled;
  }
  return out;
}

engine::DestinationOptions engine_options(const config::PipelineSettings& pipeline,
                                          const config::DestinationSettings& destination) {
  engine::DestinationOptions out;
  out.name = destination.name;
  out.mode =
      destination.mode == config::WriteMode::append ? TableTarget::Mode::append : TableTarget::Mode::upsert;
  out.deletes = deletes(destination.deletes);
  out.key = destination.key.columns;
  out.key_by_table = destination.key.by_table;
  for (const auto& route : destination.routes) out.routes.push_back({route.from, route.to});
  out.allow_merge = destination.allow_merge;
  out.drift = drift(pipeline.schema);
  out.max_rows = destination.delivery.max_rows;
  out.max_bytes = destination.delivery.max_bytes.bytes;
  return out;
}

}  // namespace maia::app
