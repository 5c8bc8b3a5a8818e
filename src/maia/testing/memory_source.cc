// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/memory_source.h"

#include <algorithm>
#include <thread>

namespace maia::testing {
namespace {

constexpr std::size_t kRowsPerChunk = 7;

std::size_t number(const Position& position) {
  return position.empty() ? 0 : static_cast<std::size_t>(std::stoull(position.token));
}
Position position(std::size_t transactions) { return Position{std::to_string(transactions)}; }

void push_row(Batch& batch, std::uint64_t ordinal, std::int64_t id,
              const std::pair<std::string, std::string>& row) {
  batch.begin_row(Op::read, ordinal);
  batch.mutable_after(0).push_fixed(id);
  batch.mutable_after(1).push_text(row.first);
  batch.mutable_after(2).push_text(row.second);
  batch.finish_row();
}

void push_change(Batch& batch, std::uint64_t ordinal, const MemoryDatabase::Change& change) {
  batch.begin_row(change.op, ordinal);
  if (change.op != Op::remove) {
    batch.mutable_after(0).push_fixed(change.op == Op::update ? change.new_id : change.id);
    batch.mutable_after(1).push_text(change.a);
    change.b ? batch.mutable_after(2).push_text(*change.b) : batch.mutable_after(2).push_unchanged();
  }
  const bool moved = change.op == Op::update && change.id != change.new_id;
  if (change.op == Op::remove || moved) batch.mutable_before(0).push_fixed(change.id);
  batch.finish_row();
}

class MemoryChunkReader final : public ChunkReader {
 public:
  MemoryChunkReader(const MemoryDatabase& database, Faults& faults, std::size_t at)
      : database_(database), faults_(faults), at_(at) {}
  Status read(const SchemaRef& table, const Chunk& chunk, const Sink& sink, std::stop_token) override {
    const auto index = static_cast<std::size_t>(std::stoull(table->id));
    Batch batch(table);
    std::size_t n = 0;
    for (const auto& [id, row] : database_.rows(index, at_)) {
      if (n++ / kRowsPerChunk == chunk.number) push_row(batch, n, id, row);
    }
    MAIA_TRY(sink(std::move(batch)));
    return faults_.at("chunk");
  }

 private:
  const MemoryDatabase& database_;
  Faults& faults_;
  const std::size_t at_;
};

/// Never continues an earlier snapshot: each is a whole copy.
class MemorySnapshot final : public Snapshot {
 public:
  MemorySnapshot(const MemoryDatabase& database, Faults& faults)
      : database_(database), faults_(faults), at_(database.size()) {}
  Position position() const override { return testing::position(at_); }
  Result<TablePlan> plan(const SchemaRef& table, const std::optional<TablePlanProgress>& progress) override {
    MAIA_TRY(faults_.at("plan"));
    TablePlan plan;
    plan.token = std::to_string(at_);
    plan.restarted = progress.has_value();
    const auto rows = database_.rows(static_cast<std::size_t>(std::stoull(table->id)), at_).size();
    for (std::uint32_t i = 0; i * kRowsPerChunk < rows; ++i) {
      plan.chunks.push_back(Chunk{.number = i, .token = {}, .rows_estimate = kRowsPerChunk});
    }
    return plan;
  }
  Result<std::unique_ptr<ChunkReader>> open_reader() override {
    return std::unique_ptr<ChunkReader>(std::make_unique<MemoryChunkReader>(database_, faults_, at_));
  }

 private:
  const MemoryDatabase& database_;
  Faults& faults_;
  const std::size_t at_;
};

}  // namespace

class MemoryStream final : public Stream {
 public:
  MemoryStream(MemoryDatabase& database, Faults& faults, std::size_t from)
      : database_(database), faults_(faults), next_(from) {}

  Result<std::optional<StreamEvent>> next(std::chrono::milliseconds wait, std::stop_token) override {
    MAIA_TRY(faults_.at("next"));
    const std::lock_guard lock(database_.mutex_);
    if (next_ >= database_.log_.size()) {
      if (std::exchange(idle_told_, true)) {
        std::this_thread::sleep_for(std::min(wait, std::chrono::milliseconds(1)));
        return std::optional<StreamEvent>{};
      }
      return std::optional(StreamEvent{StreamEvent::Idle{position(next_)}});
    }
    idle_told_ = false;
    return std::optional(StreamEvent{StreamEvent::Changes{take_window()}});
  }
  Status confirm(const Position& durable) override {
    database_.confirmed_ = std::max(database_.confirmed_.load(), number(durable));
    return {};
  }
  std::optional<std::uint64_t> lag_bytes() const override { return std::nullopt; }

 private:
  /// Up to three transactions, one batch per table.
  Window take_window() {
    Window window;
    std::uint64_t ordinal = 0;
    std::map<std::size_t, Batch> batches;
    for (int i = 0; i < 3 && next_ < database_.log_.size(); ++i) {
      window.transactions.push_back(Transaction{.position = position(next_ + 1),
                                                .id = std::to_string(next_ + 1),
                                                .committed_at = static_cast<WallMicros>(next_ + 1),
                                                .first_ordinal = ordinal});
      for (const auto& change : database_.log_[next_]) {
        if (change.table >= database_.offered()) continue;
        const auto at = batches.try_emplace(change.table, database_.schema(change.table)).first;
        push_change(at->second, ordinal++, change);
      }
      ++next_;
    }
    for (auto& [table, batch] : batches) window.items.emplace_back(std::move(batch));
    window.end = position(next_);
    return window;
  }

  MemoryDatabase& database_;
  Faults& faults_;
  std::size_t next_;
  bool idle_told_ = false;
};

MemoryDatabase::MemoryDatabase(std::size_t tables) : offered_(tables) {
  for (std::size_t i = 0; i < tables; ++i) {
    TableSchema schema;
    schema.id = std::to_string(i);
    schema.name = {"m", "t" + std::to_string(i)};
    for (const std::string name : {"id", "a", "b"}) {
      Column column;
      column.name = name;
      column.id = name;
      column.in_key = name == "id";
      column.nullable = name != "id";
      if (column.in_key) column.type = Type::of(TypeId::int64);
      schema.columns.push_back(std::move(column));
    }
    schemas_.push_back(std::make_shared<const TableSchema>(std::move(schema)));
  }
}

void MemoryDatabase::commit(std::vector<Change> changes) {
  const std::lock_guard lock(mutex_);
  log_.push_back(std::move(changes));
}

std::size_t MemoryDatabase::size() const {
  const std::lock_guard lock(mutex_);
  return log_.size();
}

MemoryDatabase::Rows MemoryDatabase::rows(std::size_t table, std::size_t transactions) const {
  const std::lock_guard lock(mutex_);
  Rows rows;
  for (std::size_t i = 0; i < transactions; ++i) {
    for (const auto& change : log_[i]) {
      if (change.table != table) continue;
      if (change.op == Op::remove) {
        rows.erase(change.id);
        continue;
      }
      const auto old = rows.find(change.id);
      const auto b = change.b ? *change.b : (old == rows.end() ? std::string() : old->second.second);
      if (old != rows.end()) rows.erase(old);
      rows[change.op == Op::update ? change.new_id : change.id] = {change.a, b};
    }
  }
  return rows;
}

Result<std::vector<SourceTable>> MemorySource::tables() {
  std::vector<SourceTable> tables;
  for (std::size_t i = 0; i < database_.offered(); ++i)
    tables.push_back(SourceTable{.schema = database_.schema(i)});
  return tables;
}

Result<Source::Prepared> MemorySource::prepare(const std::optional<Position>& resume) {
  if (resume) return Prepared{*resume, false};
  return Prepared{position(has_rows_ ? database_.size() : 0), true};
}

Result<std::unique_ptr<Snapshot>> MemorySource::snapshot() {
  MAIA_TRY(faults_.at("snapshot"));
  if (!has_rows_) return Error{Error::Code::unsupported, Recovery::halt, "a log has no rows", ""};
  return std::unique_ptr<Snapshot>(std::make_unique<MemorySnapshot>(database_, faults_));
}

Result<std::unique_ptr<Stream>> MemorySource::stream(const Position& from, std::vector<SchemaRef>) {
  MAIA_TRY(faults_.at("stream"));
  return std::unique_ptr<Stream>(std::make_unique<MemoryStream>(database_, faults_, number(from)));
}

Result<Position> MemorySource::end() { return position(database_.size()); }

std::partial_ordering MemorySource::compare(const Position& a, const Position& b) const {
  return number(a) <=> number(b);
}

}  // namespace maia::testing
