// SPDX-License-Identifier: Apache-2.0
#include "oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "maia/engine/table_fact.h"
#include "source.h"

namespace maia::simulation {
namespace {

std::string words(const std::vector<Row>& rows) {
  std::string all;
  for (const auto& row : rows) all += in_words(row);
  return all.empty() ? "nothing" : all;
}

/// The names that the log gives to the row changes of one table: (position, operation id), in order.
std::vector<std::pair<std::uint64_t, std::string>> operations(const Database& database,
                                                              const std::string& table, std::uint64_t until) {
  std::vector<std::pair<std::uint64_t, std::string>> ids;
  std::map<std::uint64_t, std::vector<ChangeRef>> running;
  for (std::uint64_t at = 1; at <= until; ++at) {
    const auto& record = database.log()[at - 1];
    auto& changes = running[record.transaction];
    if (record.kind == LogRecord::Kind::change) changes.push_back(record.change);
    if (record.kind == LogRecord::Kind::rollback_to) changes.resize(record.keep);
    if (record.kind != LogRecord::Kind::commit) continue;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const bool row = changes[i]->kind < Change::Kind::truncate;
      if (row && changes[i]->table() == table) ids.emplace_back(at, fmt::format("{}/{}", at, i));
    }
  }
  return ids;
}

/// "12/3" before "12/10".
bool in_source_order(const std::string& a, const std::string& b) {
  const auto place = [](const std::string& id) {
    return std::pair(std::stoull(id), std::stoull(id.substr(id.find('/') + 1)));
  };
  return place(a) < place(b);
}

/// Where in the log the table is at its destination; nothing while its rows are not all there, or some of
/// them are newer than others.
std::optional<std::uint64_t> whole_at(const engine::TableFact& fact, std::uint64_t checkpoint) {
  if (!fact.copied || fact.state == engine::TableState::removed) return std::nullopt;
  auto at = fact.held ? number(fact.held->position) : checkpoint;
  if (fact.skip_until) at = std::max(at, number(*fact.skip_until));
  if (fact.converge_until && at < number(*fact.converge_until)) return std::nullopt;
  return at;
}

/// Up to where everything is at the destination, of all its tables.
std::uint64_t complete_until(const Store& store) {
  auto until = number(store.checkpoint.position);
  for (const auto& [key, json] : store.checkpoint.facts) {
    if (!engine::table_of_fact(key)) continue;
    const auto fact = engine::table_fact_from_json(json);
    if (fact.ok() && fact->held) until = std::min(until, number(fact->held->position));
  }
  return until;
}

}  // namespace

void Oracle::watch(Store& store) {
  stores_.push_back(&store);
  store.on_commit = [this](const Store& committed_store) { committed(committed_store); };
}

void Oracle::confirmed(std::uint64_t position) {
  for (const auto* store : stores_) {
    if (complete_until(*store) >= position) continue;
    trace_.fail(fmt::format("position {} is confirmed to the source, but {} has only what is up to {}",
                            position, store->name, complete_until(*store)));
  }
}

void Oracle::committed(const Store& store) {
  const auto position = number(store.checkpoint.position);
  trace_.tell(
      fmt::format("  {} commits sequence {} at {}", store.name, store.checkpoint.sequence.value, position));
  auto& reached = reached_[store.name];
  if (position < reached) {
    trace_.fail(fmt::format("{} went back from {} to {}", store.name, reached, position));
  }
  reached = std::max(reached, position);
  if (!transactional(store.kind)) return;
  for (const auto& [key, json] : store.checkpoint.facts) {
    const auto id = engine::table_of_fact(key);
    if (!id) continue;
    const auto fact = engine::table_fact_from_json(json);
    if (!fact.ok()) return trace_.fail(store.name + ": " + fact.error().message);
    const auto at = whole_at(*fact, position);
    if (!at) continue;
    const auto& truth = database_.at(*at);
    const auto expected = truth.find(*id);
    if (expected == truth.end()) continue;
    const auto there = store.tables.find(to_string(fact->target->name));
    if (there == store.tables.end()) {
      if (!fact->made && expected->second.rows.empty()) continue;
      return trace_.fail(fmt::format("{} has no table {}", store.name, to_string(fact->target->name)));
    }
    if (appends(store.kind)) {
      compare_log(store, *there->second, *id, *at);
    } else {
      compare(store, *there->second, expected->second, *at);
    }
  }
}

void Oracle::compare(const Store& store, const Table& there, const Table& expected, std::uint64_t position) {
  ++checks_;
  const auto rows = sorted(reshaped(there.rows, *there.schema, *expected.schema, {}));
  const auto wanted = sorted(expected.rows);
  if (rows == wanted && there.schema->columns.size() == expected.schema->columns.size()) return;
  trace_.fail(fmt::format("at {} table {} of {} has {} but the source has {}", position,
                          to_string(expected.schema->name), store.name, words(rows), words(wanted)));
}

void Oracle::compare_log(const Store& store, const Table& log, const std::string& table,
                         std::uint64_t position) {
  ++checks_;
  auto wanted = operations(database_, table, position);
  std::set<std::string> known;
  for (const auto& [at, name] : wanted) known.insert(name);
  const auto op = log.schema->find("_maia_op");
  const auto id = log.schema->find("_maia_id");
  std::vector<std::string> ids;
  std::set<std::string> seen;
  std::optional<std::uint64_t> snapshot;
  std::size_t copied = 0;
  for (const auto& row : log.rows) {
    const auto& name = std::get<std::string>(row[*id]);
    const bool again = !seen.insert(name).second;
    if (again && store.kind == Kind::log) {
      return trace_.fail(fmt::format("{} has the operation {} of table {} twice", store.name, name, table));
    }
    if (again) continue;
    const bool copied_row = std::get<std::string>(row[*op]) == "r";
    if (!no_copies_ && log.earlier.contains(name)) {
      if (copied_row || known.contains(name)) continue;
      return trace_.fail(
          fmt::format("{} has operation {} of table {}, which never was", store.name, name, table));
    }
    if (copied_row) {
      snapshot = std::stoull(name);
      ++copied;
    } else {
      ids.push_back(name);
    }
  }
  if (log.out_of_order) std::sort(ids.begin(), ids.end(), in_source_order);
  if (no_copies_) snapshot = 0;
  // Without rows the snapshot left no sign of its position: the table was empty then.
  if (!snapshot) snapshot = ids.empty() ? position : std::stoull(ids.front()) - 1;
  std::erase_if(wanted, [&](const auto& each) { return each.first <= *snapshot; });
  // Written before the process died, and then copied because nothing said that they were.
  if (store.kind == Kind::loose_log) {
    std::erase_if(ids, [&](const auto& each) { return std::stoull(each) <= *snapshot; });
  }
  const auto at_snapshot = database_.at(*snapshot).find(table);
  const auto expected = at_snapshot == database_.at(*snapshot).end() ? 0 : at_snapshot->second.rows.size();
  if (store.kind == Kind::log && copied != expected) {
    return trace_.fail(fmt::format("{} has {} rows of the snapshot of table {} at {}, there were {}",
                                   store.name, copied, table, *snapshot, expected));
  }
  for (std::size_t i = 0; i < std::max(ids.size(), wanted.size()); ++i) {
    if (i < ids.size() && i < wanted.size() && ids[i] == wanted[i].second) continue;
    return trace_.fail(fmt::format("at {} operation {} of table {} is {} in {}, but {} at the source",
                                   position, i, table, i < ids.size() ? ids[i] : "missing", store.name,
                                   i < wanted.size() ? wanted[i].second : "none"));
  }
}

void Oracle::quiet() {
  for (const auto* store : stores_) {
    const auto position = number(store->checkpoint.position);
    for (const auto& [id, expected] : database_.at(position)) {
      const auto found = store->tables.find(to_string(expected.schema->name));
      if (found == store->tables.end()) {
        return trace_.fail(fmt::format("{} lacks table {}", store->name, to_string(expected.schema->name)));
      }
      if (appends(store->kind)) {
        compare_log(*store, *found->second, id, position);
      } else if (store->kind == Kind::mirror || !expected.schema->key().empty()) {
        // Without a key a row that comes again cannot be told from another that is equal.
        compare(*store, *found->second, expected, position);
      }
    }
  }
}

}  // namespace maia::simulation
