// SPDX-License-Identifier: Apache-2.0
#include "maia/app/pipeline_service.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>

#include "maia/app/control.h"
#include "maia/app/file_history.h"
#include "maia/app/moment.h"
#include "maia/app/pipeline_plan.h"
#include "maia/app/pipelines.h"
#include "maia/app/state_directory.h"
#include "maia/base/disk.h"
#include "maia/base/log.h"
#include "maia/config/json.h"
#include "maia/journal/local_journal.h"

namespace maia::app {
namespace {

log::Level level_of(engine::Observer::Level level) {
  switch (level) {
    case engine::Observer::Level::info: return log::Level::info;
    case engine::Observer::Level::warning: return log::Level::warning;
    case engine::Observer::Level::error: return log::Level::error;
  }
  return log::Level::error;
}

/// What a run that ends by itself has not delivered.
Status set_aside(const engine::PipelineStatus& status) {
  std::string tables;
  std::string hint;
  for (const auto& destination : status.destinations) {
    for (const auto& [id, table] : destination.tables) {
      if (table.state != engine::TableState::quarantined) continue;
      tables += fmt::format("{}{} at {}: {}", tables.empty() ? "" : "; ", table.source, destination.name,
                            table.reason);
      if (hint.empty()) hint = table.hint;
    }
  }
  if (tables.empty()) return {};
  return Error{Error::Code::data, Recovery::halt, "quarantined: " + tables,
               (hint.empty() ? "" : hint + "; ") + "then maia resume --table NAME while the pipeline runs"};
}

/// Whole segments go, so a small limit needs small segments.
LocalJournal::Options journal_options(const config::PipelineSettings& settings, const std::string& directory,
                                      std::uint64_t recent_bytes) {
  LocalJournal::Options options{.directory = directory + "/journal", .recent_bytes = recent_bytes};
  if (const auto& limit = settings.journal.max_bytes) {
    options.segment_bytes = std::min(options.segment_bytes, limit->bytes / 8);
  }
  options.segment_bytes = std::min(options.segment_bytes,
                                   std::max<std::uint64_t>(settings.journal.retain_bytes.bytes / 8, 1 << 20));
  return options;
}

constexpr std::chrono::minutes kRefit{2};

Error stopped() {
  return Error{Error::Code::unavailable, Recovery::halt, "the pipeline has stopped",
               "maia run starts it with the file that it is given"};
}

}  // namespace

void LogObserver::event(Level level, std::string_view what, const Fields& fields) {
  std::vector<log::Field> all{{"pipeline", pipeline_}};
  for (const auto& [name, value] : fields) {
    if (!value.empty()) all.emplace_back(name, value);
  }
  log::write(level_of(level), what, log::Fields(all));
  if (what != kCopied) return;
  for (const auto& [name, value] : fields) {
    if (name == "destination") copied_(value);
  }
}

Result<std::unique_ptr<PipelineService>> PipelineService::open(const config::PipelineSettings& settings,
                                                               const std::string& state,
                                                               const Outside& outside, Memory memory) {
  std::unique_ptr<PipelineService> service(
      new PipelineService(settings.name, state, outside, std::move(memory)));
  service->directory_ =
      pipeline_directory(MAIA_TRY(state_directory(state, outside.environment)), settings.name);
  MAIA_TRY(system_disk().make_directories(service->directory_));
  const auto file = service->directory_ + "/maia.sqlite";
  service->dead_letters_ = MAIA_TRY(DeadLetterFile::open(letter_file(service->directory_)));
  service->refits_ = MAIA_TRY(Refits::open(file));
  service->measurements_ = MAIA_TRY(Measurements::open(file));
  auto parts = MAIA_TRY(service->parts_of(settings));
  MAIA_TRY(service->put(settings, std::move(parts)));
  MAIA_TRY(in("history", remember(settings, "run", service->directory_)));
  return service;
}

Result<engine::PipelineRun::Parts> PipelineService::parts_of(const config::PipelineSettings& settings) {
  const auto memory = memory_(settings.destinations.size());
  engine::PipelineRun::Parts parts;
  parts.options = engine_options(settings, *find_connector(outside_.connectors, settings.source.type));
  parts.options.snapshot_queue_bytes = memory.copy_queue;
  parts.source = MAIA_TRY(in("source", open_source(settings, state_, outside_)));
  for (const auto& destination : settings.destinations) {
    engine::PipelineRun::DestinationParts each;
    each.options = engine_options(settings, destination);
    each.options.max_bytes = std::min(each.options.max_bytes, memory.window);
    each.open = [settings, destination, this, bytes = memory.destination] {
      return open_destination_again(settings, destination.name, state_, outside_, bytes);
    };
    each.transforms = MAIA_TRY(compile_transforms(destination.transforms));
    each.options.transactional = find_connector(outside_.connectors, destination.type)->can.transactional;
    parts.destinations.push_back(std::move(each));
  }
  parts.dead_letters = dead_letters_.get();
  parts.observer = &observer_;
  parts.clock = &system_clock();
  return parts;
}

Status PipelineService::put(const config::PipelineSettings& settings, engine::PipelineRun::Parts parts) {
  const std::unique_lock lock(run_mutex_);
  if (run_) parts.lost_history = run_->status().lost_history;
  run_.reset();
  const auto memory = memory_(settings.destinations.size());
  auto journal =
      MAIA_TRY(LocalJournal::open(system_disk(), journal_options(settings, directory_, memory.journal)));
  if (const auto& torn = journal->torn_tail()) {
    log::info("the journal's torn end was cut off", {{"pipeline", name_}, {"file", torn->file}});
  }
  parts.journal = std::move(journal);
  run_ = std::make_unique<engine::PipelineRun>(std::move(parts));
  settings_ = settings;
  return {};
}

std::vector<std::string> PipelineService::promises() const {
  const std::shared_lock lock(run_mutex_);
  std::vector<std::string> lines;
  for (const auto& destination : settings_.destinations) {
    const auto guarantee = guarantee_of(*find_connector(outside_.connectors, settings_.source.type),
                                        *find_connector(outside_.connectors, destination.type));
    lines.push_back(fmt::format("{}: {}", destination.name, to_string(guarantee)));
  }
  return lines;
}

engine::PipelineStatus PipelineService::status() const {
  const std::shared_lock lock(run_mutex_);
  if (run_) return run_->status();
  engine::PipelineStatus status;
  status.name = name_;
  return status;
}

Error PipelineService::changing_settings() {
  return Error{Error::Code::unavailable, Recovery::retry, "the pipeline is changing its settings",
               "try again shortly"};
}

Result<std::string> PipelineService::control(const ControlRequest& request) {
  return in_run([&](engine::PipelineRun& run) -> Result<std::string> {
    switch (request.action) {
      case ControlRequest::Action::pause: return run.pause(request.destination, request.table);
      case ControlRequest::Action::resume: return run.resume(request.destination, request.table);
      case ControlRequest::Action::resync:
        return run.resync(request.destination, request.table, request.rows);
    }
    return std::string();
  });
}

Result<config::Node> PipelineService::letters(const LetterRequest& request) {
  if (request.action == LetterRequest::Action::replay) {
    const LetterFilter which{.ids = request.ids,
                             .table = request.table,
                             .destination = request.destination,
                             .status = {},
                             .failed_before = request.failed_before};
    auto answer =
        MAIA_TRY(in_run([&](engine::PipelineRun& run) { return run.replay_letters(which, request.force); }));
    return config::Object().set("answer", answer).node();
  }
  auto answer = MAIA_TRY(answer_letters(*dead_letters_, request));
  if (request.action == LetterRequest::Action::purge)
    MAIA_TRY(in_run([](engine::PipelineRun& run) { return run.letters_changed(); }));
  return answer;
}

Result<std::string> PipelineService::send_again(const HistoryRequest& request) {
  const auto from = MAIA_TRY(parse_moment(request.at, system_clock().wall()));
  return in_run(
      [&](engine::PipelineRun& run) { return run.send_again(from, request.destination, request.table); });
}

Result<config::Node> PipelineService::rollback(const HistoryRequest& request) {
  const auto to = MAIA_TRY(parse_moment(request.at, system_clock().wall()));
  return rollback_node(MAIA_TRY(in_run([&](engine::PipelineRun& run) {
    return run.rollback(to, request.destination, request.table,
                        {.apply = request.apply, .partial = request.partial});
  })));
}

Status PipelineService::run(bool until_caught_up, std::stop_token stop) {
  std::optional<Change> change;  // the run in hand has its settings; not answered yet
  for (;;) {
    auto turn = begin_turn();
    const std::stop_callback forward(stop, [&] { turn.request_stop(); });
    auto refits = MAIA_TRY(ask_refits());
    auto ran = run_->start(turn.get_token());
    const bool works = ran.ok() || ran.error().recovery != Recovery::halt;
    if (change && !works && !stop.stop_requested()) {
      MAIA_TRY(put_back(*std::exchange(change, std::nullopt), std::move(ran).error()));
      continue;
    }
    if (ran.ok()) {
      const auto words = finish_refits(std::move(refits));
      if (change) taken_up(*std::exchange(change, std::nullopt), words);
      ran = follow(until_caught_up, turn.get_token());
      if (!ran.ok() && run_->begins_again_after(ran.error()) && !stop.stop_requested()) {
        auto parts = MAIA_TRY(parts_of(settings_));
        for (auto& each : parts.destinations) each.held = run_->epoch_of(each.options.name);
        MAIA_TRY(put(settings_, std::move(parts)));
        continue;
      }
    }
    if (change) change->answer.set_value(stopped());
    const bool failed =
        !ran.ok() && ran.error().recovery == Recovery::halt && ran.error().code != Error::Code::cancelled;
    change = take_change(failed || stop.stop_requested());
    if (!change) return ran;
    before_ = settings_;
    if (auto put_in = put(change->settings, std::move(change->parts)); !put_in.ok())
      MAIA_TRY(put_back(*std::exchange(change, std::nullopt), std::move(put_in).error()));
  }
}

std::stop_source PipelineService::begin_turn() {
  const std::lock_guard lock(change_mutex_);
  turn_ = std::stop_source();
  if (change_) turn_.request_stop();
  return turn_;
}

std::optional<PipelineService::Change> PipelineService::take_change(bool ending) {
  const std::lock_guard lock(change_mutex_);
  auto change = std::exchange(change_, std::nullopt);
  ended_ = ending || !change;
  if (!ended_) return change;
  if (change) change->answer.set_value(stopped());
  return std::nullopt;
}

Status PipelineService::put_back(Change change, Error why) {
  for (const auto& refit : change.refits) MAIA_TRY(refits_->done(refit));
  auto parts = MAIA_TRY(parts_of(before_));
  MAIA_TRY(put(before_, std::move(parts)));
  log::warning("new settings were not taken up", {{"pipeline", name_}, {"error", why.message}});
  why.hint += (why.hint.empty() ? "" : "; ") + std::string("the settings before go on");
  change.answer.set_value(std::move(why));
  return {};
}

void PipelineService::taken_up(Change change, const std::string& words) {
  const auto kept = remember(change.settings, "apply", directory_);
  if (!kept.ok()) log::warning("history", {{"pipeline", name_}, {"error", kept.error().message}});
  log::info("new settings", {{"pipeline", name_}, {"version", version_of(change.settings)}});
  change.answer.set_value(words);
}

Status PipelineService::follow(bool until_caught_up, std::stop_token stop) {
  std::stop_source finish;
  const std::stop_callback forward(stop, [&] { finish.request_stop(); });
  Status drained;
  if (until_caught_up) {
    const auto end = run_->source_end();
    drained = end.ok() ? run_->drain_to(*end, stop) : Status(end.error());
    finish.request_stop();
  }
  // The task that failed says more than the wait that it cut short.
  MAIA_TRY(run_->wait(finish.get_token()));
  MAIA_TRY(std::move(drained));
  return until_caught_up ? set_aside(run_->status()) : Status();
}

Result<std::string> PipelineService::apply(const config::PipelineSettings& settings,
                                           const std::vector<Refit>& refits) {
  Change change{.settings = settings, .parts = MAIA_TRY(parts_of(settings)), .refits = refits, .answer = {}};
  auto answer = change.answer.get_future();
  {
    const std::lock_guard lock(change_mutex_);
    if (ended_) return stopped();
    if (change_) {
      return Error{Error::Code::unavailable, Recovery::retry, "another change is being taken up",
                   "wait until it is done: maia status"};
    }
    MAIA_TRY(refits_->add(refits));
    change_ = std::move(change);
    turn_.request_stop();
  }
  return answer.get();
}

Result<std::vector<PipelineService::AskedRefit>> PipelineService::ask_refits() {
  std::vector<AskedRefit> asked;
  for (auto& refit : MAIA_TRY(refits_->list())) {
    auto answer = run_->refit(refit);
    asked.push_back({std::move(refit), std::move(answer)});
  }
  return asked;
}

std::string PipelineService::finish_refits(std::vector<AskedRefit> refits) {
  std::string words;
  for (auto& each : refits) {
    if (each.answer.wait_for(kRefit) != std::future_status::ready) {
      words += fmt::format("\n{} of {} is not done yet", each.refit.table, each.refit.destination);
      continue;
    }
    const auto answer = each.answer.get();
    if (answer.ok()) {
      const auto forgotten = refits_->done(each.refit);
      words += "\n" + *answer;
      if (forgotten.ok()) continue;
    }
    words += fmt::format("\n{} of {} waits for the next start: {}", each.refit.table, each.refit.destination,
                         answer.ok() ? "it could not be noted as done" : answer.error().message);
  }
  return words.empty() ? words : words.substr(1);
}

void PipelineService::copied(const std::string& destination) {
  // The batches of the copy are gone; the stream's are far fewer and need not what they leave.
  malloc_trim(0);
  note_copy_rate(destination);
}

void PipelineService::note_copy_rate(const std::string& destination) {
  const std::shared_lock lock(run_mutex_, std::try_to_lock);
  if (!lock || !run_) return;
  const auto status = run_->status();
  for (const auto& each : status.destinations) {
    if (each.name != destination) continue;
    std::uint64_t rows = 0;
    WallMicros first = 0;
    WallMicros last = 0;
    for (const auto& [id, table] : each.tables) {
      if (table.snapshot_started == 0 || table.snapshot_finished == 0) continue;
      rows += table.snapshot_rows - table.snapshot_rows_at_start;
      first = first == 0 ? table.snapshot_started : std::min(first, table.snapshot_started);
      last = std::max(last, table.snapshot_finished);
    }
    constexpr std::int64_t kSecond = 1'000'000;
    if (rows == 0 || last <= first) return;
    const auto rate = static_cast<std::int64_t>(rows) * kSecond / (last - first);
    const auto noted = measurements_->set_copy_rate(destination, rate);
    if (!noted.ok()) log::warning("measurement", {{"pipeline", name_}, {"error", noted.error().message}});
  }
}

}  // namespace maia::app
