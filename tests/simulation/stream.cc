// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "source.h"

namespace maia::simulation {
namespace {

/// Puts changes into a window: one batch for each table and shape between two barriers.
class WindowBuilder {
 public:
  explicit WindowBuilder(bool send_all) : send_all_(send_all) {}
  void add(const Change& change, std::uint64_t ordinal) {
    if (change.kind == Change::Kind::truncate) {
      end_batches();
      window_.items.emplace_back(Truncate{.tables = {change.schema}, .ordinal = ordinal});
      return;
    }
    if (change.kind == Change::Kind::schema) {
      end_batches();
      window_.items.emplace_back(SchemaChange{
          .before = change.schema, .after = change.becomes, .columns = change.columns, .ordinal = ordinal});
      return;
    }
    push_row(batches_.try_emplace(change.schema->id, change.schema).first->second, change, ordinal);
  }
  Window& window() { return window_; }
  Window done() {
    end_batches();
    return std::move(window_);
  }

 private:
  void end_batches() {
    for (auto& [id, batch] : batches_) window_.items.emplace_back(std::move(batch));
    batches_.clear();
  }

  void push_row(Batch& batch, const Change& change, std::uint64_t ordinal) const {
    const auto& schema = *change.schema;
    const bool update = change.kind == Change::Kind::update;
    const bool full = schema.identity == Identity::full;
    const bool moved = update && key_of(schema, change.before) != key_of(schema, change.after);
    batch.begin_row(update                                ? Op::update
                    : change.kind == Change::Kind::remove ? Op::remove
                                                          : Op::insert,
                    ordinal);
    if (change.kind != Change::Kind::remove) {
      for (std::size_t i = 0; i < schema.columns.size(); ++i) {
        const auto& column = schema.columns[i];
        const bool unsent = update && !send_all_ && column.native_type == "large" && !change.touched[i];
        if (unsent) batch.mutable_after(i).push_unchanged();
        if (!unsent) push(batch.mutable_after(i), column.type, change.after[i]);
      }
    }
    if (change.kind == Change::Kind::remove || (update && full) || moved) {
      for (std::size_t i = 0; i < schema.columns.size(); ++i) {
        if (full || schema.columns[i].in_key)
          push(batch.mutable_before(i), schema.columns[i].type, change.before[i]);
      }
      for (std::size_t i = 0; i < schema.columns.size(); ++i) {
        if (!full && !schema.columns[i].in_key) batch.mutable_before(i).push_unchanged();
      }
    }
    batch.finish_row();
  }

  bool send_all_;
  Window window_;
  std::map<std::string, Batch> batches_;
};

}  // namespace

SimulatedStream::SimulatedStream(Database& database, const SourceHabits& habits, Life& life,
                                 std::uint64_t from, SimulatedSource::Confirmed confirmed)
    : database_(database),
      habits_(habits),
      life_(life),
      from_(from),
      confirmed_(std::move(confirmed)),
      session_(life.session("source")),
      user_(database.next()) {
  database_.slot->user = user_;
}

SimulatedStream::~SimulatedStream() {
  if (database_.slot && database_.slot->user == user_) database_.slot->user = 0;
}

Result<std::optional<StreamEvent>> SimulatedStream::next(std::chrono::milliseconds, std::stop_token) {
  MAIA_TRY(life_.call("source", "next", session_));
  if (database_.slot->user != user_ && habits_.has_rows) {
    return Error{Error::Code::unavailable, Recovery::reconnect, "the slot was taken by another session", ""};
  }
  while (ready_.empty() && at_ < database_.end()) {
    ++at_;
    take(database_.log()[at_ - 1]);
    if (group_.size() >= habits_.group) end_group();
  }
  if (ready_.empty()) end_group();
  if (!ready_.empty()) {
    auto event = std::move(ready_.front());
    ready_.erase(ready_.begin());
    return std::optional(std::move(event));
  }
  if (told_idle_ && at_ <= *told_idle_) {
    told_idle_.reset();  // and says so again the next time, as keepalives do
    return std::optional<StreamEvent>();
  }
  told_idle_ = at_;
  return std::optional(StreamEvent{StreamEvent::Idle{position(at_)}});
}

void SimulatedStream::take(const LogRecord& record) {
  auto& running = running_[record.transaction];
  switch (record.kind) {
    case LogRecord::Kind::change:
      running.changes.push_back(record.change);
      if (at_ > from_ && running.changes.size() - running.sent >= habits_.stream_after) {
        send_rest(record.transaction, running);
      }
      return;
    case LogRecord::Kind::rollback_to:
      running.changes.resize(std::min(running.changes.size(), record.keep));
      if (running.sent <= record.keep) return;
      running.sent = record.keep;
      return send_abort(record.transaction, record.keep);
    case LogRecord::Kind::abort:
      if (running.streamed) send_abort(record.transaction, 0);
      running_.erase(record.transaction);
      return;
    case LogRecord::Kind::commit:
      if (at_ > from_) commit(record, running);
      running_.erase(record.transaction);
      return;
  }
}

void SimulatedStream::commit(const LogRecord& record, Running& running) {
  Transaction transaction{.position = position(at_),
                          .id = std::to_string(record.transaction),
                          .committed_at = record.at,
                          .first_ordinal = 0};
  if (running.streamed) {
    if (running.sent < running.changes.size()) send_rest(record.transaction, running);
    end_group();
    ready_.push_back({StreamEvent::Commit{transaction.id, transaction}});
  } else if (!running.changes.empty()) {
    group_.emplace_back(std::move(transaction), std::move(running.changes));
  }
}

void SimulatedStream::send_abort(std::uint64_t transaction, std::size_t keep) {
  if (habits_.flaw == Flaw::missed_abort) return;
  end_group();
  ready_.push_back({StreamEvent::Abort{std::to_string(transaction), keep}});
}

void SimulatedStream::send_rest(std::uint64_t transaction, Running& running) {
  end_group();
  WindowBuilder builder(habits_.send_all);
  for (auto i = running.sent; i < running.changes.size(); ++i) builder.add(*running.changes[i], i);
  running.sent = running.changes.size();
  running.streamed = true;
  ready_.push_back({StreamEvent::Fragment{std::to_string(transaction), builder.done()}});
}

void SimulatedStream::end_group() {
  if (group_.empty()) return;
  WindowBuilder builder(habits_.send_all);
  std::uint64_t ordinal = 0;
  for (auto& [transaction, changes] : group_) {
    transaction.first_ordinal = ordinal;
    for (const auto& change : changes) builder.add(*change, ordinal++);
    builder.window().end = transaction.position;
    builder.window().transactions.push_back(std::move(transaction));
  }
  told_idle_ = std::max(told_idle_.value_or(0), number(builder.window().end));
  group_.clear();
  ready_.push_back({StreamEvent::Changes{builder.done()}});
}

Status SimulatedStream::confirm(const Position& durable) {
  MAIA_TRY(life_.call("source", "confirm", session_));
  if (!habits_.has_rows) return {};
  if (database_.slot->user != user_) return {};
  const auto upto = habits_.flaw == Flaw::early_confirm ? at_ : number(durable);
  confirmed_(upto);
  auto& slot = *database_.slot;
  slot.confirmed = std::max(slot.confirmed, upto);
  database_.confirmed_once = std::max(database_.confirmed_once, slot.confirmed);
  return {};
}

}  // namespace maia::simulation
