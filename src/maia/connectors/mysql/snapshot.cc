// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/snapshot.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/mysql/key_range.h"
#include "maia/connectors/mysql/value_push.h"
#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

constexpr std::size_t kBatchRows = 8192;
constexpr std::size_t kBatchBytes = std::size_t{8} << 20;

std::string list_of(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

TablePlan plan_of(const KeyPlan& cut, const std::vector<std::uint32_t>& done, std::uint64_t rows) {
  TablePlan plan;
  plan.token = cut.token();
  for (std::uint32_t i = 0; i < cut.chunks(); ++i) {
    if (std::ranges::binary_search(done, cut.first + i)) continue;
    plan.chunks.push_back({cut.first + i, cut.range(i).token(), rows / cut.chunks()});
  }
  return plan;
}

/// Keys that cut a table into pieces of so many rows.
Result<std::vector<KeyValues>> read_boundaries(Connection& session, const TableSchema& table,
                                               std::uint32_t rows) {
  std::vector<std::string> names;
  for (const auto column : table.key())
    names.push_back(MAIA_TRY(sql::mysql_identifier(table.columns[column].name)));
  const auto columns = list_of(names);
  const auto name = MAIA_TRY(sql_table(table.name));
  std::vector<KeyValues> boundaries;
  KeyRange rest;
  for (;;) {
    const auto where = MAIA_TRY(condition(table, rest));
    const auto found = MAIA_TRY(session.query(fmt::format(
        "SELECT {0} FROM {1} WHERE {2} ORDER BY {0} LIMIT 1 OFFSET {3}", columns, name, where, rows - 1)));
    if (found.size() == 0) return boundaries;
    KeyValues key;
    for (std::size_t i = 0; i < names.size(); ++i) key.push_back(found.str(0, i));
    rest.above = key;
    boundaries.push_back(std::move(key));
  }
}

class KeyReader final : public ChunkReader {
 public:
  KeyReader(std::shared_ptr<ViewPool> views, ZeroDates zero_dates)
      : views_(std::move(views)), zero_dates_(zero_dates) {}

  Status read(const SchemaRef& table, const Chunk& chunk, const Sink& sink, std::stop_token stop) override {
    return in("copy " + to_string(table->name), read_range(table, chunk, sink, stop));
  }

 private:
  Status read_range(const SchemaRef& table, const Chunk& chunk, const Sink& sink,
                    const std::stop_token& stop) {
    const auto range = MAIA_TRY(KeyRange::parse(chunk.token));
    std::vector<std::string> expressions;
    std::vector<NativeType> natives;
    for (const auto& column : table->columns) {
      natives.push_back(MAIA_TRY(native_of(column)));
      const auto name = MAIA_TRY(sql::mysql_identifier(column.name));
      expressions.push_back(select_expression(natives.back(), name));
    }
    const auto where = MAIA_TRY(condition(*table, range));
    const auto from = MAIA_TRY(sql_table(table->name));
    const auto sql = fmt::format("SELECT {} FROM {} WHERE {}", list_of(expressions), from, where);
    ViewPool::Turn turn(*views_);
    auto& session = turn.session();
    // Between chunks no lock on the table's definition is left behind.
    MAIA_TRY(session.run("SAVEPOINT maia_chunk"));
    Batch batch(table);
    const auto take = [&](Connection::Fields fields) -> Status {
      MAIA_TRY(push_row(*table, natives, fields, batch));
      if (batch.rows() < kBatchRows && batch.byte_size() < kBatchBytes) return {};
      return sink(std::exchange(batch, Batch(table)));
    };
    if (auto read = session.each_row(sql, take, stop); !read.ok()) return as_moved(std::move(read).error());
    MAIA_TRY(session.run("ROLLBACK TO SAVEPOINT maia_chunk"));
    if (batch.rows() > 0) return sink(std::move(batch));
    return {};
  }

  Status push_row(const TableSchema& table, const std::vector<NativeType>& natives, Connection::Fields fields,
                  Batch& batch) const {
    batch.begin_row(Op::read, 0);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      auto& to = batch.mutable_after(i);
      if (!fields[i]) {
        to.push_null();
        continue;
      }
      auto pushed = push_selected(to, table.columns[i].type, natives[i], *fields[i], zero_dates_);
      if (!pushed.ok()) return std::move(pushed).error().in("column " + table.columns[i].name);
    }
    batch.finish_row();
    return {};
  }

  /// A table that was altered after the view began cannot be read in it any more.
  static Error as_moved(Error error) {
    if (error.code == Error::Code::invalid_config || error.code == Error::Code::check_failed) {
      error.code = Error::Code::unavailable;
      error.recovery = Recovery::reconnect;
    }
    return error;
  }

  std::shared_ptr<ViewPool> views_;
  ZeroDates zero_dates_;
};

}  // namespace

Result<TablePlan> KeySnapshot::plan(const SchemaRef& table,
                                    const std::optional<TablePlanProgress>& progress) {
  KeyPlan before;
  if (progress) before = MAIA_TRY(KeyPlan::parse(progress->token));
  const bool begun = progress && !progress->done.empty();
  // A row whose key went from a range that is left into one that is done comes in the stream, and must be
  // whole there.
  if (begun && before.key == key_signature(*table) && !table->key().empty() && views_->full_images()) {
    auto plan = plan_of(before, progress->done, 0);
    plan.converging = true;
    return plan;
  }
  KeyPlan cut;
  cut.key = key_signature(*table);
  cut.first = progress ? before.first + before.chunks() : 0;
  ViewPool::Turn turn(*views_);
  auto& session = turn.session();
  MAIA_TRY(session.run("SAVEPOINT maia_plan"));
  if (can_be_cut(*table)) cut.boundaries = MAIA_TRY(read_boundaries(session, *table, terms_.chunk_rows));
  MAIA_TRY(session.run("ROLLBACK TO SAVEPOINT maia_plan"));
  auto plan = plan_of(cut, {}, std::uint64_t{cut.chunks()} * terms_.chunk_rows);
  plan.restarted = begun;
  return plan;
}

Result<std::unique_ptr<ChunkReader>> KeySnapshot::open_reader() {
  return std::unique_ptr<ChunkReader>(std::make_unique<KeyReader>(views_, terms_.zero_dates));
}

}  // namespace maia::mysql
