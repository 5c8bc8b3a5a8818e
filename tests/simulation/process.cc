// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/journal/local_journal.h"

namespace maia::simulation {

void SteppedRuntime::launch(engine::Task& task, Failed failed) {
  tasks_.push_back({&task, std::move(failed), clock_.now()});
}

std::vector<engine::Delivery*> SteppedRuntime::deliveries() const {
  std::vector<engine::Delivery*> all;
  for (const auto& entry : tasks_) {
    if (auto* delivery = dynamic_cast<engine::Delivery*>(entry.task)) all.push_back(delivery);
  }
  return all;
}

bool SteppedRuntime::step(Dice& dice) {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (tasks_[i].due <= clock_.now() || tasks_[i].task->mailbox().waiting()) due.push_back(i);
  }
  if (due.empty()) return false;
  const auto chosen = dice.one_of(due);
  auto& entry = tasks_[chosen];
  entry.task->mailbox().serve();
  auto step = entry.task->step({});
  if (step.ok() && step->want != engine::Step::Want::done) {
    entry.due = clock_.now() + (step->want == engine::Step::Want::wait ? step->at_most.count() : 0);
    return true;
  }
  auto ended = std::move(entry);
  tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(chosen));
  ended.task->mailbox().close();
  if (!step.ok()) ended.failed(*ended.task, std::move(step).error());
  return true;
}

Process::Process(Surroundings& world, Machine& machine, std::string name,
                 std::function<void(std::chrono::milliseconds)> on_rest)
    : world_(world),
      machine_(machine),
      name_(std::move(name)),
      on_rest_(std::move(on_rest)),
      life_(world.weather,
            [this] {
              machine_.disk.crash(machine_.on_death);
              stop_.request_stop();
              world_.trace.tell("  " + name_ + " dies");
            }),
      disk_(machine.disk, life_) {}

Process::~Process() = default;

engine::PipelineRun::Parts Process::parts(std::unique_ptr<Journal> journal) {
  engine::PipelineRun::Parts parts;
  parts.options.name = "simulated";
  parts.options.snapshot = world_.setup.source.has_rows;
  parts.options.source_has_rows = world_.setup.source.has_rows;
  // As the program does it.
  if (!world_.setup.source.has_rows) parts.options.confirm.when = engine::ConfirmOptions::When::journaled;
  parts.options.snapshot_readers = 0;
  parts.options.idle_checkpoint = std::chrono::milliseconds(500);
  parts.options.retention.bytes = world_.setup.retain_bytes;
  parts.source = std::make_unique<SimulatedSource>(world_.database, world_.setup.source, life_,
                                                   [this](std::uint64_t at) { world_.oracle.confirmed(at); });
  parts.journal = std::move(journal);
  parts.dead_letters = this;
  parts.observer = this;
  parts.clock = &world_.clock;
  auto runtime = std::make_unique<SteppedRuntime>(world_.clock, on_rest_);
  runtime_ = runtime.get();
  parts.runtime = std::move(runtime);
  for (auto& store : world_.stores) {
    engine::PipelineRun::DestinationParts destination;
    destination.options.name = store->name;
    destination.options.mode = appends(store->kind) ? TableTarget::Mode::append : TableTarget::Mode::upsert;
    destination.options.transactional = transactional(store->kind);
    destination.options.max_rows = world_.setup.max_rows;
    destination.held = held_[store->name];
    destination.open = [this, at = store.get()]() -> Result<std::unique_ptr<Destination>> {
      return std::unique_ptr<Destination>(
          std::make_unique<SimulatedDestination>(*at, life_, world_.dice, name_));
    };
    parts.destinations.push_back(std::move(destination));
  }
  return parts;
}

Status Process::start() {
  std::unique_ptr<Journal> journal =
      MAIA_TRY(LocalJournal::open(disk_, {.directory = "journal",
                                          .segment_bytes = world_.setup.segment_bytes,
                                          .recent_bytes = world_.setup.recent_bytes}));
  if (world_.setup.source.flaw == Flaw::torn_tail_accepted)
    journal = MAIA_TRY(accepting_torn_tail(std::move(journal), machine_.last_written));
  run_ = std::make_unique<engine::PipelineRun>(parts(std::move(journal)));
  return run_->start(stop_.get_token());
}

bool Process::begins_again() const {
  const auto failure = run_->failure();
  return failure && run_->begins_again_after(*failure);
}

Status Process::begin_again() {
  for (auto& store : world_.stores) held_[store->name] = run_->epoch_of(store->name);
  run_.reset();
  return start();
}

std::optional<Error> Process::failure() const {
  if (life_.dead() || !run_) return std::nullopt;
  if (auto error = run_->failure()) return error;
  for (const auto& destination : run_->status().destinations) {
    if (destination.state == "failed") {
      return Error{Error::Code::data, Recovery::halt, destination.name + ": " + destination.last_error, ""};
    }
    for (const auto& [id, table] : destination.tables) {
      if (table.state != engine::TableState::quarantined) continue;
      return Error{Error::Code::data, Recovery::halt,
                   destination.name + ": " + table.source + ": " + table.reason, ""};
    }
  }
  return std::nullopt;
}

void Process::event(Level, std::string_view what, const Fields& fields) {
  auto line = fmt::format("  {}: {}", name_, what);
  for (const auto& [key, value] : fields) line += fmt::format(" {}={}", key, value);
  world_.trace.tell(std::move(line));
}

}  // namespace maia::simulation
