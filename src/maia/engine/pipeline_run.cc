// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/pipeline_run.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::engine {
namespace {

constexpr std::chrono::milliseconds kLook{20};
/// For what reads the journal or sends many rows.
constexpr std::chrono::minutes kLongWork{10};

}  // namespace

PipelineRun::PipelineRun(Parts parts)
    : parts_(std::move(parts)),
      confirm_(*parts_.source, parts_.options.confirm),
      runtime_(parts_.runtime ? std::move(parts_.runtime) : std::make_unique<Threads>()) {
  for (auto& destination : parts_.destinations) {
    const Delivery::Parts shared{.source = *parts_.source,
                                 .source_mutex = source_mutex_,
                                 .journal = *parts_.journal,
                                 .confirm = confirm_,
                                 .board = board_,
                                 .observer = *parts_.observer,
                                 .dead_letters = *parts_.dead_letters,
                                 .tenure = tenure_,
                                 .clock = *parts_.clock,
                                 .patience = runtime_->patience()};
    deliveries_.push_back(std::make_unique<Delivery>(shared, parts_.options, std::move(destination.options),
                                                     std::move(destination.open),
                                                     std::move(destination.transforms), destination.held));
  }
  board_.change([&](PipelineStatus& status) {
    status.name = parts_.options.name;
    status.lost_history = parts_.lost_history;
  });
}

PipelineRun::~PipelineRun() { runtime_->end(); }

Status PipelineRun::start(std::stop_token stop) {
  Backoff backoff(std::hash<std::string>{}(parts_.options.name) + 1);
  for (;;) {
    auto started = start_once();
    if (started.ok()) return started;
    if (started.error().recovery == Recovery::halt) {
      tell_end(started.error());
      return started;
    }
    const auto wait = backoff.connect(parts_.clock->steady());
    parts_.observer->event(
        Observer::Level::warning, "the pipeline could not start yet",
        {{"error", started.error().message}, {"retry_in_ms", std::to_string(wait.count())}});
    board_.change([&](PipelineStatus& status) { status.capture_error = started.error().message; });
    runtime_->rest(wait, stop);
    if (stop.stop_requested()) return started;
  }
}

Status PipelineRun::start_once() {
  MAIA_TRY(parts_.journal->mend());
  MAIA_TRY(open_destinations());
  std::vector<SourceTable> tables = MAIA_TRY(parts_.source->tables());
  for (const auto& table : tables) {
    if (table.problem.empty()) continue;
    return Error{Error::Code::check_failed, Recovery::halt,
                 to_string(table.schema->name) + ": " + table.problem, table.hint};
  }
  // A log's tables may all be yet to come.
  if (tables.empty() && parts_.options.source_has_rows) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 "no table at the source matches tables:", "maia discover lists what is there"};
  }
  const auto begun = MAIA_TRY(begin());
  const auto& prepared = begun.prepared;
  from_ = prepared.from;
  // So that the journal knows from where on it holds the source's history.
  const auto tail = parts_.journal->tail();
  if (tail.position.empty()) MAIA_TRY(parts_.journal->reset(tail.sequence, from_));
  // The publication may only now exist, and with it what the tables look like through it.
  tables = MAIA_TRY(parts_.source->tables());
  const auto offered_at = MAIA_TRY(parts_.source->end());
  std::shared_ptr<Snapshot> snapshot;
  if (prepared.created && parts_.options.snapshot) snapshot = MAIA_TRY(parts_.source->snapshot());
  std::vector<SchemaRef> known;
  for (const auto& table : tables) known.push_back(table.schema);
  for (auto& delivery : deliveries_) {
    MAIA_TRY(delivery->assign({.tables = tables,
                               .offered_at = offered_at,
                               .from = from_,
                               .snapshot = snapshot,
                               .renumbered = begun.renumbered,
                               .lost = begun.lost}));
    for (const auto& shape : delivery->delivered_shapes()) {
      std::erase_if(known, [&](const SchemaRef& each) { return each->id == shape->id; });
      known.push_back(shape);
    }
  }
  const Capture::Parts shared{.source = *parts_.source,
                              .source_mutex = source_mutex_,
                              .journal = *parts_.journal,
                              .confirm = confirm_,
                              .board = board_,
                              .observer = *parts_.observer,
                              .clock = *parts_.clock,
                              .load = capture_load_,
                              .patience = runtime_->patience()};
  capture_ = std::make_unique<Capture>(shared, parts_.options, from_, std::move(known));
  launch(*capture_);
  for (auto& delivery : deliveries_) launch(*delivery);
  return {};
}

/// One that is not there does not keep the others from going on, if they can without knowing where it stands.
Status PipelineRun::open_destinations() {
  // Those that this process has had tell whether a newer run is there, before anything is taken from it.
  std::vector<Delivery*> order;
  for (auto& delivery : deliveries_) order.push_back(delivery.get());
  std::stable_partition(order.begin(), order.end(),
                        [](auto* delivery) { return delivery->epoch().value > 0; });
  std::optional<Error> failed;
  std::size_t there = 0;
  for (auto* delivery : order) {
    auto opened = in(delivery->name(), delivery->open());
    if (opened.ok()) {
      ++there;
      continue;
    }
    if (opened.error().code == Error::Code::fenced) return std::move(opened).error();
    const bool better =
        !failed || (failed->recovery == Recovery::halt && opened.error().recovery != Recovery::halt);
    if (better) failed = opened.error();
    if (opened.error().recovery == Recovery::halt && deliveries_.size() > 1 &&
        !parts_.options.stop_on_row_failure)
      delivery->fail(std::move(opened).error());
  }
  const bool known = parts_.journal->tail().sequence.value > 0;
  if (failed && (there == 0 || !known || parts_.options.stop_on_row_failure)) return std::move(*failed);
  return {};
}

Result<PipelineRun::Beginning> PipelineRun::begin() {
  auto begun = go_on();
  if (begun.ok()) return begun;
  const auto error = explained(std::move(begun).error());
  if (!resyncs_after(error)) return error;
  return begin_anew(error);
}

Result<PipelineRun::Beginning> PipelineRun::go_on() {
  auto resume = MAIA_TRY(resume_position());
  auto prepared = MAIA_TRY(prepare_source(resume));
  if (resume.renumbered && !resume.position) resume.renumbered->position = prepared.from;
  return Beginning{.prepared = std::move(prepared), .renumbered = std::move(resume.renumbered)};
}

bool PipelineRun::begins_again_after(const Error& error) const {
  return error.reason == Delivery::kBeginAgain || resyncs_after(error);
}

Epoch PipelineRun::epoch_of(const std::string& destination) const {
  for (const auto& delivery : deliveries_) {
    if (delivery->name() == destination) return delivery->epoch();
  }
  return {};
}

/// Another server is more likely a slip in the settings than the new home of the data, and what somebody did
/// to a checkpoint is no loss at the source: none of them is a reason to change rows.
bool PipelineRun::resyncs_after(const Error& error) const {
  return parts_.options.resync_lost_history && parts_.options.source_has_rows &&
         error.code == Error::Code::lost_history && error.reason != "other_server" &&
         error.reason != "checkpoint_edited" && error.reason != "checkpoint_removed";
}

/// Until the last destination has noted where it begins, each start comes here again.
Result<PipelineRun::Beginning> PipelineRun::begin_anew(const Error& lost) {
  Sequence newest;
  for (const auto& delivery : deliveries_) {
    if (!delivery->is_open()) {
      return Error{Error::Code::unavailable, Recovery::retry,
                   fmt::format("{}; and {} is not there to be compared", lost.message, delivery->name()),
                   "the pipeline begins anew as soon as all destinations are there"};
    }
    newest = std::max(newest, delivery->checkpoint().sequence);
  }
  parts_.observer->event(Observer::Level::warning, "history was lost",
                         {{"reason", std::string(lost.reason)},
                          {"error", lost.message},
                          {"then", "all tables are compared with the source, and what differs is copied"}});
  auto prepared = MAIA_TRY(parts_.source->begin_anew());
  // One that has not noted it when we are killed must not be taken for one that has.
  const Held base{Sequence{newest.value + 1}, prepared.from};
  MAIA_TRY(parts_.journal->reset(base.sequence, base.position));
  board_.change([&](PipelineStatus& status) { ++status.lost_history[std::string(lost.reason)]; });
  return Beginning{.prepared = std::move(prepared), .renumbered = base, .lost = true};
}

Result<PipelineRun::Resume> PipelineRun::resume_position() {
  const auto tail = parts_.journal->tail();
  std::optional<Position> oldest;
  Sequence newest;
  journal_fit_ = JournalFit::continues;
  bool journal_serves = tail.sequence.value > 0;
  bool all_known = true;
  bool from_start = false;
  for (const auto& delivery : deliveries_) {
    all_known = all_known && delivery->is_open();
    const auto& checkpoint = delivery->checkpoint();
    if (checkpoint.position.empty()) {
      // It copies, or else needs all that a log has.
      from_start = from_start || (delivery->is_open() && !parts_.options.source_has_rows);
      continue;
    }
    newest = std::max(newest, checkpoint.sequence);
    const auto fit =
        MAIA_TRY(fit_of(*parts_.journal, *parts_.source, checkpoint.sequence, checkpoint.position));
    if (fit != JournalFit::continues) journal_fit_ = fit;
    journal_serves = journal_serves && fit == JournalFit::continues;
    const auto needed = MAIA_TRY(delivery->oldest_needed()).position;
    if (!oldest) {
      oldest = needed;
      continue;
    }
    const auto order = parts_.source->compare(needed, *oldest);
    if (order == std::partial_ordering::unordered) {
      return Error{Error::Code::lost_history, Recovery::halt,
                   "the destinations hold positions of different histories of the source",
                   "resync the destination that is wrong: maia drop, then run again", "history_parted"};
    }
    if (order < 0) oldest = needed;
  }
  if (from_start && tail.first.value > 1) journal_serves = false;
  if (oldest && journal_serves) return Resume{.position = tail.position, .renumbered = {}};
  if (!all_known) {
    // One that refused for good, to a run that was replaced above all, is not to be waited for.
    for (const auto& delivery : deliveries_) {
      if (auto refused = delivery->failure()) return std::move(*refused);
    }
    return Error{Error::Code::unavailable, Recovery::retry,
                 "the journal must begin anew, and not every destination can be asked where it stands",
                 "the pipeline starts as soon as all destinations are there"};
  }
  // What the journal holds does not continue what the destinations hold (it is new, lost or older than they
  // are), and the source still has everything that they have not.
  const Held base{newest, from_start ? Position{} : oldest.value_or(Position{})};
  MAIA_TRY(parts_.journal->reset(base.sequence, base.position));
  return Resume{.position = from_start ? std::nullopt : oldest,
                .renumbered = oldest ? std::optional(base) : std::nullopt};
}

/// What only tables that are held would need from a lost journal is not worth stopping for: they are read
/// again. Where the journal says nothing, the source must be able to go on from each checkpoint: one that is
/// not the oldest may be of a past that the source has lost. A log of several parts wants to hear of every
/// place ahead where something stands, so that it comes by there.
Result<Source::Prepared> PipelineRun::prepare_source(Resume& resume) {
  for (const auto& delivery : deliveries_) {
    const auto& position = delivery->checkpoint().position;
    if (!resume.renumbered || position.empty() || position == resume.renumbered->position) continue;
    MAIA_TRY(parts_.source->prepare(position));
  }
  for (const auto& delivery : deliveries_) {
    if (parts_.options.source_has_rows || (!resume.position && !resume.renumbered)) break;
    for (const auto& place : MAIA_TRY(delivery->places())) {
      const bool later = !resume.position || parts_.source->compare(place, *resume.position) > 0;
      if (later) MAIA_TRY(parts_.source->prepare(place));
    }
  }
  auto prepared = parts_.source->prepare(resume.position);
  const bool lost = !prepared.ok() && prepared.error().code == Error::Code::lost_history;
  if (!lost || !resume.renumbered) return prepared;
  std::optional<Position> oldest;
  for (const auto& delivery : deliveries_) {
    const auto& position = delivery->checkpoint().position;
    if (position.empty()) continue;
    if (!oldest || parts_.source->compare(position, *oldest) < 0) oldest = position;
  }
  if (!oldest || *oldest == resume.renumbered->position) return prepared;
  resume.position = oldest;
  resume.renumbered->position = *oldest;
  MAIA_TRY(parts_.journal->reset(resume.renumbered->sequence, *oldest));
  return parts_.source->prepare(resume.position);
}

/// The source only sees that it cannot give what is asked for; why that is asked for, we know.
Error PipelineRun::explained(Error error) const {
  if (error.code != Error::Code::lost_history || journal_fit_ == JournalFit::continues) return error;
  error.message = fmt::format("{}; and {}", explain(journal_fit_), error.message);
  if (journal_fit_ == JournalFit::released) error.reason = "destination_restored";
  return error;
}

void PipelineRun::tell_end(const Error& error) {
  const bool lost = error.code == Error::Code::lost_history;
  board_.change([&](PipelineStatus& status) {
    status.capture = lost ? "lost history" : "failed";
    status.capture_error = error.message;
    status.capture_hint = error.hint;
    // Where the next run begins anew, that one counts it.
    if (lost && !resyncs_after(error)) ++status.lost_history[std::string(error.reason)];
  });
}

void PipelineRun::launch(Task& task) {
  runtime_->launch(task, [this](Task& failed, Error error) { fail(failed, std::move(error)); });
}

void PipelineRun::fail(Task& task, Error error) {
  parts_.observer->event(Observer::Level::error, "stopped",
                         {{"task", task.name()}, {"error", error.message}, {"hint", error.hint}});
  const std::lock_guard lock(failure_mutex_);
  if (!failure_) failure_ = std::move(error);
}

std::optional<Error> PipelineRun::failure() const {
  {
    const std::lock_guard lock(failure_mutex_);
    if (failure_) return failure_;
  }
  std::optional<Error> first;
  for (const auto& delivery : deliveries_) {
    auto error = delivery->failure();
    if (!error) return std::nullopt;
    if (!first) first = std::move(error);
  }
  return first;
}

Status PipelineRun::wait(std::stop_token stop) {
  while (!stop.stop_requested() && !failure()) runtime_->rest(kLook, stop);
  runtime_->end();
  if (capture_) capture_->end();
  auto error = failure();
  for (const auto& delivery : deliveries_) {
    if (!error) error = delivery->failure();
  }
  if (!error) return {};
  tell_end(*error);
  return std::move(*error);
}

Result<Position> PipelineRun::source_end() {
  const std::lock_guard lock(source_mutex_);
  return parts_.source->end();
}

bool PipelineRun::reached(const Position& position) const {
  for (const auto& destination : board_.read().destinations) {
    if (destination.state == "failed" || destination.state == "paused") continue;
    if (destination.state != "streaming" || !confirm_.reached(destination.name, position)) return false;
    for (const auto& [id, table] : destination.tables) {
      switch (table.state) {
        case TableState::waiting:
        case TableState::snapshot:
        case TableState::catching_up: return false;
        case TableState::streaming:
        case TableState::paused:
        case TableState::quarantined:
        case TableState::removed: break;
      }
    }
  }
  return board_.read().destinations.size() == deliveries_.size();
}

void PipelineRun::hurry(bool on) {
  if (capture_) capture_->hurry(on);
}

Status PipelineRun::drain_to(const Position& position, std::stop_token stop) {
  hurry(true);
  while (!reached(position)) {
    if (auto error = failure()) return std::move(*error);
    if (stop.stop_requested()) {
      return Error{Error::Code::cancelled, Recovery::halt, "stopped before everything was delivered", ""};
    }
    runtime_->rest(kLook, stop);
  }
  hurry(false);
  return {};
}

Result<std::string> PipelineRun::ask(const std::string& destination,
                                     const std::function<Result<std::string>(Delivery&)>& work,
                                     std::chrono::seconds limit) {
  std::vector<std::future<Result<std::string>>> answers;
  std::string names;
  for (auto& delivery : deliveries_) {
    names += (names.empty() ? "" : ", ") + delivery->name();
    if (!destination.empty() && destination != delivery->name()) continue;
    answers.push_back(delivery->mailbox().post([&delivery = *delivery, work] { return work(delivery); }));
  }
  if (answers.empty()) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("no destination is named {}", destination), "name one of: " + names};
  }
  std::string all;
  std::optional<Error> failed;
  for (auto& each : answers) {
    if (each.wait_for(limit) != std::future_status::ready) {
      return Error{Error::Code::timeout, Recovery::retry, "the pipeline is busy and has not answered yet",
                   "it will do what was asked; maia status shows it"};
    }
    auto answer = each.get();
    if (answer.ok()) {
      all += (all.empty() ? "" : "\n") + *answer;
    } else if (!failed) {
      failed = std::move(answer).error();
    }
  }
  // Where one of several destinations could, the others had nothing to do.
  if (failed && all.empty()) return std::move(*failed);
  return all;
}

Result<std::string> PipelineRun::replay_letters(const LetterFilter& which, bool force) {
  const auto work = [which, force](Delivery& delivery) { return delivery.replay_letters(which, force); };
  return ask(which.destination, work, kLongWork);
}

Status PipelineRun::letters_changed() {
  const auto work = [](Delivery& delivery) -> Result<std::string> {
    MAIA_TRY(delivery.letters_changed());
    return delivery.name();
  };
  MAIA_TRY(ask({}, work));
  return {};
}

Result<std::string> PipelineRun::send_again(const Moment& from, const std::string& destination,
                                            const std::string& table) {
  const auto work = [from, table](Delivery& delivery) { return delivery.send_again(from, table); };
  return ask(destination, work, kLongWork);
}

Result<std::vector<Rollback>> PipelineRun::rollback(const Moment& to, const std::string& destination,
                                                    const std::string& table, RollbackHow how) {
  // Shared with the tasks, one of which may answer when nobody waits any more.
  const auto plans = std::make_shared<std::vector<Rollback>>();
  const auto mutex = std::make_shared<std::mutex>();
  const auto work = [=](Delivery& delivery) -> Result<std::string> {
    auto plan =
        MAIA_TRY(how.apply ? delivery.rollback(to, table, how.partial) : delivery.plan_rollback(to, table));
    const std::lock_guard lock(*mutex);
    plans->push_back(std::move(plan));
    return delivery.name();
  };
  MAIA_TRY(ask(destination, work, kLongWork));
  const std::lock_guard lock(*mutex);
  return *plans;
}

Result<std::string> PipelineRun::pause(const std::string& destination, const std::string& table) {
  return ask(destination, [table](Delivery& delivery) { return delivery.pause(table); });
}

Result<std::string> PipelineRun::resume(const std::string& destination, const std::string& table) {
  return ask(destination, [table](Delivery& delivery) { return delivery.resume(table); });
}

Result<std::string> PipelineRun::resync(const std::string& destination, const std::string& table,
                                        const std::string& rows) {
  return ask(destination, [table, rows](Delivery& delivery) { return delivery.resync(table, rows); });
}

PipelineStatus PipelineRun::status() const {
  auto status = board_.read();
  status.capturing.waited_micros = capture_load_.waited(*parts_.clock).count();
  for (const auto& delivery : deliveries_) delivery->add_load(status);
  return status;
}

std::future<Result<std::string>> PipelineRun::refit(const Refit& refit) {
  for (auto& delivery : deliveries_) {
    if (delivery->name() != refit.destination) continue;
    return delivery->mailbox().post(
        [&delivery = *delivery, refit] { return delivery.refit(refit.table, refit.reread); });
  }
  std::promise<Result<std::string>> none;
  none.set_value(Error{Error::Code::invalid_config, Recovery::halt,
                       fmt::format("no destination is named {}", refit.destination), ""});
  return none.get_future();
}

Result<Destination::QueryResult> PipelineRun::query(std::string_view name, std::string_view sql,
                                                    const Destination::QueryLimits& limits) {
  std::string names;
  for (auto& delivery : deliveries_) {
    if (delivery->name() == name || (name.empty() && deliveries_.size() == 1))
      return delivery->query(sql, limits);
    names += (names.empty() ? "" : ", ") + delivery->name();
  }
  return Error{Error::Code::invalid_config, Recovery::halt,
               name.empty() ? "the pipeline has several destinations"
                            : fmt::format("no destination is named {}", name),
               "name one of: " + names};
}

}  // namespace maia::engine
