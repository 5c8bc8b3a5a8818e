// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/relations.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "maia/connectors/postgres/existing_rows.h"
#include "maia/connectors/postgres/relation_shape.h"
#include "maia/sql/column_changes.h"

namespace maia::postgres {
namespace {

using std::chrono::milliseconds;

/// How long a commit that the stream has may take to be in effect. The server hears nothing from us
/// meanwhile.
constexpr milliseconds kCommitPatience{2'000};
constexpr milliseconds kLookAgain{1};

// The server sends a commit once it is in the log, which is before others see its effects; and a transaction
// that it streams before its commit nobody sees. Until its effects are seen a transaction keeps the lock on
// its id, and on every table whose shape it has changed.
constexpr const char* kWriterState = R"sql(
SELECT count(*) > 0, coalesce(bool_or(EXISTS (
         SELECT FROM pg_catalog.pg_locks t
         WHERE t.virtualtransaction = w.virtualtransaction AND t.granted AND t.mode = 'AccessExclusiveLock'
           AND t.relation = $2::oid
           AND t.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
       )), false)
FROM pg_catalog.pg_locks w
WHERE w.locktype = 'transactionid' AND w.transactionid = $1::xid AND w.granted AND w.mode = 'ExclusiveLock'
)sql";

Oid oid_of(const TableSchema& schema) {
  Oid oid = 0;
  std::from_chars(schema.id.data(), schema.id.data() + schema.id.size(), oid);
  return oid;
}

/// Whether rows of both look the same to a destination.
bool same_shape(const TableSchema& a, const TableSchema& b) {
  return a.name == b.name && a.identity == b.identity &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const Column& x, const Column& y) {
                      return x.name == y.name && x.type == y.type && x.nullable == y.nullable &&
                             x.in_key == y.in_key && x.id == y.id;
                    });
}

}  // namespace

Relations::Relations(Connection& catalogue, Terms terms) : catalogue_(catalogue), terms_(std::move(terms)) {
  for (const auto& schema : terms_.known) known_[oid_of(*schema)] = schema;
}

SchemaRef Relations::known(Oid oid, Xid top) const {
  if (const auto view = running_.find(top); top != 0 && view != running_.end()) {
    if (const auto at = view->second.find(oid); at != view->second.end()) {
      const auto told = std::find_if(at->second.rbegin(), at->second.rend(),
                                     [](const Entry& entry) { return entry.change && entry.told; });
      if (told != at->second.rend()) return told->decoder.schema();
    }
  }
  const auto at = known_.find(oid);
  return at == known_.end() ? nullptr : at->second;
}

Status Relations::take(const Relation& relation, Xid writer, Xid top) {
  const TableName name{std::string(relation.schema), std::string(relation.name)};
  const auto before = known(relation.oid, top);
  if (before == nullptr && !terms_.selection.includes(name)) {
    ignored_.insert(relation.oid);
    return {};
  }
  ignored_.erase(relation.oid);
  MAIA_TRY(in(to_string(name), await_catalogue(relation.oid, writer, top != 0)));
  const auto catalog = MAIA_TRY(read_table(catalogue_, terms_.scope, relation.oid));
  if (catalog && catalog->replica_identity == 'n') {
    auto found = problem_of(*catalog);
    return Error{Error::Code::check_failed, Recovery::halt, to_string(name) + " " + found.problem,
                 found.hint};
  }
  auto shape = MAIA_TRY(in(to_string(name), shape_of(relation, before.get(), catalog)));
  if (terms_.binary) {
    const auto text_only = std::ranges::find(shape.mapped, false, &MappedType::has_binary);
    if (text_only != shape.mapped.end()) {
      binary_refused_ = true;
      return Error{
          Error::Code::unavailable, Recovery::reconnect,
          fmt::format("{} has a column of a type that is only read as text; the stream begins again in text",
                      to_string(name)),
          ""};
    }
  }
  std::optional<SchemaChange> change;
  auto after = before;
  if (before == nullptr || !same_shape(*before, shape.schema)) {
    if (before != nullptr) ++shape.schema.version;
    after = std::make_shared<const TableSchema>(std::move(shape.schema));
    change = SchemaChange{before, after,
                          before ? sql::column_changes(*before, *after) : std::vector<ColumnChange>{}, 0};
    MAIA_TRY(in(to_string(name), fill_existing_rows(*change)));
  }
  Entry entry{MAIA_TRY(RowDecoder::compile(after, shape.mapped, relation)), std::move(change), true, 0};
  entry.told = !entry.change;
  if (top == 0) {
    entries_.insert_or_assign(relation.oid, std::move(entry));
    return {};
  }
  auto& stack = running_[top][relation.oid];
  // What was never told, or took no change, is replaced; only told changes can be rolled back to.
  while (!stack.empty() && !(stack.back().change && stack.back().told)) stack.pop_back();
  stack.push_back(std::move(entry));
  return {};
}

Result<std::optional<SchemaChange>> Relations::join(Oid oid, Xid writer) {
  std::optional<SchemaChange> joined;
  if (known_.contains(oid)) return joined;
  MAIA_TRY(await_catalogue(oid, writer, false));
  const auto table = MAIA_TRY(read_table(catalogue_, terms_.scope, oid));
  if (!table || !terms_.selection.includes(table->name)) return joined;
  const auto schema = std::make_shared<const TableSchema>(table->schema());
  known_[oid] = schema;
  return joined = SchemaChange{.before = schema, .after = schema, .columns = {}, .ordinal = 0};
}

Status Relations::await_catalogue(Oid table, Xid writer, bool streamed) {
  const Parameter parameters[] = {std::to_string(writer), std::to_string(table)};
  const auto until = std::chrono::steady_clock::now() + kCommitPatience;
  for (;;) {
    const auto state = MAIA_TRY(catalogue_.query(kWriterState, parameters));
    const bool runs = state.boolean(0, 0), has_locked = state.boolean(0, 1);
    if (streamed ? !has_locked : !runs) return {};
    if (streamed) {
      streaming_refused_ = true;
      return Error{Error::Code::unavailable, Recovery::reconnect,
                   "is changed by a transaction that runs; the stream begins again with only those that have "
                   "committed",
                   ""};
    }
    if (std::chrono::steady_clock::now() >= until) {
      return Error{Error::Code::unavailable, Recovery::reconnect,
                   fmt::format("transaction {} is in the log, but not in effect yet; perhaps it waits for a "
                               "synchronous standby",
                               writer),
                   ""};
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

Result<RelationShape> Relations::shape_of(const Relation& relation, const TableSchema* known,
                                          const std::optional<CatalogTable>& catalog) {
  if (catalog && same_columns(*catalog, relation)) return shape_from_catalog(*catalog, relation, known);
  const auto sent = MAIA_TRY(resolve(relation, known));
  return shape_by_alignment(catalog ? &*catalog : nullptr, relation, sent, known);
}

Result<std::vector<SentColumn>> Relations::resolve(const Relation& relation, const TableSchema* known) {
  std::vector<Oid> oids;
  std::vector<std::int32_t> modifiers;
  for (const auto& column : relation.columns) {
    oids.push_back(column.type_oid);
    modifiers.push_back(column.typmod);
  }
  const auto types = MAIA_TRY(read_types(catalogue_, oids));
  const Parameter parameters[] = {fmt::format("{{{}}}", fmt::join(oids, ",")),
                                  fmt::format("{{{}}}", fmt::join(modifiers, ","))};
  const auto spelled =
      MAIA_TRY(catalogue_.query("SELECT pg_catalog.format_type(t, m) FROM unnest($1::oid[], $2::int[]) WITH "
                                "ORDINALITY AS u(t, m, n) ORDER BY n",
                                parameters));
  std::vector<SentColumn> sent;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto& column = relation.columns[i];
    SentColumn resolved{std::string(column.name), column.in_key, {}, {}};
    const auto place = known != nullptr ? known->find(column.name) : std::nullopt;
    const Column* here = place ? &known->columns[*place] : nullptr;
    auto type = types.resolve(column.type_oid, column.typmod, spelled.str(i, 0));
    if (type.ok()) {
      resolved.type = std::move(type).value();
      // Dimensions are in no message; a column that we know keeps its own.
      const auto dimensions = here != nullptr ? here->type.dimensions : std::uint8_t{0};
      resolved.mapped = map_type(resolved.type, dimensions);
    } else if (here != nullptr) {
      // The type was dropped after these rows were written; they are read as the text that they are.
      resolved.type.spelled = here->native_type;
      resolved.mapped = {.type = here->type, .native_oid = column.type_oid};
    } else {
      return std::move(type).error().in("column " + resolved.name);
    }
    sent.push_back(std::move(resolved));
  }
  return sent;
}

Status Relations::fill_existing_rows(SchemaChange& change) {
  if (change.before == nullptr) return {};
  for (auto& step : change.columns) {
    if (step.kind != ColumnChange::Kind::add) continue;
    const auto place = change.after->find(step.column);
    MAIA_ASSERT(place.has_value());
    step.existing_rows = MAIA_TRY(existing_rows(catalogue_, *change.after, change.after->columns[*place]));
  }
  return {};
}

Result<Relations::Entry*> Relations::find(Oid oid, Xid top) {
  if (top != 0) {
    if (const auto view = running_.find(top); view != running_.end()) {
      const auto at = view->second.find(oid);
      if (at != view->second.end() && !at->second.empty()) return &at->second.back();
    }
  }
  if (const auto at = entries_.find(oid); at != entries_.end()) return &at->second;
  if (ignored_.contains(oid)) return static_cast<Entry*>(nullptr);
  return Error{Error::Code::corruption, Recovery::reconnect,
               fmt::format("rows of relation {} came before the message that describes it", oid), ""};
}

Result<SchemaChange> Relations::tell(Entry& entry, Xid top, std::uint64_t ordinal) {
  const auto oid = oid_of(*entry.decoder.schema());
  auto change = *entry.change;
  const auto before = known(oid, top);
  if (before != nullptr && before != change.before) {
    // What stood between was rolled back.
    change.before = before;
    change.columns = sql::column_changes(*before, *change.after);
    MAIA_TRY(fill_existing_rows(change));
    entry.change = change;
  }
  entry.told = true;
  entry.told_at = change.ordinal = ordinal;
  if (top == 0) known_[oid] = change.after;
  return change;
}

void Relations::committed(Xid top) {
  const auto view = running_.find(top);
  if (view == running_.end()) return;
  for (auto& [oid, stack] : view->second) {
    if (stack.empty()) continue;
    auto& last = stack.back();
    const auto& schema = last.decoder.schema();
    // Others may have gone further since this transaction last used the table.
    const auto now = known_.find(oid);
    if (now != known_.end() && now->second->version > schema->version) continue;
    if (last.told) known_[oid] = schema;
    entries_.insert_or_assign(oid, std::move(last));
  }
  running_.erase(view);
}

void Relations::rolled_back(Xid top, std::uint64_t from_ordinal) {
  const auto view = running_.find(top);
  if (view == running_.end()) return;
  // The server does not describe a table again that did not change back, so the last decoder stays; but what
  // was told is forgotten, and must be told again before another row.
  const auto forgotten = [&](const Entry& entry) {
    return entry.change && entry.told && entry.told_at >= from_ordinal;
  };
  for (auto& [oid, stack] : view->second) {
    const auto first = std::find_if(stack.begin(), stack.end(), forgotten);
    if (first == stack.end()) continue;
    const auto change = std::find_if(stack.rbegin(), stack.rend(), forgotten)->change;
    auto last = std::move(stack.back());
    stack.erase(first, stack.end());
    // A description that brought nothing new rests on the change that was told before it.
    if (!last.change) last.change = change;
    last.told = false;
    stack.push_back(std::move(last));
  }
}

}  // namespace maia::postgres
