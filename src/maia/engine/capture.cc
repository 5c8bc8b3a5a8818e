// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/capture.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::engine {
namespace {

constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::milliseconds kPublishEvery{250};
/// Transactions of this long share one sync.
constexpr std::chrono::milliseconds kSyncEvery{20};
constexpr std::chrono::milliseconds kLookForRoom{200};

std::string in_mebibytes(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20); }

}  // namespace

Capture::Capture(Parts parts, const PipelineOptions& options, Position start, std::vector<SchemaRef> known)
    : parts_(parts),
      options_(options),
      start_(std::move(start)),
      known_(std::move(known)),
      retention_(options.retention),
      backoff_(std::hash<std::string>{}(options.name)) {
  // An earlier run may have told the source what only the journal had.
  parts_.confirm.inherited(parts_.journal.tail().position);
}

Status Capture::connect() {
  MAIA_TRY(parts_.journal.mend());
  auto from = parts_.journal.tail().position;
  if (from.empty()) from = start_;
  auto known = known_;
  for (auto& latest : parts_.journal.latest_schemas()) {
    std::erase_if(known, [&](const SchemaRef& each) { return each->id == latest->id; });
    known.push_back(std::move(latest));
  }
  MAIA_TRY(parts_.journal.start(Epoch{++runs_}));
  running_.clear();
  parts_.journal.hold_until_synced(parts_.confirm.relies_on_journal());
  parts_.confirm.reconnected();
  const std::lock_guard lock(parts_.source_mutex);
  stream_ = MAIA_TRY(parts_.source.stream(from, std::move(known)));
  parts_.observer.event(Observer::Level::info, "streaming", {{"from", parts_.source.describe(from)}});
  parts_.board.change([](PipelineStatus& status) {
    status.capture = "streaming";
    status.capture_error.clear();
    status.capture_hint.clear();
  });
  return {};
}

Status Capture::take(StreamEvent event) {
  const auto now = parts_.clock.steady();
  if (const auto* idle = std::get_if<StreamEvent::Idle>(&event.what)) {
    // Beside a transaction that runs it would take back what destinations have of that already.
    const bool hurried = hurry_ && running_.empty();
    const bool due = hurried || now - last_idle_ >= options_.idle_checkpoint;
    const auto order = parts_.source.compare(idle->position, parts_.journal.tail().position);
    // The first of a run says that the source is idle, even where the journal ends.
    if (!due || order < 0 || (order == 0 && appended_)) return {};
  }
  if (const auto* changes = std::get_if<StreamEvent::Changes>(&event.what))
    changes_ += changes->window.rows();
  if (const auto* part = std::get_if<StreamEvent::Fragment>(&event.what)) changes_ += part->window.rows();
  last_idle_ = now;
  unsynced_ = true;
  appended_ = true;
  return append(std::move(event));
}

Status Capture::append(StreamEvent event) {
  std::string running;
  if (const auto* fragment = std::get_if<StreamEvent::Fragment>(&event.what)) running = fragment->transaction;
  if (const auto* commit = std::get_if<StreamEvent::Commit>(&event.what)) running_.erase(commit->transaction);
  // What was rolled back to a savepoint stays on the disk until the transaction ends.
  if (const auto* abort = std::get_if<StreamEvent::Abort>(&event.what); abort && abort->from_ordinal == 0)
    running_.erase(abort->transaction);
  const auto before = parts_.journal.disk_bytes();
  const StageLoad::Wait wait(parts_.load, parts_.clock);
  MAIA_TRY(parts_.journal.append(std::move(event)));
  if (!running.empty()) running_[running] += parts_.journal.disk_bytes() - before;
  return {};
}

Result<Step> Capture::recover(Error error) {
  stream_.reset();
  error = credentials_.taken(std::move(error), parts_.clock.steady());
  const bool disk = error.code == Error::Code::storage;
  parts_.board.change([&](PipelineStatus& status) {
    status.capture = error.code == Error::Code::lost_history ? "lost history"
                     : error.recovery == Recovery::halt      ? "failed"
                     : disk                                  ? "waiting for the disk"
                                                             : "waiting to retry";
    status.capture_error = error.message;
    status.capture_hint = error.hint;
    ++status.reconnects;
    status.attempts_left = static_cast<std::uint64_t>(backoff_.left(parts_.clock.steady()));
  });
  if (error.recovery == Recovery::halt) return error;
  const auto wait = disk ? backoff_.next() : backoff_.connect(parts_.clock.steady());
  parts_.observer.event(Observer::Level::warning,
                        disk ? "the journal's disk refused" : "the source's stream broke",
                        {{"error", error.message}, {"retry_in_ms", std::to_string(wait.count())}});
  return Step::wait(wait);
}

void Capture::end() {
  // What fails here costs the next run some time and no more.
  if (stream_) static_cast<void>(parts_.confirm.tell(*stream_).ok());
  stream_.reset();
  static_cast<void>(parts_.journal.close().ok());
}

Result<Step> Capture::step(std::stop_token stop) {
  if (full_) return wait_for_room();
  if (!stream_) {
    if (auto connected = connect(); !connected.ok()) return recover(std::move(connected).error());
  }
  auto read_on = read(stop);
  if (!read_on.ok()) return recover(std::move(read_on).error());
  const auto now = parts_.clock.steady();
  if (now - last_heartbeat_ >= options_.heartbeat) {
    last_heartbeat_ = now;
    if (auto alive = beat(); !alive.ok()) return recover(std::move(alive).error());
  }
  if (now - last_publish_ < kPublishEvery && !at_limit()) return read_on;
  last_publish_ = now;
  watch_source();
  publish();
  if (!forget()) return read_on;
  return wait_for_room();
}

Result<Step> Capture::read(std::stop_token stop) {
  // What was taken and is not synced yet waits for a moment without news only.
  const bool holding = unsynced_ && parts_.confirm.relies_on_journal();
  const auto look = holding ? std::chrono::milliseconds{0} : hurry_ ? kLook / 4 : kLook;
  const auto patience = std::min(parts_.patience, look);
  auto event = stream_->next(patience, stop);
  if (!event.ok()) {
    if (event.error().code == Error::Code::cancelled) return Step::wait(std::chrono::milliseconds{0});
    return std::move(event).error();
  }
  backoff_.succeeded();
  credentials_.accepted();
  const bool quiet = !event->has_value();
  // How far it has come is told at once when that was all.
  if (quiet && holding) last_publish_ = {};
  if (!quiet) MAIA_TRY(take(std::move(**event)));
  MAIA_TRY(make_durable(quiet));
  MAIA_TRY(parts_.confirm.tell(*stream_));
  return quiet ? Step::wait(look - patience) : Step::again();
}

Status Capture::make_durable(bool quiet) {
  const bool relied_on = parts_.confirm.relies_on_journal();
  parts_.journal.hold_until_synced(relied_on);
  const auto now = parts_.clock.steady();
  if (!relied_on || !unsynced_ || (!quiet && now - last_sync_ < kSyncEvery)) return {};
  last_sync_ = now;
  MAIA_TRY(parts_.journal.sync());
  unsynced_ = false;
  parts_.confirm.journaled(parts_.journal.tail().position);
  return {};
}

Status Capture::beat() {
  const std::lock_guard lock(parts_.source_mutex);
  if (auto beat = parts_.source.heartbeat(); !beat.ok()) {
    if (beat.error().code == Error::Code::lost_history) return beat;
    parts_.observer.event(Observer::Level::warning, "no heartbeat", {{"error", beat.error().message}});
  }
  return {};
}

bool Capture::at_limit() const {
  const auto limit = options_.retention.max_bytes;
  return limit > 0 && parts_.journal.disk_bytes() >= limit;
}

bool Capture::forget() {
  const auto oldest = parts_.confirm.oldest();
  const auto delivered = oldest ? std::optional(oldest->sequence) : std::nullopt;
  const auto decision = retention_.decide(parts_.journal.parts(), delivered, parts_.clock.wall());
  if (!decision.through) return decision.full;
  if (auto released = parts_.journal.release(*decision.through); !released.ok()) {
    parts_.observer.event(Observer::Level::warning, "the journal could not forget what it may",
                          {{"error", released.error().message}});
  }
  // A running transaction may need what the decision would let go.
  return at_limit();
}

Result<Step> Capture::wait_for_room() {
  const bool full = forget();
  if (full == full_) return full ? Step::wait(kLookForRoom) : Step::again();
  if (!full) {
    full_ = false;
    parts_.observer.event(Observer::Level::info, "the journal has room again", {});
    return Step::again();
  }
  if (auto fits = refuse_oversized(); !fits.ok()) return recover(std::move(fits).error());
  // The source keeps what is not read; a session that reads nothing would only be cut by its server. What it
  // had begun to stream comes again, and its fragments make room.
  stream_.reset();
  if (auto begun = parts_.journal.start(Epoch{++runs_}); !begun.ok())
    return recover(std::move(begun).error());
  full_ = true;
  const auto behind = parts_.confirm.farthest_behind();
  const auto text =
      fmt::format("the journal has reached max_bytes ({}) and waits for {}, which needs what is in it",
                  in_mebibytes(options_.retention.max_bytes), behind.empty() ? "a destination" : behind);
  parts_.board.change([&](PipelineStatus& status) {
    status.capture = "waiting for room in the journal";
    status.capture_error = text;
  });
  parts_.observer.event(
      Observer::Level::warning, "the journal is full",
      {{"error", text},
       {"hint",
        "mend that destination, or raise journal: max_bytes; what the source streams of one "
        "transaction before its commit must fit, too"}});
  return Step::wait(kLookForRoom);
}

Status Capture::refuse_oversized() const {
  const auto largest = std::max_element(running_.begin(), running_.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto limit = options_.retention.max_bytes;
  // Of anything else the journal would be rid sooner or later, but for the segments at both ends.
  if (largest == running_.end() || largest->second < limit - limit / 4) return {};
  return Error{
      Error::Code::invalid_config, Recovery::halt,
      fmt::format("the journal (max_bytes: {}) has no room for transaction {} of the source, which has sent "
                  "{} before its commit",
                  in_mebibytes(limit), largest->first, in_mebibytes(largest->second)),
      "raise journal: max_bytes beyond what the whole transaction takes, or roll it back at the source; then "
      "run again"};
}

void Capture::watch_source() {
  if (!stream_) return;
  const auto held = stream_->held_bytes();
  parts_.confirm.held(held);
  const bool over = parts_.confirm.over_limit();
  if (over && !warned_) {
    notice_ = fmt::format(
        "the source held back more than retain_at_source ({}) for {}: it may discard what the journal has",
        in_mebibytes(options_.confirm.retain_at_source), parts_.confirm.farthest_behind());
    parts_.observer.event(Observer::Level::warning, "too much is held back at the source",
                          {{"held_bytes", std::to_string(*held)}, {"notice", notice_}});
  }
  warned_ = over;
  if (!over && !parts_.confirm.relies_on_journal()) notice_.clear();
}

void Capture::publish() {
  const auto tail = parts_.journal.tail();
  const auto bytes = parts_.journal.disk_bytes();
  parts_.board.change([&](PipelineStatus& status) {
    status.captured = tail.position.empty() ? "" : parts_.source.describe(tail.position);
    status.captured_changes = changes_;
    status.source_lag_bytes = stream_ ? stream_->lag_bytes() : std::nullopt;
    status.source_held_bytes = stream_ ? stream_->held_bytes() : std::nullopt;
    status.confirms_journaled = parts_.confirm.relies_on_journal();
    status.notice = notice_;
    status.journal_bytes = bytes;
    status.journal_max_bytes = options_.retention.max_bytes;
    status.attempts_left = static_cast<std::uint64_t>(backoff_.left(parts_.clock.steady()));
  });
}

}  // namespace maia::engine
