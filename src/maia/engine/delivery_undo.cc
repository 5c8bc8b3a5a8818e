// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that goes back in the journal: sends retained changes again, or takes them back.
#include <fmt/format.h>

#include <algorithm>

#include "maia/engine/delivery.h"
#include "maia/engine/row_image.h"
#include "maia/engine/schema_diff.h"
#include "maia/engine/untold_values.h"

namespace maia::engine {
namespace {

/// Changes whose rows are worked out at once; more are done in parts, each with a look at the whole history.
constexpr std::size_t kRowsInPart = 100'000;
/// That are written together, so that a destination can put rows of several tables into the right order.
constexpr std::size_t kBatchesAtOnce = 64;

Error refused(std::string message, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
}

/// What of the shape then the shape of now has no values for; empty if nothing.
std::string gone_since(const TableSchema& then, const TableSchema& now) {
  const auto from = match_columns(now, then);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!from[i]) return then.columns[i].name;
  }
  return {};
}

/// Whether the destination has more than what it has read of the journal. So it is for a while after the
/// journal was lost: the new one begins where the slowest destination stands.
Result<bool> is_ahead(Journal& journal, const Source& source, const Checkpoint& checkpoint) {
  const auto end = MAIA_TRY(journal.end_of(checkpoint.sequence));
  return source.compare(end, checkpoint.position) < 0;
}

}  // namespace

/// The end of window `sequence`, of which the journal may retain nothing.
Result<std::optional<Position>> Delivery::end_of(Sequence sequence) {
  if (sequence == checkpoint_.sequence) return std::optional(checkpoint_.position);
  if (sequence < parts_.journal.tail().first) return std::optional<Position>();
  return std::optional(MAIA_TRY(parts_.journal.end_of(sequence)));
}

Result<Held> Delivery::place_of(const Moment& moment) {
  if (MAIA_TRY(is_ahead(parts_.journal, parts_.source, checkpoint_))) {
    return refused(options_.name + " has more than the journal, which was begun anew",
                   "ask again when it has caught up; maia status shows where it is");
  }
  if (!moment.time) {
    const auto position = MAIA_TRY(parts_.source.position_from_text(moment.position, checkpoint_.position));
    return Held{MAIA_TRY(parts_.journal.up_to_position(position, order())), position};
  }
  const auto sequence = MAIA_TRY(parts_.journal.before_time(*moment.time, parts_.clock.wall()));
  auto end = MAIA_TRY(end_of(sequence));
  const auto cursor = MAIA_TRY(parts_.journal.read(sequence));
  if (auto window = MAIA_TRY(cursor->next(std::chrono::milliseconds{0}, {}))) {
    for (const auto& transaction : (*window)->transactions) {
      if (transaction.committed_at < *moment.time) end = transaction.position;
    }
  }
  if (end) return Held{sequence, *std::move(end)};
  return Error{Error::Code::lost_history, Recovery::halt, "the journal begins just at that time",
               "name a time after the first transaction that it retains"};
}

/// Every window after `from` and up to `through`, in order.
Status Delivery::for_each_window(Sequence from, Sequence through,
                                 const std::function<Status(const Window&)>& work) {
  const auto cursor = MAIA_TRY(parts_.journal.read(from));
  for (auto at = from; at < through;) {
    const auto window = MAIA_TRY(cursor->next(parts_.patience, {}));
    if (!window) {
      return Error{Error::Code::internal, Recovery::halt,
                   fmt::format("the journal ends at {} but {} was delivered", at.value, through.value), ""};
    }
    if ((*window)->sequence > through) break;
    MAIA_TRY(work(**window));
    if (!(*window)->continues) at = (*window)->sequence;
  }
  return {};
}

Result<std::map<std::string, Delivery::Since>> Delivery::look_since(const std::vector<TableEntry*>& entries,
                                                                    const Held& place) {
  std::map<std::string, Since> found;
  for (const auto* entry : entries) found[entry->fact.source->id];
  const auto note_shape = [&](const SchemaRef& before, const SchemaRef& after) {
    const auto at = found.find((after ? after : before)->id);
    if (at == found.end()) return;
    auto& since = at->second;
    if (!since.shape) since.shape = before ? before : after;
    since.reshaped = since.reshaped || !before || !after || !same_shape(*before, *after);
  };
  const auto look = [&](const Window& window) -> Status {
    const auto news = first_news(window, place.position);
    for (const auto& item : window.items) {
      if (const auto* batch = std::get_if<Batch>(&item)) {
        const auto at = found.find(batch->schema()->id);
        if (at == found.end() || batch->rows() == 0 || batch->ordinal(batch->rows() - 1) < news) continue;
        at->second.rows += batch->rows();
        at->second.moves_untold = at->second.moves_untold || moves_untold_values(*batch);
        if (!at->second.shape) at->second.shape = batch->schema();
      } else if (const auto* change = std::get_if<SchemaChange>(&item)) {
        if (change->ordinal >= news) note_shape(change->before, change->after);
      } else if (const auto* truncate = std::get_if<Truncate>(&item)) {
        if (truncate->ordinal < news) continue;
        for (const auto& table : truncate->tables) {
          if (const auto at = found.find(table->id); at != found.end()) at->second.truncated = true;
        }
      }
    }
    return {};
  };
  MAIA_TRY(for_each_window(place.sequence, checkpoint_.sequence, look));
  for (auto* entry : entries) {
    auto& since = found.at(entry->fact.source->id);
    if (!since.shape) since.shape = entry->fact.source;
    since.reshaped = since.reshaped || !same_shape(*since.shape, *entry->fact.source);
  }
  return found;
}

Result<std::string> Delivery::send_again(const Moment& from, const std::string& table) {
  MAIA_TRY(reachable());
  const auto place = MAIA_TRY(place_of(from));
  if (place.sequence >= checkpoint_.sequence)
    return refused(fmt::format("{} has received nothing after that", options_.name),
                   "name an earlier place; maia status shows where it is");
  const auto entries = MAIA_TRY(named(table.empty() ? "*" : table));
  const auto since = MAIA_TRY(look_since(entries, place));
  const auto begin = [&](TableEntry& entry) -> Result<std::string> {
    auto& fact = entry.fact;
    if (fact.state != TableState::streaming || fact.held) {
      return refused(fmt::format("{} is {}", to_string(fact.source->name), to_string(fact.state)),
                     "only a table that streams can be sent again");
    }
    if (options_.mode == TableTarget::Mode::upsert && entry.route.target().key.empty()) {
      return refused(to_string(fact.source->name) + " has no key, so what is sent again would be there twice",
                     "leave it out, or use maia resync");
    }
    if (since.at(fact.source->id).reshaped) {
      return refused(to_string(fact.source->name) + " has changed its shape since then",
                     "name a place after that change, or use maia resync");
    }
    // A destination that only takes changes is sent them as they were, and completes nothing from its rows.
    if (options_.mode == TableTarget::Mode::upsert && since.at(fact.source->id).moves_untold &&
        destination_->can_compare()) {
      return refused(to_string(fact.source->name) +
                         " has rows whose key changed without their large values being sent, and newer rows "
                         "cannot tell them",
                     "use maia resync, or name a place after these changes");
    }
    MAIA_TRY(happen(fact, TableEvent::pause));
    MAIA_TRY(happen(fact, TableEvent::resume));
    fact.held = place;
    fact.converge_until = checkpoint_.position;
    if (options_.mode == TableTarget::Mode::append) fact.had_until = checkpoint_.position;
    entry.dirty = true;
    return fmt::format("is sent again from {}", parts_.source.describe(place.position));
  };
  return made_durable(on_each(entries, table.empty(), begin));
}

/// Up to where its rows, or some of them, have the changes: a copy may be newer than what was delivered after
/// it, and so are rows that are being sent again.
Held Delivery::rows_at(const TableEntry& entry) const {
  auto at = entry.fact.held.value_or(Held{checkpoint_.sequence, checkpoint_.position});
  for (const auto& newer : {entry.fact.skip_until, entry.fact.converge_until})
    if (newer && parts_.source.compare(*newer, at.position) > 0) at.position = *newer;
  return at;
}

/// Why nothing of the table can be taken back; empty if it can.
std::string Delivery::cannot_take_back(const TableEntry& entry, const Since& since, const Held& place) const {
  const auto& fact = entry.fact;
  const bool paused = fact.state == TableState::paused && fact.copied && !fact.resync;
  if (fact.state != TableState::streaming && !paused)
    return fmt::format("it is {}; only a table that streams or is paused can be taken back",
                       to_string(fact.state));
  const auto& here = fact.held ? fact.held->position : checkpoint_.position;
  if (parts_.source.compare(rows_at(entry).position, checkpoint_.position) > 0)
    return "its rows were read just now and are newer than what has been delivered";
  if (parts_.source.compare(here, place.position) < 0)
    return fact.held ? "it is held at an earlier place already" : "it has not got there yet";
  if (options_.mode == TableTarget::Mode::append) return "mode: append keeps every change";
  if (options_.deletes == Deletes::ignore) return "deletes: ignore keeps rows that were inserted since";
  if (since.truncated) return "it was truncated since, and the rows that went with that are not retained";
  if (const auto mend = can_resync(entry); mends_after_failure() && !mend.ok())
    return "what failed half-way could not be mended: " + mend.error().message;
  if (since.reshaped && mends_after_failure())
    return "its shape changed since, and the destination cannot go back in shape and rows at once";
  if (const auto gone = gone_since(*since.shape, *fact.source); !gone.empty())
    return fmt::format("its column {} was dropped or got another type since", gone);
  return {};
}

/// Works out how the table's rows were at `place` and hands on the inverse changes, part by part.
Result<InverseCounts> Delivery::take_back(TableEntry& entry, const Since& since, const Held& place,
                                          const Inverse::Sink& sink) {
  InverseCounts sum;
  const auto& id = entry.fact.source->id;
  const auto until = rows_at(entry);
  const std::size_t parts = since.rows / kRowsInPart + 1;
  for (std::size_t part = 0; part < parts; ++part) {
    Inverse inverse(since.shape, {part, parts});
    const auto show = [&](const Window& window) -> Status {
      const auto from = first_news(window, place.position);
      const auto end = window.sequence <= until.sequence ? UINT64_MAX : first_news(window, until.position);
      for (const auto& item : window.items) {
        const auto* batch = std::get_if<Batch>(&item);
        if (batch && batch->schema()->id == id) MAIA_TRY(inverse.later(*batch, from, end));
      }
      return {};
    };
    MAIA_TRY(for_each_window(place.sequence, checkpoint_.sequence, show));
    while (inverse.needs_earlier()) {
      MAIA_TRY(look_back(id, place, inverse));
      inverse.end_of_pass();
    }
    MAIA_TRY(inverse.write(sink));
    const auto& counts = inverse.counts();
    sum.inserts += counts.inserts;
    sum.updates += counts.updates;
    sum.deletes += counts.deletes;
    sum.lost += counts.lost;
    if (counts.lost > 0) sum.lost_example = counts.lost_example;
  }
  return sum;
}

/// Shows the inverse every change of the table that is retained up to `place`.
Status Delivery::look_back(const std::string& id, const Held& place, Inverse& inverse) {
  const auto first = parts_.journal.tail().first;
  const Sequence before{first.value > 0 ? first.value - 1 : 0};
  const Sequence through{std::min(place.sequence.value + 1, checkpoint_.sequence.value)};
  return for_each_window(before, through, [&](const Window& window) -> Status {
    const auto end = window.sequence <= place.sequence ? UINT64_MAX : first_news(window, place.position);
    for (const auto& item : window.items) {
      if (const auto* batch = std::get_if<Batch>(&item)) {
        if (batch->schema()->id == id) inverse.earlier(*batch, 0, end);
      } else if (const auto* truncate = std::get_if<Truncate>(&item)) {
        const auto& tables = truncate->tables;
        const bool ours =
            truncate->ordinal < end &&
            std::any_of(tables.begin(), tables.end(), [&](const auto& each) { return each->id == id; });
        if (ours) inverse.earlier_truncate();
      }
    }
    return {};
  });
}

Result<Rollback> Delivery::plan_rollback(const Moment& to, const std::string& table) {
  MAIA_TRY(reachable());
  const auto place = MAIA_TRY(place_of(to));
  const auto entries = MAIA_TRY(named(table.empty() ? "*" : table));
  const auto since = MAIA_TRY(look_since(entries, place));
  Rollback plan{
      .destination = options_.name, .position = parts_.source.describe(place.position), .tables = {}};
  for (auto* entry : entries) {
    Rollback::Table each{.table = to_string(entry->fact.source->name), .refused = {}, .counts = {}};
    const auto& known = since.at(entry->fact.source->id);
    each.refused = cannot_take_back(*entry, known, place);
    if (each.refused.empty()) {
      auto counted = take_back(*entry, known, place, [](const Batch&) -> Status { return {}; });
      if (counted.ok()) {
        each.counts = std::move(*counted);
      } else if (counted.error().code == Error::Code::data) {
        each.refused = counted.error().message;
      } else {
        return std::move(counted).error();
      }
    }
    plan.tables.push_back(std::move(each));
  }
  return plan;
}

Result<Rollback> Delivery::rollback(const Moment& to, const std::string& table, bool partial) {
  // Worked out anew: the stream has gone on since somebody looked at the plan.
  auto plan = MAIA_TRY(plan_rollback(to, table));
  const auto place = MAIA_TRY(place_of(to));
  if (!partial) {
    for (const auto& each : plan.tables) {
      if (each.refused.empty() && each.counts.lost == 0) continue;
      return refused(each.refused.empty()
                         ? fmt::format("{} rows of {} cannot be taken back", each.counts.lost, each.table)
                         : fmt::format("{} cannot be taken back: {}", each.table, each.refused),
                     "leave it out with --table, or take back what can be with --partial");
    }
  }
  interrupt();
  MAIA_TRY(load_tables());
  auto done = write_inverse(plan, place, table);
  if (!done.ok()) {
    auto error = std::move(done).error();
    if (error.recovery != Recovery::halt) {
      if (auto recovered = recover(error); !recovered.ok()) return std::move(recovered).error();
      return error;
    }
    // The destination is as it was, or is compared with the source; it goes on.
    interrupt();
    MAIA_TRY(load_tables());
    return error;
  }
  parts_.observer.event(Observer::Level::warning, "rolled back",
                        {{"destination", options_.name}, {"to", plan.position}});
  return plan;
}

/// Where rows and checkpoint do not commit together, what fails on the way leaves some rows as they were
/// then.
bool Delivery::mends_after_failure() const { return !options_.transactional && destination_->can_compare(); }

/// Durably, before anything is written: if it fails or the process dies, the tables are compared with the
/// source. In memory they are as before.
Status Delivery::mend_if_it_fails(const Rollback& plan, const std::vector<TableEntry*>& entries) {
  if (!mends_after_failure()) return {};
  std::vector<TableFact> facts;
  for (auto* entry : entries) {
    facts.push_back(entry->fact);
    if (plan.tables[facts.size() - 1].refused.empty()) MAIA_TRY(read_again(*entry));
  }
  MAIA_TRY(commit_facts());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i]->fact = std::move(facts[i]);
    entries[i]->dirty = true;
  }
  return {};
}

/// In one transaction, with the tables held where they are then.
Status Delivery::write_inverse(Rollback& plan, const Held& place, const std::string& table) {
  const auto entries = MAIA_TRY(named(table.empty() ? "*" : table));
  const auto since = MAIA_TRY(look_since(entries, place));
  const Transaction transaction{
      .position = place.position, .id = "rollback", .committed_at = parts_.clock.wall(), .first_ordinal = 0};
  MAIA_TRY(mend_if_it_fails(plan, entries));
  MAIA_TRY(destination_->begin());
  std::uint64_t order = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!plan.tables[i].refused.empty()) continue;
    auto& entry = *entries[i];
    const auto& known = since.at(entry.fact.source->id);
    if (!same_shape(*entry.fact.source, *known.shape)) {
      MAIA_TRY(flush());
      MAIA_TRY(reshape(
          entry, SchemaChange{.before = entry.fact.source, .after = known.shape, .columns = {}, .ordinal = 0},
          options_.drift));
    }
    const auto write = [&](const Batch& batch) -> Status {
      std::vector<RowFailure> failures;
      auto routed = MAIA_TRY(entry.route.apply(batch, {&transaction, 1}, failures));
      // A row that a transform refuses was not at the destination then either.
      if (!routed.own) routed.own = std::make_unique<Batch>(routed.batch->clone());
      pending_.push_back(maia::Delivery{.target = &entry.route.target(),
                                        .batch = routed.own.get(),
                                        .fresh = false,
                                        .converging = true,
                                        .transactions = {&transaction, 1},
                                        .window = ++order});
      pending_tables_.push_back(entry.fact.source->id);
      pending_batches_.push_back(std::move(routed.own));
      return pending_.size() < kBatchesAtOnce ? Status() : flush();
    };
    plan.tables[i].counts = MAIA_TRY(take_back(entry, known, place, write));
    MAIA_TRY(hold_at(entry, place, plan.tables[i].counts.lost > 0));
  }
  MAIA_TRY(flush());
  return commit(checkpoint_.sequence, checkpoint_.position);
}

Status Delivery::hold_at(TableEntry& entry, const Held& place, bool newer_rows) {
  auto& fact = entry.fact;
  // On the way forward again, rows that could not be taken back are newer than the changes that they meet.
  const auto newest = rows_at(entry).position;
  fact.converge_until = newer_rows ? std::optional(newest) : std::nullopt;
  fact.skip_until.reset();
  if (fact.state == TableState::streaming) MAIA_TRY(happen(fact, TableEvent::pause));
  fact.held = place;
  fact.left_at = parts_.clock.wall();
  entry.dirty = true;
  return {};
}

}  // namespace maia::engine
