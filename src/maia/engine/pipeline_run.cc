// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/pipeline_run.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::engine {
namespace {

constexpr std::chrono::milliseconds kLook{20};

}  // namespace

PipelineRun::PipelineRun(Parts parts)
    : parts_(std::move(parts)),
      confirm_(*parts_.source),
      runtime_(parts_.runtime ? std::move(parts_.runtime) : std::make_unique<Threads>()) {
  for (auto& destination : parts_.destinations) {
    const Delivery::Parts shared{.source = *parts_.source,
                                 .source_mutex = source_mutex_,
                                 .journal = *parts_.journal,
                                 .confirm = confirm_,
                                 .board = board_,
                                 .observer = *parts_.observer,
                                 .dead_letters = *parts_.dead_letters,
                                 .clock = *parts_.clock,
                                 .patience = runtime_->patience()};
    deliveries_.push_back(std::make_unique<Delivery>(shared, parts_.options, std::move(destination.options),
                                                     std::move(destination.open),
                                                     std::move(destination.transforms)));
  }
  board_.change([&](PipelineStatus& status) { status.name = parts_.options.name; });
}

PipelineRun::~PipelineRun() { runtime_->end(); }

Status PipelineRun::start(std::stop_token stop) {
  Backoff backoff(std::hash<std::string>{}(parts_.options.name) + 1);
  for (;;) {
    auto started = start_once();
    if (started.ok() || started.error().recovery == Recovery::halt) return started;
    const auto wait = backoff.next();
    parts_.observer->event(
        Observer::Level::warning, "the pipeline could not start yet",
        {{"error", started.error().message}, {"retry_in_ms", std::to_string(wait.count())}});
    board_.change([&](PipelineStatus& status) { status.capture_error = started.error().message; });
    runtime_->rest(wait, stop);
    if (stop.stop_requested()) return started;
  }
}

Status PipelineRun::start_once() {
  MAIA_TRY(open_destinations());
  const auto resume = MAIA_TRY(resume_position());
  std::vector<SourceTable> tables = MAIA_TRY(parts_.source->tables());
  for (const auto& table : tables) {
    if (table.problem.empty()) continue;
    return Error{Error::Code::check_failed, Recovery::halt,
                 to_string(table.schema->name) + ": " + table.problem, table.hint};
  }
  if (tables.empty()) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 "no table at the source matches tables:", "maia discover lists what is there"};
  }
  const auto prepared = MAIA_TRY(parts_.source->prepare(resume));
  from_ = prepared.from;
  // The publication may only now exist, and with it what the tables look like through it.
  tables = MAIA_TRY(parts_.source->tables());
  std::shared_ptr<Snapshot> snapshot;
  if (prepared.created && parts_.options.snapshot) snapshot = MAIA_TRY(parts_.source->snapshot());
  std::vector<SchemaRef> known;
  for (const auto& table : tables) known.push_back(table.schema);
  for (auto& delivery : deliveries_) {
    MAIA_TRY(delivery->assign(tables, from_, snapshot));
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
                              .patience = runtime_->patience()};
  capture_ = std::make_unique<Capture>(shared, parts_.options, from_, std::move(known));
  launch(*capture_);
  for (auto& delivery : deliveries_) launch(*delivery);
  return {};
}

Status PipelineRun::open_destinations() {
  for (auto& delivery : deliveries_) MAIA_TRY(in(delivery->name(), delivery->open()));
  return {};
}

Result<std::optional<Position>> PipelineRun::resume_position() {
  const auto tail = parts_.journal->tail();
  std::optional<Position> oldest;
  Sequence newest;
  bool journal_serves = tail.sequence.value > 0;
  for (const auto& delivery : deliveries_) {
    const auto& checkpoint = delivery->checkpoint();
    if (checkpoint.position.empty()) continue;
    newest = std::max(newest, checkpoint.sequence);
    const bool readable =
        checkpoint.sequence <= tail.sequence && checkpoint.sequence.value + 1 >= tail.first.value;
    journal_serves = journal_serves && readable;
    if (!oldest) {
      oldest = checkpoint.position;
      continue;
    }
    const auto order = parts_.source->compare(checkpoint.position, *oldest);
    if (order == std::partial_ordering::unordered) {
      return Error{Error::Code::lost_history, Recovery::halt,
                   "the destinations hold positions of different histories of the source",
                   "resync the destination that is wrong: maia drop, then run again"};
    }
    if (order < 0) oldest = checkpoint.position;
  }
  if (oldest && journal_serves) return std::optional(tail.position);
  // What the journal holds does not continue what the destinations hold (it is new, lost or older than they
  // are), and the source still has everything that they have not.
  MAIA_TRY(parts_.journal->reset(newest, oldest.value_or(Position{})));
  return oldest;
}

void PipelineRun::launch(Task& task) {
  runtime_->launch(task, [this](Task& failed, Error error) { fail(failed, std::move(error)); });
}

void PipelineRun::fail(Task& task, Error error) {
  parts_.observer->event(Observer::Level::error, "stopped",
                         {{"task", task.name()}, {"error", error.message}, {"hint", error.hint}});
  const std::lock_guard lock(failure_mutex_);
  if (!failure_) failure_ = std::move(error);
  failed_.notify_all();
}

std::optional<Error> PipelineRun::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

Status PipelineRun::wait(std::stop_token stop) {
  {
    std::unique_lock lock(failure_mutex_);
    failed_.wait(lock, stop, [&] { return failure_.has_value(); });
  }
  runtime_->end();
  if (auto error = failure()) return std::move(*error);
  return {};
}

Result<Position> PipelineRun::source_end() {
  const std::lock_guard lock(source_mutex_);
  return parts_.source->end();
}

bool PipelineRun::reached(const Position& position) const {
  if (!confirm_.reached(position)) return false;
  for (const auto& destination : board_.read().destinations) {
    if (destination.state != "streaming") return false;
    for (const auto& [id, table] : destination.tables) {
      if (table.state != TableState::streaming) return false;
    }
  }
  return true;
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

Result<std::string> PipelineRun::replay_letters(const LetterFilter& which, bool force) {
  std::string answers;
  for (auto& delivery : deliveries_) {
    if (!which.destination.empty() && which.destination != delivery->name()) continue;
    auto asked = delivery->mailbox().post([&] { return delivery->replay_letters(which, force); });
    answers += (answers.empty() ? "" : "\n") + MAIA_TRY(asked.get());
  }
  if (!answers.empty()) return answers;
  return Error{Error::Code::invalid_config, Recovery::halt,
               fmt::format("no destination is named {}", which.destination), "maia status lists them"};
}

Status PipelineRun::letters_changed() {
  for (auto& delivery : deliveries_) {
    auto asked = delivery->mailbox().post([&]() -> Result<std::string> {
      MAIA_TRY(delivery->letters_changed());
      return std::string();
    });
    MAIA_TRY(asked.get());
  }
  return {};
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
