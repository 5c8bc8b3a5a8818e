// SPDX-License-Identifier: Apache-2.0
#include "source.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace maia::simulation {

std::uint64_t number(const Position& position) { return position.empty() ? 0 : std::stoull(position.token); }
Position position(std::uint64_t number) { return Position{std::to_string(number)}; }

Result<std::vector<SourceTable>> SimulatedSource::tables() {
  MAIA_TRY(life_.call("source", "tables", life_.session("source")));
  std::vector<SourceTable> tables;
  for (const auto& [id, table] : database_.now()) {
    tables.push_back(SourceTable{.schema = table.schema,
                                 .mappings = {},
                                 .problem = {},
                                 .hint = {},
                                 .rows_estimate = table.rows.size()});
  }
  return tables;
}

Result<Source::Prepared> SimulatedSource::prepare(const std::optional<Position>& resume) {
  MAIA_TRY(life_.call("source", "prepare", life_.session("source")));
  created_at_.reset();
  if (!resume) {
    const auto here = habits_.has_rows ? database_.end() : 0;
    database_.slot = Database::Slot{.confirmed = here, .on_disk = here};
    created_at_ = here;
    MAIA_TRY(life_.call("source", "prepared", life_.session("source")));
    return Prepared{simulation::position(here), true};
  }
  if (!database_.slot || number(*resume) < database_.slot->confirmed) {
    return Error{Error::Code::lost_history, Recovery::halt,
                 fmt::format("position {} is wanted, but everything before {} was discarded", resume->token,
                             database_.slot ? database_.slot->confirmed : database_.end()),
                 ""};
  }
  return Prepared{*resume, false};
}

Result<std::unique_ptr<Snapshot>> SimulatedSource::snapshot() {
  MAIA_TRY(life_.call("source", "snapshot", life_.session("source")));
  if (!habits_.has_rows)
    return Error{Error::Code::unsupported, Recovery::halt, "a log has no rows that could be read", ""};
  const auto at = created_at_.value_or(database_.end());
  created_at_.reset();
  return std::unique_ptr<Snapshot>(std::make_unique<SimulatedSnapshot>(database_, habits_, life_, at));
}

Result<std::unique_ptr<Stream>> SimulatedSource::stream(const Position& from, std::vector<SchemaRef>) {
  MAIA_TRY(life_.call("source", "stream", life_.session("source")));
  auto& slot = *database_.slot;
  if (slot.user != 0 && habits_.has_rows) {
    return Error{Error::Code::unavailable, Recovery::retry, "the slot is in use by another session", ""};
  }
  // As servers do it: what was discarded is passed over in silence.
  const auto begin = std::max(number(from), slot.confirmed);
  return std::unique_ptr<Stream>(
      std::make_unique<SimulatedStream>(database_, habits_, life_, begin, confirmed_));
}

Result<Position> SimulatedSource::end() {
  MAIA_TRY(life_.call("source", "end", life_.session("source")));
  return simulation::position(database_.end());
}

std::partial_ordering SimulatedSource::compare(const Position& a, const Position& b) const {
  return number(a) <=> number(b);
}

namespace {

std::uint64_t spread(const Row& key) {
  std::uint64_t hash = 7;
  for (const char c : in_words(key)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return hash >> 7;
}

/// What a plan's token says: the first snapshot's position, the file that the table was in, chunks, next
/// number.
struct Cut {
  std::uint64_t first = 0;
  std::uint64_t file = 0;
  std::uint64_t chunks = 0;
  std::uint32_t from = 0;  ///< number of the first chunk
  std::uint32_t next = 0;
  std::string token() const { return fmt::format("{} {} {} {} {}", first, file, chunks, from, next); }
  static Cut parse(const std::string& token) {
    Cut cut;
    std::istringstream(token) >> cut.first >> cut.file >> cut.chunks >> cut.from >> cut.next;
    return cut;
  }
};

Error moved_on(const TableSchema& wanted) {
  return Error{Error::Code::unavailable, Recovery::reconnect,
               to_string(wanted.name) + " has another shape meanwhile", ""};
}

class Reader final : public ChunkReader {
 public:
  Reader(Database& database, Life& life, std::uint64_t at, std::uint64_t session)
      : database_(database), life_(life), at_(at), session_(session) {}

  Result<std::vector<Row>> rows(const SchemaRef& wanted, const Chunk& chunk) {
    const auto& tables = database_.at(at_);
    const auto found = tables.find(wanted->id);
    if (found == tables.end()) return moved_on(*wanted);
    const auto& table = found->second;
    for (const auto& column : wanted->columns) {
      for (const auto& there : table.schema->columns) {
        if (there.id == column.id && !(there.type == column.type)) return moved_on(*wanted);
      }
    }
    std::string kind;
    std::uint64_t index = 0, chunks = 0, first = 0;
    std::istringstream(chunk.token) >> kind >> index >> chunks >> first;
    std::vector<Row> rows;
    for (const auto& row : table.rows) {
      if (spread(key_of(*table.schema, row)) % chunks != index) continue;
      if (kind == "again") {
        const auto& before = database_.at(first).at(wanted->id);
        const auto was = before.schema == table.schema
                             ? std::find(before.rows.begin(), before.rows.end(), row) != before.rows.end()
                             : false;
        if (was) continue;
      }
      rows.push_back(row);
    }
    return reshaped(rows, *table.schema, *wanted, {});
  }

  Status read(const SchemaRef& table, const Chunk& chunk, const Sink& sink, std::stop_token) override {
    MAIA_TRY(life_.call("source", "chunk", session_));
    auto found = MAIA_TRY(rows(table, chunk));
    Batch batch(table);
    for (const auto& row : found) {
      batch.begin_row(Op::read, batch.rows());
      for (std::size_t i = 0; i < row.size(); ++i)
        push(batch.mutable_after(i), table->columns[i].type, row[i]);
      batch.finish_row();
    }
    if (batch.rows() > 0) MAIA_TRY(sink(std::move(batch)));
    return life_.call("source", "chunk end", session_);
  }

 private:
  Database& database_;
  Life& life_;
  std::uint64_t at_;
  std::uint64_t session_;
};

}  // namespace

Result<TablePlan> SimulatedSnapshot::plan(const SchemaRef& table,
                                          const std::optional<TablePlanProgress>& progress) {
  MAIA_TRY(life_.call("source", "plan", session_));
  const auto& tables = database_.at(at_);
  const auto found = tables.find(table->id);
  if (found == tables.end()) return moved_on(*table);
  const auto file = found->second.file;
  TablePlan plan;
  const auto cut_anew = [&](std::uint32_t from) {
    const Cut cut{at_, file, habits_.chunks, from, from + static_cast<std::uint32_t>(habits_.chunks)};
    for (std::uint32_t i = 0; i < habits_.chunks; ++i) {
      plan.chunks.push_back({from + i, fmt::format("all {} {}", i, habits_.chunks), 1});
    }
    plan.token = cut.token();
  };
  if (!progress) {
    cut_anew(0);
    return plan;
  }
  auto cut = Cut::parse(progress->token);
  // Nothing was read, so all of it is as old as this view.
  if (progress->done.empty()) {
    cut_anew(cut.next);
    return plan;
  }
  if (table->key().empty() || cut.file != file || !database_.at(cut.first).contains(table->id)) {
    plan.restarted = true;
    cut_anew(cut.next);
    return plan;
  }
  plan.converging = true;
  for (std::uint32_t i = 0; i < cut.chunks; ++i) {
    const bool done = std::binary_search(progress->done.begin(), progress->done.end(), cut.from + i);
    if (!done) plan.chunks.push_back({cut.from + i, fmt::format("all {} {}", i, cut.chunks), 1});
    if (done) plan.chunks.push_back({cut.next++, fmt::format("again {} {} {}", i, cut.chunks, cut.first), 1});
  }
  plan.token = cut.token();
  return plan;
}

Result<std::unique_ptr<ChunkReader>> SimulatedSnapshot::open_reader() {
  MAIA_TRY(life_.call("source", "reader", session_));
  return std::unique_ptr<ChunkReader>(std::make_unique<Reader>(database_, life_, at_, session_));
}

}  // namespace maia::simulation
