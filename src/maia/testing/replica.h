// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "maia/connector/source.h"
#include "maia/testing/must.h"
#include "maia/types/stream_event.h"
#include "maia/types/value_text.h"

namespace maia::testing {

/// What a destination would hold, in memory: tables of rows as canonical text, changed by the events of a
/// stream exactly as the contract says. A key that is not there, or is there twice, fails the test.
class Replica {
 public:
  using Row = std::vector<std::optional<std::string>>;
  struct Table {
    SchemaRef schema;
    std::multimap<Row, Row> rows;  ///< by key; by the whole row where there is none
    bool converging = false;
    void add(Row row) {
      auto key = key_of(*schema, row);
      rows.emplace(std::move(key), std::move(row));
    }
  };

  Table& table(const SchemaRef& schema) {
    auto& table = tables_[schema->id];
    if (table.schema == nullptr) table.schema = schema;
    return table;
  }
  std::map<std::string, Table>& tables() { return tables_; }
  const Position& position() const { return position_; }
  std::size_t transactions() const { return transactions_; }
  std::size_t fragments() const { return fragments_; }
  const std::vector<SchemaChange>& schema_changes() const { return schema_changes_; }

  void copy(const Batch& batch) {
    auto& to = table(batch.schema());
    for (std::size_t r = 0; r < batch.rows(); ++r) {
      Row row = after(batch, r);
      if (to.converging) erase(to, key_of(*to.schema, row));
      to.add(std::move(row));
    }
  }

  /// The stream was lost: what was running comes again.
  void forget_running() { running_.clear(); }
  void set_position(Position position) { position_ = std::move(position); }

  void apply(StreamEvent event) {
    if (auto* changes = std::get_if<StreamEvent::Changes>(&event.what)) {
      transactions_ += changes->window.transactions.size();
      apply(changes->window.items);
      position_ = changes->window.end;
    } else if (auto* fragment = std::get_if<StreamEvent::Fragment>(&event.what)) {
      ++fragments_;
      for (auto& item : fragment->window.items) running_[fragment->transaction].push_back(std::move(item));
    } else if (auto* abort = std::get_if<StreamEvent::Abort>(&event.what)) {
      roll_back(running_[abort->transaction], abort->from_ordinal);
    } else if (auto* commit = std::get_if<StreamEvent::Commit>(&event.what)) {
      ++transactions_;
      apply(running_[commit->transaction]);
      running_.erase(commit->transaction);
      position_ = commit->committed.position;
    } else {
      position_ = std::get<StreamEvent::Idle>(event.what).position;
    }
  }

 private:
  static std::optional<std::string> text(const Type& type, const ColumnVector& column, std::size_t row) {
    if (column.presence(row) != Presence::value) return {};
    std::string out;
    append_value_text(out, type, column, row);
    return out;
  }
  static Row after(const Batch& batch, std::size_t r) {
    Row row;
    for (std::size_t c = 0; c < batch.columns(); ++c) {
      EXPECT_NE(batch.after(c).presence(r), Presence::unchanged);
      row.push_back(text(batch.schema()->columns[c].type, batch.after(c), r));
    }
    return row;
  }
  static std::vector<std::size_t> key_columns(const TableSchema& schema) {
    auto columns = schema.key();
    if (columns.empty()) {
      for (std::size_t c = 0; c < schema.columns.size(); ++c) columns.push_back(c);
    }
    return columns;
  }
  static Row key_of(const TableSchema& schema, const Row& row) {
    Row key;
    for (const auto c : key_columns(schema)) key.push_back(row[c]);
    return key;
  }
  /// The values that find the row as it was before the change.
  static Row old_key(const Batch& batch, std::size_t r) {
    Row key;
    for (const auto c : key_columns(*batch.schema())) {
      key.push_back(text(batch.schema()->columns[c].type, batch.old_key(c, r), r));
    }
    return key;
  }
  static bool erase(Table& table, const Row& key) {
    const auto at = table.rows.find(key);
    if (at == table.rows.end()) return false;
    table.rows.erase(at);
    return true;
  }

  struct Step {
    std::uint64_t ordinal;
    std::function<void()> act;
  };
  void apply(std::vector<Window::Item>& items) {
    std::vector<Step> steps;
    for (auto& item : items) {
      if (auto* batch = std::get_if<Batch>(&item)) {
        for (std::size_t r = 0; r < batch->rows(); ++r) {
          steps.push_back({batch->ordinal(r), [this, batch, r] { change(*batch, r); }});
        }
      } else if (auto* truncate = std::get_if<Truncate>(&item)) {
        steps.push_back({truncate->ordinal, [this, truncate] {
                           for (const auto& each : truncate->tables) table(each).rows.clear();
                         }});
      } else {
        auto& schema_change = std::get<SchemaChange>(item);
        steps.push_back({schema_change.ordinal, [this, &schema_change] { evolve(schema_change); }});
      }
    }
    std::stable_sort(steps.begin(), steps.end(),
                     [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) EXPECT_LT(steps[i].ordinal, steps[i + 1].ordinal);
    for (auto& step : steps) step.act();
  }
  void change(const Batch& batch, std::size_t r) {
    auto& to = table(batch.schema());
    EXPECT_EQ(to.schema->version, batch.schema()->version);
    switch (batch.op(r)) {
      case Op::read:
      case Op::insert: {
        auto row = after(batch, r);
        if (to.converging) erase(to, key_of(*to.schema, row));
        to.add(std::move(row));
        break;
      }
      case Op::remove: EXPECT_TRUE(erase(to, old_key(batch, r)) || to.converging); break;
      case Op::update: update(to, batch, r); break;
    }
  }
  static void update(Table& to, const Batch& batch, std::size_t r) {
    const auto old = to.rows.find(old_key(batch, r));
    const bool there = old != to.rows.end();
    EXPECT_TRUE(there || to.converging);
    Row row;
    std::vector<std::size_t> missing;
    for (std::size_t c = 0; c < batch.columns(); ++c) {
      const bool unchanged = batch.after(c).presence(r) == Presence::unchanged;
      if (unchanged && !there) missing.push_back(c);
      row.push_back(!unchanged ? text(batch.schema()->columns[c].type, batch.after(c), r)
                    : there    ? old->second[c]
                               : std::nullopt);
    }
    if (there) to.rows.erase(old);
    if (to.converging) {
      const auto present = to.rows.find(key_of(*to.schema, row));
      if (present == to.rows.end() && !missing.empty()) return;
      for (const auto c : missing) row[c] = present->second[c];
      if (present != to.rows.end()) to.rows.erase(present);
    }
    to.add(std::move(row));
  }
  void evolve(const SchemaChange& change) {
    schema_changes_.push_back(change);
    if (change.after == nullptr) return;
    auto& to = tables_[change.after->id];
    const auto before = std::exchange(to.schema, change.after);
    if (change.before == nullptr) return;
    const auto rows = std::exchange(to.rows, {});
    for (const auto& [key, row] : rows) {
      Row next;
      for (const auto& column : change.after->columns) {
        const auto at = std::ranges::find(before->columns, column.id, &Column::id);
        if (at != before->columns.end()) {
          next.push_back(row[static_cast<std::size_t>(at - before->columns.begin())]);
          continue;
        }
        const auto step = std::ranges::find_if(change.columns, [&](const ColumnChange& each) {
          return each.kind == ColumnChange::Kind::add && each.column == column.name;
        });
        next.push_back(step == change.columns.end() ? std::nullopt : step->existing_rows);
      }
      to.add(std::move(next));
    }
  }
  static void roll_back(std::vector<Window::Item>& items, std::uint64_t from) {
    for (auto& item : items) {
      if (auto* batch = std::get_if<Batch>(&item)) {
        while (batch->rows() > 0 && batch->ordinal(batch->rows() - 1) >= from) batch->drop_last_row();
      }
    }
    std::erase_if(items, [&](const auto& item) {
      if (const auto* truncate = std::get_if<Truncate>(&item)) return truncate->ordinal >= from;
      if (const auto* change = std::get_if<SchemaChange>(&item)) return change->ordinal >= from;
      return std::get<Batch>(item).rows() == 0;
    });
  }

  std::map<std::string, Table> tables_;
  std::map<std::string, std::vector<Window::Item>> running_;
  std::vector<SchemaChange> schema_changes_;
  Position position_;
  std::size_t transactions_ = 0;
  std::size_t fragments_ = 0;
};

/// Brings all chunks of a plan into the replica, on one reader.
inline void copy_table(Snapshot& snapshot, const SchemaRef& table, const TablePlan& plan, Replica& to) {
  const auto reader = must(snapshot.open_reader());
  for (const auto& chunk : plan.chunks) {
    must(reader->read(table, chunk,
                      [&](Batch batch) -> Status {
                        to.copy(batch);
                        return {};
                      },
                      {}));
  }
}

}  // namespace maia::testing
