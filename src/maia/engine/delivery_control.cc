// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that does what people ask for, and sets a table aside that fails.
#include <fmt/format.h>

#include <algorithm>

#include "maia/engine/delivery.h"

namespace maia::engine {
namespace {

constexpr std::string_view kAll = "*";

Error refused(std::string message, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
}

}  // namespace

Status Delivery::reachable() {
  if (ahead_) MAIA_TRY(leave_ahead());
  if (phase_ == Phase::running) return {};
  const auto failed = failure();
  return Error{Error::Code::unavailable, Recovery::retry,
               fmt::format("{} is not there now{}", options_.name, failed ? ": " + failed->message : ""),
               phase_ == Phase::failed ? "when it is mended: maia resume" : "ask again when it is there"};
}

Result<std::vector<TableEntry*>> Delivery::named(const std::string& table) {
  std::vector<TableEntry*> found;
  for (auto& [id, entry] : tables_) {
    const auto& name = entry.fact.source->name;
    if (table == kAll || table == to_string(name) || table == name.table) found.push_back(&entry);
  }
  if (found.empty()) {
    std::vector<std::string> names;
    for (const auto& [id, entry] : tables_) names.push_back(to_string(entry.fact.source->name));
    return refused(fmt::format("{} has no table {}", options_.name, table),
                   fmt::format("its tables: {}", fmt::join(names, ", ")));
  }
  if (found.size() > 1 && table != kAll) {
    return refused(fmt::format("several schemas have a table {}", table),
                   "name it with its schema: " + to_string(found[0]->fact.source->name));
  }
  return found;
}

/// What was asked for is durable, or undone.
Result<std::string> Delivery::made_durable(Result<std::string> answer) {
  if (answer.ok()) {
    auto done = commit_facts();
    if (done.ok()) {
      publish(state_if_well());
      return answer;
    }
    answer = done.error();
    const auto step = recover(std::move(done).error());
    static_cast<void>(step);  // the answer tells it
    return answer;
  }
  interrupt();
  MAIA_TRY(load_tables());
  return answer;
}

Result<std::string> Delivery::pause(const std::string& table) {
  MAIA_TRY(reachable());
  if (!table.empty()) {
    return made_durable(on_each(MAIA_TRY(named(table)), table == kAll,
                                [this](TableEntry& entry) { return pause_table(entry); }));
  }
  if (paused_) return refused(options_.name + " is paused already", "maia resume takes it up again");
  paused_ = true;
  other_facts_[std::string(kPausedFact)] = "{}";
  return made_durable(options_.name + ": paused");
}

Result<std::string> Delivery::resume(const std::string& table) {
  if (table.empty() && phase_ == Phase::failed) {
    {
      const std::lock_guard lock(failure_mutex_);
      failure_.reset();
    }
    backoff_.succeeded();
    phase_ = Phase::opening;
    publish("opening");
    return options_.name + ": taken up again";
  }
  MAIA_TRY(reachable());
  if (!table.empty()) {
    return made_durable(on_each(MAIA_TRY(named(table)), table == kAll,
                                [this](TableEntry& entry) { return resume_table(entry); }));
  }
  if (!paused_) {
    return refused(options_.name + " is not paused", "a table of it: maia resume --table NAME, or '*'");
  }
  paused_ = false;
  other_facts_[std::string(kPausedFact)] = std::nullopt;
  return made_durable(options_.name + ": resumed");
}

Result<std::string> Delivery::resync(const std::string& table, const std::string& rows) {
  MAIA_TRY(reachable());
  MAIA_TRY(parse_row_condition(rows));
  if (paused_) return refused(options_.name + " is paused", "maia resume takes it up again");
  return made_durable(
      on_each(MAIA_TRY(named(table)), table == kAll, [&](TableEntry& entry) -> Result<std::string> {
        MAIA_TRY(begin_resync(entry, rows));
        return std::string("reads rows again and mends what differs");
      }));
}

/// `lenient`: those that it cannot be done to are passed over, if there is one that it can.
Result<std::string> Delivery::on_each(const std::vector<TableEntry*>& entries, bool lenient,
                                      const std::function<Result<std::string>(TableEntry&)>& work) {
  std::vector<std::string> done;
  std::optional<Error> failed;
  for (auto* entry : entries) {
    const bool copying = entry->lacks_rows();
    auto answer = work(*entry);
    if (!answer.ok()) {
      failed = std::move(answer).error();
      continue;
    }
    if (copying) copy_.reset();
    done.push_back(to_string(entry->fact.source->name) + " " + *answer);
  }
  if (failed && (!lenient || done.empty())) return std::move(*failed);
  return fmt::format("{}: {}", options_.name, fmt::join(done, "; "));
}

Result<std::string> Delivery::pause_table(TableEntry& entry) {
  MAIA_TRY(happen(entry.fact, TableEvent::pause));
  if (!entry.fact.held) hold(entry);
  entry.fact.left_at = parts_.clock.wall();
  entry.fact.reason.clear();
  entry.fact.hint.clear();
  entry.staged_at.reset();
  entry.dirty = true;
  return std::string("is paused");
}

Result<std::string> Delivery::resume_table(TableEntry& entry) {
  auto& fact = entry.fact;
  const bool apart = fact.state == TableState::paused || fact.state == TableState::quarantined;
  if (!apart) MAIA_TRY(happen(fact, TableEvent::resume));
  MAIA_TRY(bind_again(entry));
  if (fact.held->sequence.value + 1 < parts_.journal.tail().first.value) {
    if (!pipeline_.source_has_rows) return history_is_gone(entry);
    MAIA_TRY(give_up_history(entry));
  }
  fact.left_at = 0;
  fact.reason.clear();
  fact.hint.clear();
  entry.dirty = true;
  if (fact.copied) {
    MAIA_TRY(happen(fact, TableEvent::resume));
    return std::string("catches up");
  }
  if (fact.resync && fact.resync->empty()) hold(entry);
  MAIA_TRY(happen(fact, TableEvent::reread));
  return std::string(fact.resync ? "is compared with the source" : "is copied on");
}

Status Delivery::bind_again(TableEntry& entry) {
  if (entry.route.bound()) return {};
  auto& fact = entry.fact;
  entry.route =
      MAIA_TRY(in(to_string(fact.source->name), TableRoute::bind(fact.source, transforms_, options_)));
  if (fact.copied) {
    entry.route.set_target(fact.target);
  } else {
    fact.target = entry.route.wanted();
  }
  return {};
}

Status Delivery::can_resync(const TableEntry& entry) const {
  const auto name = to_string(entry.fact.source->name);
  if (!pipeline_.source_has_rows) {
    return refused(name + " comes from a log, which has changes but no rows to compare with",
                   "maia replay sends again what the journal keeps; to read the log from its beginning: maia "
                   "drop, empty the table, then maia run");
  }
  if (options_.mode == TableTarget::Mode::append) {
    return refused(name + " keeps every change (mode: append), so there is nothing to compare",
                   "to begin anew: maia drop, then maia run");
  }
  if (!destination_->can_compare()) {
    return refused(options_.name + " takes changes only and cannot say which of its rows differ",
                   "to begin anew: maia drop, then maia run");
  }
  for (const auto& [id, other] : tables_) {
    if (&other == &entry || other.fact.state == TableState::removed) continue;
    if (other.fact.target->name == entry.fact.target->name) {
      return refused(fmt::format("{} shares {} with {}, whose rows it cannot be told from", name,
                                 to_string(entry.fact.target->name), to_string(other.fact.source->name)),
                     "to begin anew: maia drop, then maia run");
    }
  }
  return {};
}

Status Delivery::begin_resync(TableEntry& entry, const std::string& rows) {
  auto& fact = entry.fact;
  const auto name = to_string(fact.source->name);
  MAIA_TRY(can_resync(entry));
  const auto condition = MAIA_TRY(parse_row_condition(rows));
  if (!condition.all.empty() && (fact.state != TableState::streaming || entry.staged_at)) {
    return refused(fmt::format("{} is {}; only a table that streams can be resynced in part", name,
                               to_string(fact.state)),
                   "wait until it streams, or resync it whole");
  }
  const auto& shape = *fact.target;
  for (const auto& comparison : condition.all) {
    const auto at = shape.find(comparison.column);
    if (at && shape.columns[*at].in_key) continue;
    return refused(
        fmt::format("--rows: {} is not a key column of {}", comparison.column, to_string(shape.name)),
        "rows can be told by key columns only, as the destination has them");
  }
  MAIA_TRY(bind_again(entry));
  const bool never_copied = !fact.copied && fact.rows == 0 && !fact.resync;
  MAIA_TRY(happen(fact, TableEvent::reread));
  snapshot_.reset();  // the table may have another shape by now than when this one was taken
  fact.resync.reset();
  if (!never_copied) fact.resync = condition.all.empty() ? std::string() : rows;
  fact.copied = false;
  fact.snapshot = {};
  fact.chunks = 0;
  fact.rows = 0;
  fact.skip_until.reset();
  fact.converge_until.reset();
  fact.left_at = 0;
  fact.reason.clear();
  fact.hint.clear();
  entry.staged_at.reset();
  hold(entry);
  parts_.observer.event(Observer::Level::info, "resync",
                        {{"destination", options_.name}, {"table", name}, {"rows", rows}});
  return {};
}

Status Delivery::quarantine(const std::string& id, std::optional<TableFact> fresh, const Error& error) {
  MAIA_TRY(load_tables());
  if (!tables_.contains(id) && fresh) {
    fresh->state = pipeline_.snapshot ? TableState::waiting : TableState::streaming;
    fresh->copied = !pipeline_.snapshot;
    tables_[id].fact = std::move(*fresh);
  }
  auto& entry = tables_.at(id);
  auto& fact = entry.fact;
  MAIA_TRY(happen(fact, TableEvent::fail));
  if (!fact.held) hold(entry);
  fact.reason = error.message;
  fact.hint = error.hint;
  fact.left_at = parts_.clock.wall();
  entry.dirty = true;
  parts_.observer.event(Observer::Level::error, "table quarantined",
                        {{"destination", options_.name},
                         {"table", to_string(fact.source->name)},
                         {"error", error.message},
                         {"hint", error.hint}});
  MAIA_TRY(commit_facts());
  publish("streaming");
  return {};
}

}  // namespace maia::engine
