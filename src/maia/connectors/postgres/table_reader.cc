// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/table_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::postgres {
namespace {

/// A batch goes to the sink at either limit.
constexpr std::size_t kBatchRows = 8'192;
constexpr std::size_t kBatchBytes = 4 << 20;

Error rewritten() {
  return Error{Error::Code::unavailable, Recovery::reconnect,
               "the table was truncated or rewritten while it was being copied; it is begun again", ""};
}

}  // namespace

std::string begin_snapshot_sql(const std::string& snapshot) {
  return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '" + snapshot + "'; ";
}

Result<std::unique_ptr<ChunkReader>> TableReader::open(std::shared_ptr<const SnapshotTerms> terms) {
  std::unique_ptr<TableReader> reader(new TableReader);
  reader->connection_ = MAIA_TRY(Connection::open(terms->connect));
  reader->terms_ = std::move(terms);
  return std::unique_ptr<ChunkReader>(std::move(reader));
}

Status TableReader::read(const SchemaRef& table, const Chunk& chunk, const Sink& sink, std::stop_token stop) {
  const auto range = MAIA_TRY(PageRange::parse(chunk.token));
  const Limits limits{std::chrono::milliseconds{0}, std::move(stop)};
  auto outcome = read_range(table, range, sink, limits);
  if (outcome.ok()) return outcome;
  auto error = std::move(outcome).error();
  layouts_.clear();
  const auto state = connection_->last_sqlstate();
  if (!connection_->broken()) {
    const auto ended = connection_->run("ROLLBACK");
    static_cast<void>(ended);
  }
  // Undefined table or column: a rename came between looking up the name and using it.
  if (state == "42P01" || state == "42703") error.recovery = Recovery::retry;
  return std::move(error).in("copy " + to_string(table->name));
}

Status TableReader::read_range(const SchemaRef& table, const PageRange& range, const Sink& sink,
                               const Limits& limits) {
  const auto* layout = MAIA_TRY(layout_of(table, limits));
  const auto relation = MAIA_TRY(relation_name(range.oid, limits));
  MAIA_TRY(begin(relation, range, limits));
  auto sql = fmt::format("COPY (SELECT {} FROM ONLY {} WHERE ctid >= '({},0)'::pg_catalog.tid",
                         layout->columns, relation, range.from);
  if (range.to) sql += fmt::format(" AND ctid < '({},0)'::pg_catalog.tid", *range.to);
  if (range.since) {
    // age() counts back from one fixed point of the transaction, so it orders numbers across their
    // wraparound.
    sql += fmt::format(" AND pg_catalog.age(xmin) <= pg_catalog.age('{}'::pg_catalog.xid)",
                       static_cast<std::uint32_t>(*range.since));
  }
  if (!layout->filter.empty()) sql += " AND (" + layout->filter + ")";
  sql += layout->format == CopyFormat::binary ? ") TO STDOUT (FORMAT binary)" : ") TO STDOUT";
  MAIA_TRY(copy(*layout, sql, sink, limits));
  return connection_->run("COMMIT", limits);
}

Result<std::string> TableReader::relation_name(Oid oid, const Limits& limits) {
  const Parameter parameters[] = {std::to_string(oid)};
  const auto rows = MAIA_TRY(connection_->query(
      "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
      "c.relnamespace WHERE c.oid = $1::oid",
      parameters, limits));
  if (rows.size() == 0) return rewritten();
  return sql_name(TableName{rows.str(0, 0), rows.str(0, 1)});
}

Status TableReader::begin(const std::string& relation, const PageRange& range, const Limits& limits) {
  const auto imported = connection_->run(begin_snapshot_sql(terms_->snapshot), limits);
  if (!imported.ok()) {
    auto error = imported.error();
    // The session that exported the snapshot is gone, so a new snapshot is needed.
    const auto& state = connection_->last_sqlstate();
    if (state == "22023" || state == "42704" || state == "55000") {
      error.code = Error::Code::unavailable;
      error.recovery = Recovery::reconnect;
    }
    return error;
  }
  const auto rows =
      MAIA_TRY(connection_->query(fmt::format("LOCK TABLE ONLY {} IN ACCESS SHARE MODE; SELECT "
                                              "pg_catalog.pg_relation_filenode({}::pg_catalog.oid)",
                                              relation, range.oid),
                                  limits));
  if (rows.size() != 1 || rows.integer(0, 0) != static_cast<std::int64_t>(range.filenode)) return rewritten();
  return {};
}

Status TableReader::copy(const Layout& layout, const std::string& sql, const Sink& sink,
                         const Limits& limits) {
  CopyDecoder decoder(layout.format, layout.decoders);
  Batch batch(layout.schema);
  std::size_t bytes = 0;
  const auto take = [&](std::string_view piece) -> Status {
    MAIA_TRY(decoder.feed(std::as_bytes(std::span(piece.data(), piece.size())), batch));
    bytes += piece.size();
    if (batch.rows() < kBatchRows && bytes < kBatchBytes) return {};
    bytes = 0;
    return sink(std::exchange(batch, Batch(layout.schema)));
  };
  MAIA_TRY(connection_->copy_out(sql, take, limits));
  MAIA_TRY(decoder.finish());
  if (batch.rows() > 0) return sink(std::move(batch));
  return {};
}

Result<const TableReader::Layout*> TableReader::layout_of(const SchemaRef& table, const Limits&) {
  const auto found = layouts_.find(table->id);
  if (found != layouts_.end() && found->second.schema == table) return &found->second;
  auto layout = MAIA_TRY(make_layout(table));
  return &layouts_.insert_or_assign(table->id, std::move(layout)).first->second;
}

Result<TableReader::Layout> TableReader::make_layout(const SchemaRef& table) {
  const auto oid = static_cast<Oid>(std::strtoul(table->id.c_str(), nullptr, 10));
  const auto found = MAIA_TRY(read_table(*connection_, terms_->scope, oid));
  if (!found) return rewritten();
  Layout layout{table, "", found->row_filter, CopyFormat::binary, {}};
  for (const auto& column : table->columns) {
    const auto at = std::ranges::find(found->columns, column.id,
                                      [](const auto& c) { return std::to_string(c.native.attnum); });
    if (!layout.columns.empty()) layout.columns += ", ";
    if (at == found->columns.end()) {
      layout.columns += "NULL::text";
      layout.format = CopyFormat::text;
      layout.decoders.emplace_back(MappedType{.type = column.type});
      continue;
    }
    if (!(at->mapped.type == column.type)) {
      return Error{Error::Code::unavailable, Recovery::reconnect,
                   "column " + column.name + " of " + to_string(table->name) +
                       " has changed its type since; the stream has to get there first",
                   ""};
    }
    layout.columns += sql_name(at->native.name);
    if (!at->mapped.has_binary) layout.format = CopyFormat::text;
    layout.decoders.emplace_back(at->mapped);
  }
  return layout;
}

}  // namespace maia::postgres
