// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that brings tables that were held back to where the others are: a second way through
// the journal, on which only they are taken.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "maia/engine/delivery.h"

namespace maia::engine {
namespace {

constexpr std::chrono::milliseconds kWait{200};

Status cancelled() {
  return Error{Error::Code::cancelled, Recovery::halt, "stopped while tables catch up", ""};
}

}  // namespace

Delivery::Share Delivery::share_of(const TableEntry& entry, const Window& window, const Lane& lane) const {
  const auto& fact = entry.fact;
  Share share;
  if (lane.catching_up) {
    if (!entry.joining || window.sequence <= fact.held->sequence) return share;
    share.from = first_news(window, fact.held->position);
    if (entry.staged_at) {
      share.until = first_news(window, *entry.staged_at);
      // Rows that somebody damaged may be in the way; they are mended right after.
      share.converging = true;
    }
  } else {
    if (!entry.takes_part()) return share;
    share.from = news_;
  }
  if (fact.skip_until) share.from = std::max(share.from, first_news(window, *fact.skip_until));
  share.meets_newer = fact.converge_until && !window.transactions.empty() &&
                      parts_.source.compare(window.transactions.front().position, *fact.converge_until) <= 0;
  share.converging = share.converging || share.meets_newer;
  if (limit_) share.until = std::min(share.until, *limit_);
  return share;
}

/// Tables that are held at the same place go on together, so that what was copied in one go joins in one.
std::vector<TableEntry*> Delivery::find_joining() {
  std::set<Sequence> still_copied;
  for (const auto& [id, entry] : tables_) {
    if (entry.lacks_rows() && entry.fact.held) still_copied.insert(entry.fact.held->sequence);
  }
  std::vector<TableEntry*> joining;
  for (auto& [id, entry] : tables_) {
    const auto& fact = entry.fact;
    entry.joining = false;
    if (!fact.held) continue;
    entry.joining = entry.staged_at ? parts_.source.compare(checkpoint_.position, *entry.staged_at) >= 0
                                    : fact.state == TableState::catching_up &&
                                          !still_copied.contains(fact.held->sequence);
    if (entry.joining) joining.push_back(&entry);
  }
  return joining;
}

Result<bool> Delivery::catch_up(std::stop_token stop) {
  const auto joining = find_joining();
  if (joining.empty()) {
    catch_up_.cursor.reset();
    return false;
  }
  // What is exactly where its staged rows are is mended before anything else comes.
  std::vector<TableEntry*> due;
  std::copy_if(joining.begin(), joining.end(), std::back_inserter(due), [&](const TableEntry* entry) {
    return entry->staged_at && parts_.source.compare(entry->fact.held->position, *entry->staged_at) >= 0;
  });
  if (!due.empty()) {
    MAIA_TRY(destination_->begin());
    for (auto* entry : due) MAIA_TRY(blamed(entry->fact.source->id, mend(*entry)));
    MAIA_TRY(commit(checkpoint_.sequence, checkpoint_.position));
    return true;
  }
  bool met = false;
  for (auto* entry : joining) met = meet(*entry) || met;
  if (met) {
    MAIA_TRY(commit_facts());
    return true;
  }
  const auto from = (*std::min_element(joining.begin(), joining.end(), [](const auto* a, const auto* b) {
                      return a->fact.held->sequence < b->fact.held->sequence;
                    }))->fact.held->sequence;
  if (from >= checkpoint_.sequence) return false;
  if (from.value + 1 < parts_.journal.tail().first.value) {
    for (auto* entry : joining) {
      if (entry->fact.held->sequence == from) MAIA_TRY(give_up_history(*entry));
    }
    MAIA_TRY(commit_facts());
    return true;
  }
  if (!catch_up_.cursor || catch_up_.at != from) {
    catch_up_.cursor = MAIA_TRY(parts_.journal.read(from));
    catch_up_.at = from;
  }
  MAIA_TRY(read_missed(joining, stop));
  return true;
}

Status Delivery::read_missed(const std::vector<TableEntry*>& joining, std::stop_token stop) {
  MAIA_TRY(destination_->begin());
  std::size_t rows = 0;
  std::size_t bytes = 0;
  bool there = false;
  while (!there && catch_up_.at < checkpoint_.sequence && rows < options_.max_rows &&
         bytes < options_.max_bytes) {
    auto window = MAIA_TRY(catch_up_.cursor->next(kWait, stop));
    if (stop.stop_requested()) return cancelled();
    if (!window) continue;
    MAIA_TRY(take(*window, catch_up_));
    rows += (*window)->rows();
    bytes += (*window)->byte_size();
    if ((*window)->continues) {
      // Its pieces commit together, however many there are.
      MAIA_TRY(flush());
      rows = bytes = 0;
      continue;
    }
    catch_up_.at = (*window)->sequence;
    for (auto* entry : joining) {
      if (entry->fact.held->sequence < (*window)->sequence) advance(*entry, **window);
      there = there || (entry->staged_at && entry->fact.held->position == *entry->staged_at);
    }
    if (catch_up_.at <= alone_until_) break;
  }
  MAIA_TRY(flush());
  for (auto* entry : joining) {
    const bool due = entry->staged_at && entry->fact.held->position == *entry->staged_at;
    if (due) MAIA_TRY(blamed(entry->fact.source->id, mend(*entry)));
    meet(*entry);
  }
  return commit(checkpoint_.sequence, checkpoint_.position);
}

void Delivery::advance(TableEntry& entry, const Window& window) {
  auto& held = *entry.fact.held;
  entry.dirty = true;
  held.sequence = window.sequence;
  // In a journal that was begun anew the first windows may end before what the table has.
  if (parts_.source.compare(window.end, held.position) > 0) held.position = window.end;
  if (!entry.staged_at || parts_.source.compare(window.end, *entry.staged_at) < 0) return;
  // Only a part of the window was taken: its rest is read again from here.
  if (window.end != *entry.staged_at) held = Held{Sequence{window.sequence.value - 1}, *entry.staged_at};
}

/// The table is exactly where its staged rows are.
Status Delivery::mend(TableEntry& entry) {
  auto& fact = entry.fact;
  const auto rows = MAIA_TRY(parse_row_condition(*fact.resync));
  entry.reconciled = MAIA_TRY(destination_->reconcile(
      entry.route.target(), {.rows = rows, .keep_surplus = options_.deletes != Deletes::apply}));
  fact.resync.reset();
  entry.staged_at.reset();
  fact.copied = true;
  entry.dirty = true;
  return happen(fact, TableEvent::copied);
}

bool Delivery::meet(TableEntry& entry) {
  const Held here{checkpoint_.sequence, checkpoint_.position};
  if (entry.fact.state != TableState::catching_up || entry.fact.held != here) return false;
  entry.fact.held.reset();
  entry.fact.had_until.reset();
  entry.joining = false;
  entry.dirty = true;
  settle(entry, checkpoint_.position);
  return true;
}

/// What came after `held` can be had no more; the rows are read again.
Status Delivery::give_up_history(TableEntry& entry) {
  auto& fact = entry.fact;
  const auto table = to_string(fact.source->name);
  if (!pipeline_.source_has_rows) {
    if (fact.state == TableState::paused || fact.state == TableState::quarantined) return {};
    const auto error = history_is_gone(entry);
    fact.reason = error.message;
    fact.hint = error.hint;
    entry.dirty = true;
    return happen(fact, TableEvent::fail);
  }
  parts_.observer.event(Observer::Level::warning,
                        "the journal does not reach back to where the table was held",
                        {{"destination", options_.name},
                         {"table", table},
                         {"held_at", parts_.source.describe(fact.held->position)},
                         {"then", "its rows are read again and compared"}});
  return read_again(entry);
}

Error Delivery::history_is_gone(const TableEntry& entry) const {
  return Error{
      Error::Code::invalid_config, Recovery::halt,
      fmt::format("{}: neither the journal nor the source has what came after {}, where it was held",
                  to_string(entry.fact.source->name), parts_.source.describe(entry.fact.held->position)),
      "the source is a log, so that rows cannot be read again; to begin anew: maia drop, empty the "
      "table, then maia run"};
}

Status Delivery::read_again(TableEntry& entry) {
  auto& fact = entry.fact;
  const bool apart = fact.state == TableState::paused || fact.state == TableState::quarantined;
  fact.resync.reset();
  if (can_resync(entry).ok()) {
    fact.resync = "";
  } else {
    // A history that is appended to stays; a copy is removed first, because nothing tells which rows are
    // gone.
    const bool stays = options_.mode == TableTarget::Mode::append;
    fact.rows = stays ? 0 : std::max<std::uint64_t>(fact.rows, 1);
  }
  fact.snapshot = {};
  fact.copied = false;
  fact.had_until.reset();
  fact.skip_until.reset();
  fact.converge_until.reset();
  entry.staged_at.reset();
  hold(entry);
  return apart ? Status() : happen(fact, TableEvent::reread);
}

Status Delivery::copy_anew(const std::string& id) {
  MAIA_TRY(load_tables());
  auto& entry = tables_.at(id);
  auto& fact = entry.fact;
  if (!pipeline_.source_has_rows) return can_resync(entry);
  parts_.observer.event(Observer::Level::warning,
                        "keys changed and large values were not told while the table was copied",
                        {{"destination", options_.name},
                         {"table", to_string(fact.source->name)},
                         {"then", "it is copied anew"}});
  snapshot_.reset();  // the table may have another shape by now than when this one was taken
  fact.snapshot = {};
  fact.copied = false;
  fact.rows = std::max<std::uint64_t>(fact.rows, 1);  // so that what is there is removed first
  fact.resync.reset();
  fact.skip_until.reset();
  fact.converge_until.reset();
  entry.staged_at.reset();
  hold(entry);
  MAIA_TRY(happen(fact, TableEvent::reread));
  return commit_facts();
}

}  // namespace maia::engine
