// SPDX-License-Identifier: Apache-2.0
#include "maia/app/journal_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "maia/app/change_record.h"
#include "maia/codec/change_walk.h"
#include "maia/sql/quote.h"
#include "maia/transforms/sandbox.h"
#include "maia/transforms/values.h"

namespace maia::app {
namespace {

using transforms::ChunkHandle;
using transforms::ConnectionHandle;
using transforms::PreparedHandle;
using transforms::ResultHandle;

Error refused(std::string_view message) {
  return {Error::Code::invalid_config, Recovery::halt, "the query cannot be run: " + std::string(message),
          "write one SELECT over changes, or over a table of the source"};
}

/// The rows of `changes`, read from the journal each time that they are asked for.
class Changes final : public transforms::Feed {
 public:
  Changes(JournalReader& reader, const Journal::Tail& tail) : reader_(reader), tail_(tail) {}

  const std::vector<Column>& columns() const override {
    static const std::vector<Column> columns = {{"sequence", Type::of(TypeId::int64)},
                                                {"transaction", Type::text()},
                                                {"position", Type::text()},
                                                {"committed_at", Type::of(TypeId::timestamp_tz)},
                                                {"table_name", Type::text()},
                                                {"op", Type::text()},
                                                {"key", Type::of(TypeId::json)},
                                                {"before", Type::of(TypeId::json)},
                                                {"after", Type::of(TypeId::json)},
                                                {"operation_id", Type::text()}};
    return columns;
  }
  void rewind() override {
    cursor_.reset();
    window_.reset();
    places_.clear();
    next_ = 0;
    last_ = Sequence{tail_.first.value - 1};
  }
  std::optional<std::string> fill(duckdb_data_chunk chunk) override {
    idx_t rows = 0;
    while (rows < duckdb_vector_size()) {
      if (next_ == places_.size()) {
        auto more = turn_page();
        if (!more.ok()) return more.error().message;
        if (!*more) break;
        continue;
      }
      const auto& place = places_[next_++];
      put(chunk, rows++, change_record(*window_, place.item, place.row));
    }
    duckdb_data_chunk_set_size(chunk, rows);
    return {};
  }

 private:
  /// False at the end of what was there when the query began.
  Result<bool> turn_page() {
    if (!cursor_) cursor_ = MAIA_TRY(reader_.read(last_));
    if (last_ >= tail_.sequence && !(window_ && window_->continues)) return false;
    auto next = MAIA_TRY(cursor_->next(std::chrono::milliseconds(0), {}));
    if (!next) return false;
    window_ = std::move(*next);
    last_ = window_->sequence;
    places_ = codec::changes_in_order(*window_);
    next_ = 0;
    return true;
  }
  static void put_text(duckdb_data_chunk chunk, idx_t column, idx_t row,
                       const std::optional<std::string>& text) {
    auto* vector = duckdb_data_chunk_get_vector(chunk, column);
    if (!text) return transforms::put_null(vector, row);
    duckdb_vector_assign_string_element_len(vector, row, text->data(), text->size());
  }
  static void put(duckdb_data_chunk chunk, idx_t row, const ChangeRecord& record) {
    const auto number = [&](idx_t column, std::int64_t value) {
      auto* vector = duckdb_data_chunk_get_vector(chunk, column);
      static_cast<std::int64_t*>(duckdb_vector_get_data(vector))[row] = value;
    };
    number(0, static_cast<std::int64_t>(record.sequence.value));
    put_text(chunk, 1, row, record.transaction);
    put_text(chunk, 2, row, record.position);
    number(3, record.committed_at);
    put_text(chunk, 4, row, record.table);
    put_text(chunk, 5, row, record.op);
    put_text(chunk, 6, row, record.key);
    put_text(chunk, 7, row, record.before);
    put_text(chunk, 8, row, record.after);
    put_text(chunk, 9, row, record.operation_id);
  }

  JournalReader& reader_;
  const Journal::Tail tail_;
  std::unique_ptr<JournalCursor> cursor_;
  WindowRef window_;
  std::vector<codec::ChangePlace> places_;
  std::size_t next_ = 0;
  Sequence last_;
};

/// Keeps a feed known to the sandbox.
class Registration {
 public:
  Registration(transforms::Sandbox& sandbox, transforms::Feed& feed)
      : sandbox_(sandbox), feed_(feed), relation_(sandbox.add(&feed)) {}
  ~Registration() { sandbox_.remove(&feed_); }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  const std::string& relation() const { return relation_; }

 private:
  transforms::Sandbox& sandbox_;
  transforms::Feed& feed_;
  std::string relation_;
};

Status run(const ConnectionHandle& connection, const std::string& sql, ResultHandle& result) {
  if (duckdb_query(connection.get(), sql.c_str(), result.out()) == DuckDBSuccess) return {};
  auto raw = result.get();
  return refused(transforms::first_line(duckdb_result_error(&raw)));
}

/// The type that a column's JSON is cast to; "" for none.
std::string sql_type(const Type& type) {
  switch (type.id) {
    case TypeId::boolean: return "BOOLEAN";
    case TypeId::int16: return "SMALLINT";
    case TypeId::int32: return "INTEGER";
    case TypeId::int64: return "BIGINT";
    case TypeId::float32: return "FLOAT";
    case TypeId::float64: return "DOUBLE";
    case TypeId::decimal:
      return type.precision > 0 && type.precision <= 38
                 ? fmt::format("DECIMAL({},{})", type.precision, type.scale)
                 : "";
    case TypeId::date: return "DATE";
    case TypeId::time: return "TIME";
    case TypeId::timestamp: return "TIMESTAMP";
    case TypeId::timestamp_tz: return "TIMESTAMPTZ";
    case TypeId::interval: return "INTERVAL";
    case TypeId::uuid: return "UUID";
    case TypeId::json: return "JSON";
    case TypeId::string:
    case TypeId::bytes:
    case TypeId::array: return "";
  }
  return "";
}

/// RFC 6901.
std::string json_pointer(std::string_view name) {
  std::string out = "/";
  for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

Result<std::string> view_of(const TableSchema& schema, const std::string& name) {
  std::vector<std::string> columns;
  for (const auto& column : schema.columns) {
    const auto path = MAIA_TRY(sql::duckdb_literal(json_pointer(column.name)));
    const auto text = fmt::format("coalesce(\"after\", \"before\") ->> {}", path);
    const auto type = sql_type(column.type);
    columns.push_back((type.empty() ? text : fmt::format("try_cast({} AS {})", text, type)) + " AS " +
                      MAIA_TRY(sql::duckdb_identifier(column.name)));
  }
  const auto view = MAIA_TRY(sql::duckdb_identifier(name));
  const auto table = MAIA_TRY(sql::duckdb_literal(to_string(schema.name)));
  return fmt::format(
      "CREATE TEMP VIEW {} AS SELECT \"sequence\", \"transaction\", \"committed_at\", \"op\", "
      "\"operation_id\", {} "
      "FROM changes WHERE \"table_name\" = {}",
      view, fmt::join(columns, ", "), table);
}

/// A row of texts.
std::vector<std::optional<std::string>> texts_of(duckdb_data_chunk chunk, idx_t row, idx_t columns) {
  std::vector<std::optional<std::string>> cells(columns);
  for (idx_t column = 0; column < columns; ++column) {
    auto* vector = duckdb_data_chunk_get_vector(chunk, column);
    auto* validity = duckdb_vector_get_validity(vector);
    if (validity != nullptr && !duckdb_validity_row_is_valid(validity, row)) continue;
    auto& text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))[row];
    cells[column] = std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text));
  }
  return cells;
}

Result<Destination::QueryResult> answer(const ConnectionHandle& connection, const std::string& sql,
                                        std::uint64_t most) {
  PreparedHandle statement;
  if (duckdb_prepare(connection.get(), sql.c_str(), statement.out()) != DuckDBSuccess) {
    return refused(transforms::first_line(duckdb_prepare_error(statement.get())));
  }
  Destination::QueryResult out;
  std::vector<std::string> names;
  std::vector<std::string> texts;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement.get()); ++i) {
    const auto* name = duckdb_prepared_statement_column_name(statement.get(), i);
    out.columns.emplace_back(name);
    duckdb_free(const_cast<char*>(name));
    names.push_back(fmt::format("c{}", i));
    texts.push_back(fmt::format("CAST(c{} AS VARCHAR)", i));
  }
  // DuckDB's query() parses the text by itself, so it cannot reach into the statement around it.
  const auto literal = MAIA_TRY(sql::duckdb_literal(sql));
  ResultHandle result;
  MAIA_TRY(run(connection,
               fmt::format("SELECT {} FROM query({}) AS q({}) LIMIT {}", fmt::join(texts, ", "), literal,
                           fmt::join(names, ", "), most + 1),
               result));
  for (ChunkHandle chunk; *chunk.out() = duckdb_fetch_chunk(result.get()), chunk.get() != nullptr;) {
    const auto rows = duckdb_data_chunk_get_size(chunk.get());
    for (idx_t row = 0; row < rows && !out.truncated; ++row) {
      out.truncated = out.rows.size() == most;
      if (!out.truncated) out.rows.push_back(texts_of(chunk.get(), row, out.columns.size()));
    }
  }
  return out;
}

}  // namespace

Result<Destination::QueryResult> query_journal(JournalReader& reader, const std::string& sql,
                                               std::uint64_t most_rows) {
  const auto sandbox = MAIA_TRY(transforms::Sandbox::instance());
  const auto connection = MAIA_TRY(sandbox->connect());
  const auto tail = MAIA_TRY(reader.tail());
  Changes changes(reader, tail);
  const Registration registration(*sandbox, changes);
  ResultHandle made;
  MAIA_TRY(run(connection, "CREATE TEMP VIEW changes AS FROM " + registration.relation(), made));
  for (const auto& schema : MAIA_TRY(reader.shapes())) {
    for (const auto& view : {to_string(schema->name), schema->name.table}) {
      const auto created = MAIA_TRY(view_of(*schema, view));
      // Another table may have the short name already; the whole one is there all the same.
      static_cast<void>(run(connection, created, made).ok());
    }
  }
  return answer(connection, sql, most_rows);
}

}  // namespace maia::app
