// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace maia::engine {
namespace {

constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::milliseconds kPublishEvery{200};
constexpr std::chrono::milliseconds kRest{1'000};
/// The destination's locks are not kept for a transaction that does nothing for so long.
constexpr std::chrono::milliseconds kLongestAhead{2'000};

/// Errors that one table may cause while the rest of the destination is well.
bool may_be_a_tables(const Error& error) {
  if (error.recovery != Recovery::halt) return false;
  switch (error.code) {
    case Error::Code::data:
    case Error::Code::unsupported:
    case Error::Code::invalid_config:
    case Error::Code::check_failed: return true;
    case Error::Code::unavailable:
    case Error::Code::timeout:
    case Error::Code::corruption:
    case Error::Code::lost_history:
    case Error::Code::fenced:
    case Error::Code::unknown_outcome:
    case Error::Code::storage:
    case Error::Code::cancelled:
    case Error::Code::internal: return false;
  }
  return false;
}

}  // namespace

Delivery::Delivery(Parts parts, const PipelineOptions& pipeline, DestinationOptions options,
                   OpenDestination open, std::vector<std::unique_ptr<Transform>> transforms, Epoch held)
    : parts_(parts),
      pipeline_(pipeline),
      options_(std::move(options)),
      open_destination_(std::move(open)),
      transforms_(std::move(transforms)),
      seal_(pipeline.name),
      size_({.max_rows = options_.max_rows, .max_bytes = options_.max_bytes}),
      waiting_(parts.source),
      backoff_(std::hash<std::string>{}(pipeline.name + options_.name)) {
  epoch_ = held;
  parts_.confirm.expect(options_.name);
}

Status Delivery::open() {
  phase_ = Phase::opening;
  {
    // The one before may hold what the next one takes, such as a lock on a file.
    const std::lock_guard lock(destination_mutex_);
    destination_.reset();
  }
  auto destination = std::shared_ptr<Destination>(MAIA_TRY(open_destination_()));
  auto opened = MAIA_TRY(destination->open(pipeline_.name, epoch_));
  epoch_ = opened.epoch;
  parts_.tenure.holds(options_.name);
  MAIA_TRY(seal_.open(opened));
  {
    const std::lock_guard lock(destination_mutex_);
    destination_ = std::move(destination);
  }
  credentials_.accepted();
  // The answer was lost to a commit that told of the selection; tables may have come with it that it knows
  // nothing of.
  const bool opened_before = !checkpoint_.position.empty();
  if (opened_before && opened.checkpoint.facts != checkpoint_.facts) selection_is_new_ = false;
  checkpoint_ = std::move(opened.checkpoint);
  MAIA_TRY(settle_letters());
  const auto oldest = MAIA_TRY(oldest_needed());
  parts_.confirm.durable(options_.name, oldest.sequence, oldest.position);
  parts_.confirm.delivered(options_.name, checkpoint_.position);
  parts_.observer.event(Observer::Level::info, "destination opened",
                        {{"destination", options_.name},
                         {"epoch", std::to_string(opened.epoch.value)},
                         {"sequence", std::to_string(checkpoint_.sequence.value)}});
  return {};
}

Status Delivery::assign(Assignment assignment) {
  assigned_ = std::move(assignment);
  snapshot_ = std::exchange(assigned_.snapshot, nullptr);
  const auto tail = parts_.journal.tail();
  base_ = tail.sequence;
  if (!pipeline_.source_has_rows) {
    // Without a copy all that the journal has is new to a destination that has nothing.
    base_ = Sequence{tail.first.value - 1};
    assigned_.from = MAIA_TRY(parts_.journal.end_of(base_));
  }
  selection_is_new_ = true;
  if (!is_open()) return {};
  if (assigned_.lost && !checkpoint_.position.empty()) {
    checkpoint_.sequence = assigned_.renumbered->sequence;
    checkpoint_.position = assigned_.renumbered->position;
  }
  MAIA_TRY(load_tables());
  MAIA_TRY(refuse_idle_transforms());
  if (assigned_.renumbered) MAIA_TRY(renumber(*assigned_.renumbered));
  MAIA_TRY(tell_removed());
  phase_ = Phase::running;
  publish("snapshot");
  return {};
}

std::optional<Error> Delivery::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

void Delivery::fail(Error error) {
  phase_ = Phase::failed;
  parts_.tenure.lets_go(options_.name);
  if (error.code == Error::Code::fenced) parts_.tenure.replaced(error);
  publish("failed", &error);
  parts_.observer.event(Observer::Level::error, "the destination failed",
                        {{"destination", options_.name}, {"error", error.message}, {"hint", error.hint}});
  const std::lock_guard lock(failure_mutex_);
  failure_ = std::move(error).in(options_.name);
}

Result<Step> Delivery::step(std::stop_token stop) {
  overtaken_.reset();
  culprit_.reset();
  suspects_ = false;
  write_refused_ = false;
  auto stepped = work(stop);
  if (stepped.ok() || stepped.error().reason == kBeginAgain) return stepped;
  if (ahead_) {
    // Whatever it is, it is met again, and dealt with, once the transaction has committed.
    MAIA_TRY(leave_ahead());
    return Step::again();
  }
  if (stepped.error().code == Error::Code::cancelled) {
    interrupt();
    if (phase_ == Phase::running) MAIA_TRY(load_tables());
    return Step::wait(std::chrono::milliseconds{0});
  }
  return contain(std::move(stepped).error());
}

Result<Step> Delivery::work(std::stop_token stop) {
  switch (phase_) {
    case Phase::opening:
      if (!MAIA_TRY(may_open())) return Step::wait(kLook);
      MAIA_TRY(open());
      if (!checkpoint_.position.empty()) MAIA_TRY(fits_journal());
      MAIA_TRY(load_tables());
      MAIA_TRY(tell_removed());
      phase_ = Phase::running;
      return Step::again();
    case Phase::failed: return Step::wait(kRest);
    case Phase::running: break;
  }
  if (parts_.tenure.waits_for(options_.name)) {
    if (ahead_) return taken_back();
    MAIA_TRY(commit_facts());
  }
  if (paused_) {
    publish("paused");
    return Step::wait(kRest);
  }
  bool busy = false;
  if (!ahead_) {
    MAIA_TRY(prepare_uncopied());
    busy = MAIA_TRY(copy(stop));
    busy = MAIA_TRY(catch_up(stop)) || busy;
  }
  const auto patience = busy ? std::chrono::milliseconds{0} : parts_.patience;
  if (streams()) busy = MAIA_TRY(stream(patience, stop)) || busy;
  backoff_.succeeded();
  return busy ? Step::again() : Step::wait(kLook - std::min(parts_.patience, kLook));
}

Result<bool> Delivery::may_open() {
  // By an epoch that it has had, the destination can tell itself.
  if (epoch_.value > 0) return true;
  if (!asked_) asked_ = parts_.tenure.ask();
  if (MAIA_TRY(parts_.tenure.answer(*asked_)) == Tenure::Answer::not_yet) return false;
  asked_.reset();
  return true;
}

Result<bool> Delivery::stream(std::chrono::milliseconds wait, std::stop_token stop) {
  if (!stream_.cursor) stream_.cursor = MAIA_TRY(parts_.journal.read(checkpoint_.sequence));
  const std::string_view state = copy_ ? "snapshot" : "streaming";
  auto window =
      MAIA_TRY(may_go_ahead() ? stream_.cursor->next_ahead(wait, stop) : stream_.cursor->next(wait, stop));
  if (!window) {
    if (ahead_ && parts_.clock.steady() - ahead_->grew >= kLongestAhead) return taken_back();
    lag_micros_ = 0;
    publish(state);
    return false;
  }
  MAIA_TRY(deliver(std::move(*window), stop));
  if (parts_.clock.steady() - last_publish_ >= kPublishEvery) publish(state);
  return true;
}

Status Delivery::deliver(WindowRef window, std::stop_token stop) {
  auto in_hand = ahead_.value_or(InHand{.began = parts_.clock.steady()});
  if (!ahead_) MAIA_TRY(destination_->begin());
  if (window->continues && window->transactions.empty()) return write_ahead(window, in_hand);
  const bool ahead = ahead_.has_value();
  if (ahead) MAIA_TRY(meet_commit(*window));
  for (;;) {
    MAIA_TRY(take(window, stream_));
    in_hand.rows += window->rows();
    in_hand.bytes += window->byte_size();
    if (window->continues) {
      // A transaction of any size must not pile up here; its pieces commit together all the same.
      MAIA_TRY(flush());
      auto rest = MAIA_TRY(stream_.cursor->next(kLook, stop));
      if (!rest) return Error{Error::Code::cancelled, Recovery::halt, "stopped within a transaction", ""};
      window = std::move(*rest);
      continue;
    }
    for (auto& [id, entry] : tables_) settle(entry, window->end);
    delivery_load_.hold(in_hand.bytes);
    if (in_hand.rows >= size_.rows() || in_hand.bytes >= size_.bytes() || stop.stop_requested()) break;
    if (window->sequence <= alone_until_) break;
    auto more = MAIA_TRY(stream_.cursor->next(std::chrono::milliseconds{0}, stop));
    if (!more) break;
    window = std::move(*more);
  }
  MAIA_TRY(flush());
  // In a journal that was begun anew the first windows may end before what the destination has.
  const bool behind = parts_.source.compare(window->end, checkpoint_.position) < 0;
  MAIA_TRY(commit(window->sequence, behind ? checkpoint_.position : window->end));
  delivery_load_.hold(0);
  const auto took = parts_.clock.steady() - in_hand.began;
  // How long one that was written ahead took is up to the source.
  if (!ahead)
    size_.committed(in_hand.rows, in_hand.bytes, std::chrono::duration_cast<WindowSize::Duration>(took));
  if (newest_commit_ > 0) lag_micros_ = std::max<std::int64_t>(0, parts_.clock.wall() - newest_commit_);
  return {};
}

Status Delivery::commit(Sequence sequence, const Position& position) {
  CheckpointUpdate update{.sequence = sequence, .position = position, .facts = other_facts_};
  bool tables_changed = false;
  for (auto& [id, entry] : tables_) {
    if (entry.dirty) update.facts[fact_key(id)] = to_json(entry.fact);
    tables_changed = tables_changed || entry.dirty;
  }
  tell_burial(update);
  update.seal = seal_.of(update);
  const auto asked = parts_.tenure.asked();
  {
    const StageLoad::Wait wait(delivery_load_, parts_.clock);
    MAIA_TRY(destination_->commit(update));
  }
  parts_.tenure.committed(options_.name, asked);
  seal_.committed(update);
  for (auto& [id, entry] : tables_) entry.dirty = false;
  selection_is_new_ = false;
  other_facts_.clear();
  skipped_.clear();
  isolating_ = false;
  rows_refused_ = 0;
  checkpoint_.sequence = sequence;
  checkpoint_.position = position;
  for (auto& [key, value] : update.facts) {
    if (value) {
      checkpoint_.facts[key] = *value;
    } else {
      checkpoint_.facts.erase(key);
    }
  }
  Held oldest{sequence, position};
  for (const auto& [id, entry] : tables_) {
    if (entry.fact.held) oldest = earlier(oldest, *entry.fact.held);
  }
  ++commits_;
  // Whoever hears that this is delivered must know of a table that came with it and lacks its rows.
  if (tables_changed) publish(state_if_well());
  parts_.confirm.durable(options_.name, oldest.sequence, oldest.position);
  parts_.confirm.delivered(options_.name, position);
  return burial_.empty() ? Status() : settle_letters();
}

Status Delivery::commit_facts() {
  MAIA_TRY(destination_->begin());
  return commit(checkpoint_.sequence, checkpoint_.position);
}

void Delivery::interrupt() {
  ahead_.reset();
  copy_.reset();
  stream_.cursor.reset();
  catch_up_.cursor.reset();
  pending_.clear();
  pending_tables_.clear();
  pending_batches_.clear();
  pending_windows_.clear();
  delivery_load_.hold(0);
  if (destination_) destination_->rollback();
}

Result<Step> Delivery::contain(Error error) {
  if (overtaken_) {
    interrupt();
    if (auto done = copy_anew(*overtaken_); !done.ok()) return recover(std::move(done).error());
    return Step::again();
  }
  // A table that has just appeared is nowhere else yet.
  std::optional<TableFact> fresh;
  if (const auto found = culprit_ ? tables_.find(*culprit_) : tables_.end(); found != tables_.end())
    fresh = found->second.fact;
  const auto blame = std::pair(culprit_, suspects_);
  auto set_aside = set_refused_aside();
  // What it tried on the way has no say in whose error this is.
  std::tie(culprit_, suspects_) = blame;
  if (!set_aside.ok()) {
    error = std::move(set_aside).error();
  } else if (*set_aside) {
    return Step::again();
  }
  if (!may_be_a_tables(error) || pipeline_.stop_on_row_failure || (!culprit_ && !suspects_)) {
    return recover(std::move(error));
  }
  interrupt();
  if (culprit_) {
    if (auto done = quarantine(*culprit_, std::move(fresh), error); !done.ok())
      return recover(std::move(done).error());
    return Step::again();
  }
  isolating_ = true;
  if (auto loaded = load_tables(); !loaded.ok()) return recover(std::move(loaded).error());
  return Step::again();
}

Result<Step> Delivery::recover(Error error) {
  interrupt();
  error = credentials_.taken(std::move(error), parts_.clock.steady());
  // A broken snapshot cannot be read again; the chunks that are left come from a new one.
  snapshot_.reset();
  if (error.recovery == Recovery::halt) {
    fail(error);
    if (pipeline_.stop_on_row_failure) return std::move(error).in(options_.name);
    return Step::wait(kRest);
  }
  ++retries_;
  if (error.recovery == Recovery::reconnect || !is_open()) {
    phase_ = Phase::opening;
    parts_.tenure.lets_go(options_.name);
  } else {
    MAIA_TRY(load_tables());
    phase_ = Phase::running;
  }
  const auto wait = phase_ == Phase::opening ? backoff_.connect(parts_.clock.steady()) : backoff_.next();
  publish("waiting to retry", &error);
  parts_.observer.event(Observer::Level::warning, "delivery was interrupted",
                        {{"destination", options_.name},
                         {"error", error.message},
                         {"retry_in_ms", std::to_string(wait.count())}});
  return Step::wait(wait);
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
