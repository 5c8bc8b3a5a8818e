// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace maia::engine {
namespace {

constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::milliseconds kPublishEvery{200};

}  // namespace

Delivery::Delivery(Parts parts, const PipelineOptions& pipeline, DestinationOptions options,
                   OpenDestination open, std::vector<std::unique_ptr<Transform>> transforms)
    : parts_(parts),
      pipeline_(pipeline),
      options_(std::move(options)),
      open_destination_(std::move(open)),
      transforms_(std::move(transforms)),
      waiting_(parts.source),
      backoff_(std::hash<std::string>{}(pipeline.name + options_.name)) {
  parts_.confirm.expect(options_.name);
}

Status Delivery::open() {
  auto destination = std::shared_ptr<Destination>(MAIA_TRY(open_destination_()));
  auto opened = MAIA_TRY(destination->open(pipeline_.name));
  {
    const std::lock_guard lock(destination_mutex_);
    destination_ = std::move(destination);
  }
  checkpoint_ = std::move(opened.checkpoint);
  parts_.confirm.durable(options_.name, checkpoint_.sequence, checkpoint_.position);
  parts_.observer.event(Observer::Level::info, "destination opened",
                        {{"destination", options_.name},
                         {"epoch", std::to_string(opened.epoch.value)},
                         {"sequence", std::to_string(checkpoint_.sequence.value)}});
  return {};
}

Status Delivery::assign(const std::vector<SourceTable>& tables, const Position& from,
                        std::shared_ptr<Snapshot> snapshot) {
  offered_ = tables;
  from_ = from;
  snapshot_ = std::move(snapshot);
  base_ = parts_.journal.tail().sequence;
  MAIA_TRY(load_tables());
  MAIA_TRY(refuse_idle_transforms());
  phase_ = Phase::copying;
  publish("snapshot");
  return {};
}

Status Delivery::load_tables() {
  if (checkpoint_.position.empty()) {
    checkpoint_.position = from_;
    checkpoint_.sequence = base_;
  }
  tables_.clear();
  cursor_.reset();
  passed_checkpoint_ = false;
  other_facts_.clear();
  skipped_.clear();
  MAIA_TRY(load_letters());
  for (const auto& [key, json] : checkpoint_.facts) {
    const auto id = table_of_fact(key);
    if (!id) continue;
    auto fact = MAIA_TRY(in(options_.name, table_fact_from_json(json)));
    auto route = MAIA_TRY(TableRoute::bind(fact.source, transforms_, options_));
    route.set_target(fact.target);
    tables_.emplace(*id,
                    TableEntry{.fact = std::move(fact), .route = std::move(route), .last_schema_change = {}});
  }
  for (const auto& table : offered_) {
    if (!table.problem.empty()) continue;
    const auto& id = table.schema->id;
    if (!tables_.contains(id)) {
      auto route = MAIA_TRY(TableRoute::bind(table.schema, transforms_, options_));
      TableFact fact;
      fact.state = pipeline_.snapshot ? TableState::waiting : TableState::streaming;
      fact.source = table.schema;
      fact.target = route.wanted();
      tables_.emplace(
          id,
          TableEntry{
              .fact = std::move(fact), .route = std::move(route), .dirty = true, .last_schema_change = {}});
    }
    tables_.at(id).rows_estimate = table.rows_estimate;
  }
  return refuse_meeting_tables();
}

std::vector<SchemaRef> Delivery::delivered_shapes() const {
  std::vector<SchemaRef> shapes;
  for (const auto& [id, entry] : tables_) shapes.push_back(entry.fact.source);
  return shapes;
}

Status Delivery::refuse_meeting_tables() const {
  if (options_.allow_merge) return {};
  std::map<TableName, const TableEntry*> taken;
  for (const auto& [id, entry] : tables_) {
    const auto [at, fresh] = taken.emplace(entry.route.target().name, &entry);
    if (fresh) continue;
    return Error{
        Error::Code::invalid_config, Recovery::halt,
        fmt::format("{} and {} would both be written to {}", to_string(at->second->fact.source->name),
                    to_string(entry.fact.source->name), to_string(at->first)),
        "change routes: so that they part, or set allow_merge: true if that is meant"};
  }
  return {};
}

Status Delivery::refuse_idle_transforms() const {
  std::set<std::string> at_work;
  for (const auto& [id, entry] : tables_) {
    for (const auto& name : entry.route.transform_names()) at_work.insert(name);
  }
  for (const auto& transform : transforms_) {
    if (tables_.empty() || at_work.contains(transform->name())) continue;
    return Error{
        Error::Code::invalid_config, Recovery::halt,
        fmt::format("the transform {} applies to none of the tables", transform->name()),
        "no table has every column that it reads, or its tables: match none; maia discover lists them"};
  }
  return {};
}

Result<Step> Delivery::step(std::stop_token stop) {
  auto stepped = [&]() -> Result<Step> {
    switch (phase_) {
      case Phase::opening:
        MAIA_TRY(open());
        MAIA_TRY(load_tables());
        phase_ = Phase::copying;
        return Step::again();
      case Phase::copying: return copy(stop);
      case Phase::streaming: return stream(stop);
    }
    return Step::done();
  }();
  if (stepped.ok()) return stepped;
  if (stepped.error().code == Error::Code::cancelled) {
    copy_.reset();
    return Step::wait(std::chrono::milliseconds{0});
  }
  return recover(std::move(stepped).error());
}

Result<Step> Delivery::copy(std::stop_token stop) {
  if (!copy_) {
    std::vector<TableEntry*> tables;
    for (auto& [id, entry] : tables_) {
      const auto state = entry.fact.state;
      if (state == TableState::waiting || state == TableState::snapshot) tables.push_back(&entry);
    }
    if (tables.empty()) {
      snapshot_.reset();
      phase_ = Phase::streaming;
      return Step::again();
    }
    if (!snapshot_) {
      const std::lock_guard lock(parts_.source_mutex);
      snapshot_ = MAIA_TRY(parts_.source.snapshot());
    }
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
        .started_at = parts_.clock.wall()};
    copy_ = MAIA_TRY(SnapshotCopy::start(std::move(parts), snapshot_, std::move(tables), pipeline_));
    return Step::again();
  }
  const bool complete = MAIA_TRY(copy_->step(stop));
  backoff_.succeeded();
  publish("snapshot");
  if (complete) {
    copy_.reset();
    parts_.observer.event(Observer::Level::info, "snapshot complete", {{"destination", options_.name}});
  }
  return Step::again();
}

Result<Step> Delivery::stream(std::stop_token stop) {
  if (!cursor_) {
    cursor_ = MAIA_TRY(parts_.journal.read(checkpoint_.sequence));
    publish("streaming");
  }
  auto window = MAIA_TRY(cursor_->next(parts_.patience, stop));
  if (!window) {
    lag_micros_ = 0;
    publish("streaming");
    return Step::wait(kLook - std::min(parts_.patience, kLook));
  }
  MAIA_TRY(deliver(std::move(*window), stop));
  backoff_.succeeded();
  if (parts_.clock.steady() - last_publish_ >= kPublishEvery) publish("streaming");
  return Step::again();
}

Status Delivery::deliver(WindowRef window, std::stop_token stop) {
  MAIA_TRY(destination_->begin());
  std::size_t rows = 0;
  std::size_t bytes = 0;
  for (;;) {
    MAIA_TRY(take(window));
    rows += window->rows();
    bytes += window->byte_size();
    if (window->continues) {
      // A transaction of any size must not pile up here; its pieces commit together all the same.
      MAIA_TRY(flush());
      auto rest = MAIA_TRY(cursor_->next(kLook, stop));
      if (!rest) return Error{Error::Code::cancelled, Recovery::halt, "stopped within a transaction", ""};
      window = std::move(*rest);
      continue;
    }
    if (rows >= options_.max_rows || bytes >= options_.max_bytes || stop.stop_requested()) break;
    auto more = MAIA_TRY(cursor_->next(std::chrono::milliseconds{0}, stop));
    if (!more) break;
    window = std::move(*more);
  }
  MAIA_TRY(flush());
  MAIA_TRY(commit(window->sequence, window->end));
  if (newest_commit_ > 0) lag_micros_ = std::max<std::int64_t>(0, parts_.clock.wall() - newest_commit_);
  return {};
}

Status Delivery::commit(Sequence sequence, const Position& position) {
  CheckpointUpdate update{.sequence = sequence, .position = position, .facts = other_facts_};
  for (auto& [id, entry] : tables_) {
    if (entry.dirty) update.facts[fact_key(id)] = to_json(entry.fact);
  }
  MAIA_TRY(destination_->commit(update));
  for (auto& [id, entry] : tables_) entry.dirty = false;
  checkpoint_.sequence = sequence;
  checkpoint_.position = position;
  other_facts_.clear();
  skipped_.clear();
  for (auto& [key, value] : update.facts) {
    if (value) {
      checkpoint_.facts[key] = std::move(*value);
    } else {
      checkpoint_.facts.erase(key);
    }
  }
  parts_.confirm.durable(options_.name, sequence, position);
  ++commits_;
  return {};
}

Result<Step> Delivery::recover(Error error) {
  copy_.reset();
  cursor_.reset();
  pending_.clear();
  pending_batches_.clear();
  pending_windows_.clear();
  if (destination_) destination_->rollback();
  if (error.recovery == Recovery::halt) {
    publish("failed", &error);
    return std::move(error).in(options_.name);
  }
  // A broken snapshot cannot be read again; the chunks that are left come from a new one.
  snapshot_.reset();
  ++retries_;
  if (error.recovery == Recovery::reconnect) {
    phase_ = Phase::opening;
  } else {
    MAIA_TRY(load_tables());
    phase_ = Phase::copying;
  }
  const auto wait = backoff_.next();
  publish("waiting to retry", &error);
  parts_.observer.event(Observer::Level::warning, "delivery was interrupted",
                        {{"destination", options_.name},
                         {"error", error.message},
                         {"retry_in_ms", std::to_string(wait.count())}});
  return Step::wait(wait);
}

void Delivery::publish(std::string_view state, const Error* error) {
  last_publish_ = parts_.clock.steady();
  const auto now = parts_.clock.wall();
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
    mine.last_error = error ? error->message : "";
    mine.hint = error ? error->hint : "";
    for (const auto& [id, entry] : tables_) {
      auto& table = mine.tables[id];
      if (entry.fact.state == TableState::snapshot && table.snapshot_started == 0) {
        table.snapshot_started = now;
        table.snapshot_rows_at_start = entry.fact.rows;
      }
      if (entry.fact.state > TableState::snapshot && table.snapshot_finished == 0)
        table.snapshot_finished = now;
      table.id = id;
      table.source = to_string(entry.fact.source->name);
      table.target = to_string(entry.route.target().name);
      table.state = entry.fact.state;
      table.snapshot_rows = entry.fact.rows;
      table.snapshot_rows_estimate = entry.rows_estimate;
      table.changes = entry.changes;
      table.schema_changes = entry.schema_changes;
      table.last_schema_change = entry.last_schema_change;
      table.dead_letters = entry.dead_letters;
      table.dead_letters_waiting = waiting_.count(id);
      table.skipped = entry.skipped;
    }
  });
}

Result<Destination::QueryResult> Delivery::query(std::string_view sql,
                                                 const Destination::QueryLimits& limits) {
  std::shared_ptr<Destination> destination;
  {
    const std::lock_guard lock(destination_mutex_);
    destination = destination_;
  }
  if (!destination) {
    return Error{Error::Code::unavailable, Recovery::retry, options_.name + " is not open yet",
                 "try again shortly"};
  }
  return destination->query(sql, limits);
}

}  // namespace maia::engine
