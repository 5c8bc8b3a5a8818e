// SPDX-License-Identifier: Apache-2.0
#include "maia/app/pipeline_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/app/control.h"
#include "maia/app/file_history.h"
#include "maia/app/moment.h"
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
LocalJournal::Options journal_options(const config::PipelineSettings& settings,
                                      const std::string& directory) {
  LocalJournal::Options options{.directory = directory + "/journal"};
  if (const auto& limit = settings.journal.max_bytes) {
    options.segment_bytes = std::min(options.segment_bytes, limit->bytes / 8);
  }
  options.segment_bytes = std::min(options.segment_bytes,
                                   std::max<std::uint64_t>(settings.journal.retain_bytes.bytes / 8, 1 << 20));
  return options;
}

}  // namespace

void LogObserver::event(Level level, std::string_view what, const Fields& fields) {
  std::vector<log::Field> all{{"pipeline", pipeline_}};
  for (const auto& [name, value] : fields) {
    if (!value.empty()) all.emplace_back(name, value);
  }
  log::write(level_of(level), what, log::Fields(all));
}

Result<std::unique_ptr<PipelineService>> PipelineService::open(const config::PipelineSettings& settings,
                                                               const std::string& state,
                                                               const Outside& outside,
                                                               const engine::MemoryShares& memory) {
  std::unique_ptr<PipelineService> service(new PipelineService(settings.name));
  const auto directory =
      pipeline_directory(MAIA_TRY(state_directory(state, outside.environment)), settings.name);
  MAIA_TRY(system_disk().make_directories(directory));
  service->directory_ = directory;
  auto how = journal_options(settings, directory);
  how.recent_bytes = memory.journal;
  auto journal = MAIA_TRY(LocalJournal::open(system_disk(), how));
  if (const auto& torn = journal->torn_tail()) {
    log::info("the journal's torn end was cut off", {{"pipeline", settings.name}, {"file", torn->file}});
  }
  service->dead_letters_ = MAIA_TRY(DeadLetterFile::open(letter_file(directory)));

  engine::PipelineRun::Parts parts;
  parts.options = engine_options(settings);
  parts.options.snapshot_queue_bytes = memory.copy_queue;
  parts.source = MAIA_TRY(in("source", open_source(settings, state, outside)));
  for (const auto& destination : settings.destinations) {
    engine::PipelineRun::DestinationParts each;
    each.options = engine_options(settings, destination);
    each.options.max_bytes = std::min(each.options.max_bytes, memory.window);
    each.open = [settings, destination, state, &outside, bytes = memory.destination] {
      return open_destination_again(settings, destination.name, state, outside, bytes);
    };
    each.transforms = MAIA_TRY(compile_transforms(destination.transforms));
    const auto* connector = find_connector(outside.connectors, destination.type);
    each.options.transactional = connector->can.transactional;
    parts.destinations.push_back(std::move(each));
    service->promises_.push_back(fmt::format("{}: {}", destination.name, to_string(connector->guarantee)));
  }
  parts.journal = std::move(journal);
  parts.dead_letters = service->dead_letters_.get();
  parts.observer = &service->observer_;
  parts.clock = &system_clock();
  service->run_ = std::make_unique<engine::PipelineRun>(std::move(parts));
  MAIA_TRY(in("history", remember(settings, "run", directory)));
  return service;
}

Result<std::string> PipelineService::control(const ControlRequest& request) {
  switch (request.action) {
    case ControlRequest::Action::pause: return run_->pause(request.destination, request.table);
    case ControlRequest::Action::resume: return run_->resume(request.destination, request.table);
    case ControlRequest::Action::resync:
      return run_->resync(request.destination, request.table, request.rows);
  }
  return std::string();
}

Result<config::Node> PipelineService::letters(const LetterRequest& request) {
  if (request.action == LetterRequest::Action::replay) {
    const LetterFilter which{.ids = request.ids,
                             .table = request.table,
                             .destination = request.destination,
                             .status = {},
                             .failed_before = request.failed_before};
    return config::Object().set("answer", MAIA_TRY(run_->replay_letters(which, request.force))).node();
  }
  auto answer = MAIA_TRY(answer_letters(*dead_letters_, request));
  if (request.action == LetterRequest::Action::purge) MAIA_TRY(run_->letters_changed());
  return answer;
}

Result<std::string> PipelineService::send_again(const HistoryRequest& request) {
  const auto from = MAIA_TRY(parse_moment(request.at, system_clock().wall()));
  return run_->send_again(from, request.destination, request.table);
}

Result<config::Node> PipelineService::rollback(const HistoryRequest& request) {
  const auto to = MAIA_TRY(parse_moment(request.at, system_clock().wall()));
  return rollback_node(MAIA_TRY(run_->rollback(to, request.destination, request.table,
                                               {.apply = request.apply, .partial = request.partial})));
}

Status PipelineService::run(bool until_caught_up, std::stop_token stop) {
  MAIA_TRY(run_->start(stop));
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

}  // namespace maia::app
