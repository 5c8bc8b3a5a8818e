// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that knows which tables there are: those of the checkpoint, those that the source
// offers, those that appear in the stream.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "maia/engine/delivery.h"

namespace maia::engine {

Held Delivery::earlier(const Held& a, const Held& b) const {
  return {std::min(a.sequence, b.sequence),
          parts_.source.compare(b.position, a.position) < 0 ? b.position : a.position};
}

PositionOrder Delivery::order() const {
  return {.compare = [this](const auto& a, const auto& b) { return parts_.source.compare(a, b); },
          .describe = [this](const auto& at) { return parts_.source.describe(at); }};
}

Result<Held> Delivery::oldest_needed() const {
  Held oldest{checkpoint_.sequence, checkpoint_.position};
  for (const auto& [key, json] : checkpoint_.facts) {
    if (!table_of_fact(key)) continue;
    const auto fact = MAIA_TRY(in(options_.name, table_fact_from_json(json)));
    if (fact.held) oldest = earlier(oldest, *fact.held);
  }
  return oldest;
}

Result<std::vector<Position>> Delivery::places() const {
  std::vector<Position> places;
  if (!checkpoint_.position.empty()) places.push_back(checkpoint_.position);
  for (const auto& [key, json] : checkpoint_.facts) {
    if (!table_of_fact(key)) continue;
    const auto fact = MAIA_TRY(in(options_.name, table_fact_from_json(json)));
    if (fact.held) places.push_back(fact.held->position);
  }
  return places;
}

Status Delivery::load_tables() {
  if (checkpoint_.position.empty()) {
    MAIA_TRY(journal_has_all());
    checkpoint_.position = assigned_.from;
    checkpoint_.sequence = base_;
  }
  auto before = std::exchange(tables_, {});
  stream_.cursor.reset();
  catch_up_.cursor.reset();
  passed_checkpoint_ = false;
  other_facts_.clear();
  MAIA_TRY(load_letters());
  paused_ = checkpoint_.facts.contains(std::string(kPausedFact));
  for (const auto& [key, json] : checkpoint_.facts) {
    if (const auto id = table_of_fact(key)) MAIA_TRY(load_table(*id, json));
  }
  // What tables a log has is known by some of its records: one that is not offered may come all the same.
  if (selection_is_new_ && pipeline_.source_has_rows) remove_those_not_offered();
  for (const auto& table : assigned_.tables) {
    if (table.problem.empty()) MAIA_TRY(offer(table));
  }
  for (auto& [id, entry] : tables_) {
    const auto old = before.find(id);
    if (old == before.end()) continue;
    entry.changes = old->second.changes;
    entry.dead_letters = old->second.dead_letters;
    entry.skipped = old->second.skipped;
    entry.reconciled = old->second.reconciled;
  }
  return refuse_meeting_tables();
}

/// A destination that has nothing yet needs a log from its beginning. A run that begins sees to that when it
/// knows of it (PipelineRun::resume_position).
Status Delivery::journal_has_all() const {
  if (pipeline_.source_has_rows || base_.value == 0 || assigned_.renumbered) return {};
  return Error{Error::Code::unavailable, Recovery::reconnect,
               options_.name + " has nothing yet, and the journal does not hold what the log began with", "",
               kBeginAgain};
}

Status Delivery::load_table(const std::string& id, const std::string& json) {
  TableEntry entry;
  entry.fact = MAIA_TRY(in(options_.name, table_fact_from_json(json)));
  auto route = TableRoute::bind(entry.fact.source, transforms_, options_);
  const bool apart = entry.fact.state == TableState::quarantined || entry.fact.state == TableState::removed;
  // What quarantined a table may be that it cannot be bound; resuming tries again.
  if (!route.ok() && !apart) return std::move(route).error();
  if (route.ok()) {
    entry.route = std::move(*route);
    entry.route.set_target(entry.fact.target);
  }
  // Before tables could be held, a copy kept the whole checkpoint where it began.
  if (entry.lacks_rows() && !entry.fact.held) hold(entry);
  tables_.emplace(id, std::move(entry));
  return {};
}

void Delivery::hold(TableEntry& entry) {
  entry.fact.held = Held{checkpoint_.sequence, checkpoint_.position};
  entry.dirty = true;
}

Status Delivery::offer(const SourceTable& table) {
  const auto known = tables_.find(table.schema->id);
  if (known == tables_.end()) {
    TableEntry entry;
    MAIA_TRY(adopt_shape(entry, table.schema));
    entry.fact.state = pipeline_.snapshot ? TableState::waiting : TableState::streaming;
    entry.fact.copied = !pipeline_.snapshot;
    entry.rows_estimate = table.rows_estimate;
    if (pipeline_.snapshot) hold(entry);
    tables_.emplace(table.schema->id, std::move(entry));
    return {};
  }
  auto& entry = known->second;
  entry.rows_estimate = table.rows_estimate;
  if (!selection_is_new_ || entry.fact.state != TableState::removed) return {};
  if (!pipeline_.source_has_rows) {
    // Selected again: a log goes on where the table was left, and there are no rows to be read before.
    hold(entry);
    for (const auto event : {TableEvent::reread, TableEvent::read, TableEvent::copied})
      MAIA_TRY(happen(entry.fact, event));
    return {};
  }
  // Selected again: the rows that stayed are compared; what is appended is appended anew.
  if (can_resync(entry).ok()) return begin_resync(entry, "");
  entry.route = MAIA_TRY(TableRoute::bind(entry.fact.source, transforms_, options_));
  entry.route.set_target(entry.fact.target);
  entry.fact.snapshot = {};
  entry.fact.rows = 0;
  hold(entry);
  return happen(entry.fact, TableEvent::reread);
}

void Delivery::remove_those_not_offered() {
  for (auto& [id, entry] : tables_) {
    const bool offered = std::any_of(assigned_.tables.begin(), assigned_.tables.end(),
                                     [&, &id = id](const auto& table) { return table.schema->id == id; });
    if (offered || !happen(entry.fact, TableEvent::remove).ok()) continue;
    entry.fact.held.reset();
    entry.fact.resync.reset();
    entry.dirty = true;
    parts_.observer.event(Observer::Level::info, "table removed",
                          {{"destination", options_.name}, {"table", to_string(entry.fact.source->name)}});
  }
}

/// Durable before their changes are left out of the journal: else a table that is selected again before the
/// next commit would be taken for one that has streamed all the time.
Status Delivery::tell_removed() {
  const bool any = std::any_of(tables_.begin(), tables_.end(), [](const auto& each) {
    return each.second.dirty && each.second.fact.state == TableState::removed;
  });
  return any ? commit_facts() : Status();
}

/// The sequences of the journal that was lost mean nothing in the new one; positions do, unless the source
/// has lost them, too.
Status Delivery::renumber(const Held& base) {
  if (checkpoint_.facts.empty() && !assigned_.lost) return {};
  std::vector<std::string> lost;
  for (auto& [id, entry] : tables_) {
    if (assigned_.lost) {
      const bool removed = entry.fact.state == TableState::removed;
      if (!removed && checkpoint_.facts.contains(fact_key(id))) MAIA_TRY(read_again(entry));
      continue;
    }
    if (!entry.fact.held) continue;
    auto& held = *entry.fact.held;
    held.sequence = base.sequence;
    entry.dirty = true;
    if (parts_.source.compare(held.position, base.position) >= 0) continue;
    // Of what was to be sent again nothing is missing, and the new journal does not have it.
    const auto& had = entry.fact.had_until;
    if (had && parts_.source.compare(*had, base.position) >= 0) {
      held.position = *had;
    } else {
      lost.push_back(id);
    }
  }
  checkpoint_.sequence = base.sequence;
  for (const auto& id : lost) MAIA_TRY(give_up_history(tables_.at(id)));
  return commit_facts();
}

/// A crash may have cost the journal its last records, which were not synced yet, while a destination has
/// them; the source sends them again, under other sequences. A run that begins sees to that when it knows
/// where all destinations stand (PipelineRun::resume_position); one that is there only now may not go on in
/// this run.
Status Delivery::fits_journal() const {
  const auto tail = parts_.journal.tail();
  const auto place = parts_.source.compare(checkpoint_.position, tail.position);
  const bool parted = place == std::partial_ordering::unordered;
  const auto begin_again = [&](std::string_view why) {
    return Error{Error::Code::unavailable, Recovery::reconnect,
                 fmt::format("{} holds sequence {}, {}", options_.name, checkpoint_.sequence.value, why),
                 "the pipeline begins again at what all its destinations have", kBeginAgain};
  };
  if (checkpoint_.sequence < tail.first && !parted) {
    const Sequence base{tail.first.value - 1};
    if (checkpoint_.sequence == base) return {};
    const auto begins = MAIA_TRY(parts_.journal.end_of(base));
    if (parts_.source.compare(checkpoint_.position, begins) < 0) return {};
    return begin_again("which the journal, begun anew, calls otherwise");
  }
  auto there = tail.sequence;
  if (place < 0) {
    there = MAIA_TRY(parts_.journal.up_to_position(checkpoint_.position, order()));
  }
  if (checkpoint_.sequence <= there && !parted) return {};
  return begin_again("which the journal lost in a crash");
}

std::vector<SchemaRef> Delivery::delivered_shapes() const {
  std::vector<SchemaRef> shapes;
  for (const auto& [id, entry] : tables_) shapes.push_back(entry.fact.source);
  return shapes;
}

bool Delivery::streams() const {
  bool copying = false;
  for (const auto& [id, entry] : tables_) {
    if (entry.takes_part()) return true;
    copying = copying || entry.lacks_rows();
  }
  // While all that there is to do is to copy, nothing moves on, and all tables join at the same place.
  return !copying;
}

Status Delivery::add_table(const SchemaRef& schema, bool had_rows) {
  TableEntry entry;
  entry.fact.source = schema;
  entry.fact.target = schema;
  entry.dirty = true;
  entry.fact.schema_changes = 1;
  entry.fact.last_schema_change = had_rows ? "added" : "created";
  hold(entry);
  auto& added = tables_.insert_or_assign(schema->id, std::move(entry)).first->second;
  added.route = MAIA_TRY(TableRoute::bind(schema, transforms_, options_));
  added.fact.target = added.route.wanted();
  parts_.observer.event(Observer::Level::info, "new table",
                        {{"destination", options_.name}, {"table", to_string(schema->name)}});
  // It may have had rows before it was selected. What is appended has no use for a copy of its own changes.
  if (!pipeline_.snapshot || (options_.mode == TableTarget::Mode::append && !had_rows)) {
    MAIA_TRY(make(added));
    added.fact.state = TableState::streaming;
    added.fact.copied = true;
    added.fact.held.reset();
  }
  return refuse_meeting_tables();
}

Status Delivery::make(TableEntry& entry) {
  MAIA_TRY(destination_->prepare(entry.route.target()));
  entry.fact.made = true;
  entry.dirty = true;
  return {};
}

Status Delivery::adopt_shape(TableEntry& entry, const SchemaRef& shape) {
  entry.route = MAIA_TRY(TableRoute::bind(shape, transforms_, options_));
  entry.fact.source = shape;
  entry.fact.target = entry.route.wanted();
  entry.dirty = true;
  return {};
}

Status Delivery::prepare_uncopied() {
  const auto& place = checkpoint_.position;
  if (place.empty() || !(parts_.source.compare(place, assigned_.offered_at) >= 0)) return {};
  bool any = false;
  for (auto& [id, entry] : tables_) {
    const bool comes =
        entry.fact.state == TableState::streaming || entry.fact.state == TableState::catching_up;
    if (entry.fact.made || !comes) continue;
    if (!std::exchange(any, true)) MAIA_TRY(destination_->begin());
    MAIA_TRY(blamed(id, make(entry)));
  }
  return any ? commit(checkpoint_.sequence, checkpoint_.position) : Status();
}

Status Delivery::refuse_meeting_tables() const {
  if (options_.allow_merge) return {};
  std::map<TableName, const TableEntry*> taken;
  for (const auto& [id, entry] : tables_) {
    if (entry.fact.state == TableState::removed || !entry.route.bound()) continue;
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

}  // namespace maia::engine
