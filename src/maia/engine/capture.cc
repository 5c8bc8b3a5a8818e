// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/capture.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::engine {
namespace {

constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::milliseconds kPublishEvery{250};

}  // namespace

Capture::Capture(Parts parts, const PipelineOptions& options, Position start, std::vector<SchemaRef> known)
    : parts_(parts),
      options_(options),
      start_(std::move(start)),
      known_(std::move(known)),
      backoff_(std::hash<std::string>{}(options.name)) {}

Status Capture::connect() {
  auto from = parts_.journal.tail().position;
  if (from.empty()) from = start_;
  auto known = known_;
  for (auto& latest : parts_.journal.latest_schemas()) {
    std::erase_if(known, [&](const SchemaRef& each) { return each->id == latest->id; });
    known.push_back(std::move(latest));
  }
  MAIA_TRY(parts_.journal.start(Epoch{++runs_}));
  const std::lock_guard lock(parts_.source_mutex);
  stream_ = MAIA_TRY(parts_.source.stream(from, std::move(known)));
  parts_.observer.event(Observer::Level::info, "streaming", {{"from", parts_.source.describe(from)}});
  parts_.board.change([](PipelineStatus& status) {
    status.capture = "streaming";
    status.capture_error.clear();
  });
  return {};
}

Status Capture::take(StreamEvent event) {
  const auto now = parts_.clock.steady();
  if (const auto* idle = std::get_if<StreamEvent::Idle>(&event.what)) {
    const bool due = hurry_ || now - last_idle_ >= options_.idle_checkpoint;
    const auto order = parts_.source.compare(idle->position, parts_.journal.tail().position);
    if (!due || order <= 0) return {};
  }
  if (const auto* changes = std::get_if<StreamEvent::Changes>(&event.what))
    changes_ += changes->window.rows();
  if (const auto* part = std::get_if<StreamEvent::Fragment>(&event.what)) changes_ += part->window.rows();
  last_idle_ = now;
  MAIA_TRY(parts_.journal.append(std::move(event)));
  return {};
}

Result<Step> Capture::recover(Error error) {
  stream_.reset();
  parts_.board.change([&](PipelineStatus& status) {
    status.capture = error.recovery == Recovery::halt ? "failed" : "waiting to retry";
    status.capture_error = error.message;
    ++status.reconnects;
  });
  if (error.recovery == Recovery::halt) return error;
  const auto wait = backoff_.next();
  parts_.observer.event(Observer::Level::warning, "the source's stream broke",
                        {{"error", error.message}, {"retry_in_ms", std::to_string(wait.count())}});
  return Step::wait(wait);
}

Result<Step> Capture::step(std::stop_token stop) {
  if (!stream_) {
    if (auto connected = connect(); !connected.ok()) return recover(std::move(connected).error());
  }
  const auto look = hurry_ ? kLook / 4 : kLook;
  const auto patience = std::min(parts_.patience, look);
  auto event = stream_->next(patience, stop);
  if (!event.ok()) {
    if (event.error().code == Error::Code::cancelled) return Step::wait(std::chrono::milliseconds{0});
    return recover(std::move(event).error());
  }
  backoff_.succeeded();
  if (event->has_value()) MAIA_TRY(take(std::move(**event)));
  if (auto told = parts_.confirm.tell(*stream_); !told.ok()) return recover(std::move(told).error());
  const auto now = parts_.clock.steady();
  if (now - last_heartbeat_ >= options_.heartbeat) {
    last_heartbeat_ = now;
    const std::lock_guard lock(parts_.source_mutex);
    if (auto beat = parts_.source.heartbeat(); !beat.ok()) {
      parts_.observer.event(Observer::Level::warning, "no heartbeat", {{"error", beat.error().message}});
    }
  }
  if (now - last_publish_ >= kPublishEvery) {
    last_publish_ = now;
    publish(changes_);
    if (const auto oldest = parts_.confirm.oldest()) MAIA_TRY(parts_.journal.release(oldest->sequence));
  }
  return event->has_value() ? Step::again() : Step::wait(look - patience);
}

void Capture::publish(std::uint64_t changes) {
  const auto tail = parts_.journal.tail();
  const auto bytes = parts_.journal.disk_bytes();
  const auto lag = stream_->lag_bytes();
  parts_.board.change([&](PipelineStatus& status) {
    status.captured = tail.position.empty() ? "" : parts_.source.describe(tail.position);
    status.captured_changes = changes;
    status.source_lag_bytes = lag;
    status.journal_bytes = bytes;
  });
}

}  // namespace maia::engine
