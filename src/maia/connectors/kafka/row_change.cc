// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/row_change.h"

#include <fmt/format.h>

namespace maia::kafka {
namespace {

Error refused(std::string what) { return Error{Error::Code::data, Recovery::halt, std::move(what)}; }

Datum taken(Datum& record, std::string_view name) {
  for (std::size_t i = 0; i < record.names.size(); ++i) {
    if (record.names[i] == name) return std::move(record.items[i]);
  }
  return {};
}

/// Values that were not sent are named apart in Avro, where a text cannot stand for them.
void mark_not_sent(Datum& after, const Datum* names) {
  if (names == nullptr) return;
  for (const auto& name : names->items) {
    for (std::size_t i = 0; i < after.names.size(); ++i) {
      if (after.names[i] != name.text) continue;
      auto type = std::move(after.items[i].type);
      after.items[i] = Datum::of(std::string(kNotSent));
      after.items[i].type = std::move(type);
    }
  }
}

void read_source(const Datum& source, RowChange& change) {
  if (const auto table = source.text_of("table"); !table.empty()) {
    const auto schema = source.text_of("schema");
    change.table = TableName{std::string(schema.empty() ? source.text_of("db") : schema), std::string(table)};
  }
  const auto* micros = source.find("ts_us");
  const auto* millis = source.find("ts_ms");
  if (micros && micros->is(Datum::Kind::whole)) {
    change.committed_at = micros->whole;
  } else if (millis && millis->is(Datum::Kind::whole) && millis->whole < INT64_MAX / 1000 &&
             millis->whole > INT64_MIN / 1000) {
    change.committed_at = millis->whole * 1000;
  }
}

Result<RowChange::Kind> kind_of(std::string_view op) {
  if (op == "c" || op == "r") return RowChange::Kind::insert;
  if (op == "u") return RowChange::Kind::update;
  if (op == "d") return RowChange::Kind::remove;
  if (op == "t") return RowChange::Kind::truncate;
  if (op == "m") return RowChange::Kind::nothing;
  return refused(fmt::format("the operation '{}' is not known", op));
}

Result<RowChange> read_envelope(Datum value) {
  RowChange change;
  change.kind = MAIA_TRY(kind_of(value.text_of("op")));
  if (const auto* source = value.find("source")) read_source(*source, change);
  if (const auto* transaction = value.find("transaction")) change.transaction = transaction->text_of("id");
  change.before = taken(value, "before");
  change.after = taken(value, "after");
  if (const auto* maia = value.find("maia")) mark_not_sent(change.after, maia->find("unchanged"));
  const bool writes = change.kind == RowChange::Kind::insert || change.kind == RowChange::Kind::update;
  if (writes && !change.after.is(Datum::Kind::record))
    return refused("a row was written, but has no `after`");
  return change;
}

/// The row with the operation beside it: members that begin with two underscores are not of the row.
Result<RowChange> read_flat(Datum value) {
  RowChange change;
  const auto op = value.text_of("__op");
  const auto* deleted = value.find("__deleted");
  const bool gone =
      deleted && (deleted->text == "true" || (deleted->is(Datum::Kind::boolean) && deleted->whole));
  change.kind = gone ? RowChange::Kind::remove : op.empty() ? RowChange::Kind::insert : MAIA_TRY(kind_of(op));
  const auto* at = value.find("__source_ts_ms");
  if (at && at->is(Datum::Kind::whole) && at->whole < INT64_MAX / 1000 && at->whole > 0)
    change.committed_at = at->whole * 1000;
  Datum row;
  row.kind = Datum::Kind::record;
  for (std::size_t i = 0; i < value.names.size(); ++i) {
    if (value.names[i].starts_with("__")) continue;
    row.names.push_back(value.names[i]);
    row.items.push_back(value.items[i]);
  }
  mark_not_sent(row, value.find("__unchanged"));
  (change.kind == RowChange::Kind::remove ? change.before : change.after) = std::move(row);
  return change;
}

}  // namespace

Result<RowChange> read_row_change(Datum value) {
  if (!value.is(Datum::Kind::record)) return refused("the value is no row: it has no fields");
  if (!value.text_of("specversion").empty() && !value.text_of("type").empty()) value = taken(value, "data");
  if (!value.is(Datum::Kind::record)) return refused("a CloudEvent has no row in its `data`");
  const bool images = value.find("before") != nullptr || value.find("after") != nullptr;
  if (images && !value.text_of("op").empty()) return read_envelope(std::move(value));
  if (value.find("__op") || value.find("__deleted")) return read_flat(std::move(value));
  // Debezium's heartbeats and transaction markers.
  if (value.names.size() == 1 && value.names[0] == "ts_ms") return RowChange{};
  RowChange change;
  change.kind = RowChange::Kind::insert;
  change.after = std::move(value);
  return change;
}

}  // namespace maia::kafka
