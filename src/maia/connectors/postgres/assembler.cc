// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/assembler.h"

#include <algorithm>
#include <utility>

namespace maia::postgres {

Error Assembler::two_phase() {
  return Error{Error::Code::unsupported, Recovery::halt,
               "the replication slot sends prepared transactions on their own (two_phase)",
               "use a slot that was made without two_phase"};
}

Status Assembler::take(const Message& message, std::size_t bytes) {
  if (open_ || block_ != nullptr) {
    auto& to = block_ != nullptr ? block_->collected : open_->in_fragments ? large_.collected : collected_;
    to.bytes += bytes;
  }
  return std::visit([&](const auto& m) { return on(m); }, message);
}

StreamEvent Assembler::pop() {
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

Position Assembler::position_at(Lsn lsn) const {
  return LogPlace{from_.system, from_.timeline, lsn, beat_}.position();
}

void Assembler::flush() {
  const bool passed = std::exchange(passed_, false);
  if (!collected_.transactions.empty()) {
    emit_complete();
  } else if (passed) {
    events_.push_back({StreamEvent::Idle{position_at(read_to_)}});
  }
}

void Assembler::emit_complete() {
  auto collected = std::exchange(collected_, {});
  auto items = collected.window.take();
  if (open_ && !open_->in_fragments) {
    // The rows of a transaction that is only half read stay, as if they were the first.
    const auto cut = std::exchange(open_->transaction.first_ordinal, 0);
    auto [complete, rest] = sql::split(std::move(items), cut);
    items = std::move(complete);
    collected_.window = WindowBuilder(std::move(rest));
    collected_.next_ordinal = collected_.rows = collected.next_ordinal - cut;
    collected_.bytes = collected.bytes - std::exchange(open_->bytes_before, 0);
  }
  if (!collected.transactions.empty()) emit_changes(std::move(items), std::move(collected.transactions));
}

void Assembler::pass_to(Lsn end) {
  // Inside of a committed transaction this is no place to resume from. One that is streamed before its commit
  // does not matter: it will be sent again in full.
  if (open_ || block_ != nullptr || end <= std::max(read_to_, from_.lsn)) return;
  read_to_ = end;
  pass();
}

void Assembler::emit_changes(std::vector<Window::Item> items, std::vector<Transaction> transactions) {
  Window window;
  window.items = std::move(items);
  window.transactions = std::move(transactions);
  window.end = position_at(read_to_);
  window.received_at = system_clock().wall();
  events_.push_back({StreamEvent::Changes{std::move(window)}});
}

void Assembler::emit_fragment(Running& running) {
  auto& collected = running.collected;
  collected.bytes = collected.rows = 0;
  if (collected.window.empty()) return;
  Window window;
  window.items = collected.window.take();
  window.received_at = system_clock().wall();
  running.sent = true;
  events_.push_back({StreamEvent::Fragment{std::to_string(running.top), std::move(window)}});
}

void Assembler::begin_fragments() {
  emit_complete();
  large_.collected = std::exchange(collected_, {});
  open_->in_fragments = true;
  emit_fragment(large_);
}

}  // namespace maia::postgres
