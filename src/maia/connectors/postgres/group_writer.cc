// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/group_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/connectors/postgres/copy_rows.h"

namespace maia::postgres {
namespace {

using sql::Image;
using sql::RowRef;

/// Bytes that are encoded before they are sent.
constexpr std::size_t kPiece = 256 << 10;

std::string where(const WriteTarget& target) { return "table " + to_string(target.target().name); }

}  // namespace

Status GroupWriter::make_stages(std::span<const TargetDeliveries> groups) {
  for (const auto& group : groups) {
    auto& target = *group.target;
    if (target.staged) continue;
    MAIA_TRY(in(where(target), connection_.run(target.stage_create_sql())));
    target.staged = true;
    made_.push_back(&target);
  }
  return {};
}

Status GroupWriter::write(std::span<const TargetDeliveries> groups, Way way) {
  std::vector<Staged> staged(groups.size());
  std::size_t rounds = 0;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    MAIA_TRY(in(where(*groups[i].target), stage(groups[i], staged[i])));
    rounds = std::max(rounds, staged[i].rounds.size());
  }
  for (std::size_t round = 0; round < rounds; ++round) MAIA_TRY(run_round(staged, round, way));
  return {};
}

Status GroupWriter::copy(std::span<const TargetDeliveries> groups) {
  for (const auto& group : groups) {
    auto& target = *group.target;
    MAIA_TRY(in(where(target), connection_.copy_in_start(target.copy_sql())));
    target.copy_encoder().begin();
    for (const auto* delivery : group.deliveries) {
      MAIA_TRY(in(where(target), put_rows(connection_, target, *delivery->batch)));
    }
    MAIA_TRY(in(where(target), finish_rows(connection_, target)));
  }
  return {};
}

void GroupWriter::rolled_back() {
  for (auto* target : made_) target->staged = false;
  committed();
}

void GroupWriter::committed() {
  made_.clear();
  groups_ = 0;
}

Status GroupWriter::stage(const TargetDeliveries& group, Staged& staged) {
  auto& target = *group.target;
  staged.target = &target;
  staged.converging = std::any_of(group.deliveries.begin(), group.deliveries.end(),
                                  [](const auto* each) { return each->converging; });
  MAIA_TRY(connection_.copy_in_start(target.stage_copy_sql()));
  target.stage_encoder().begin();
  auto put = target.by_key() ? stage_by_key(group, staged) : stage_as_multiset(group, staged);
  if (!put.ok()) {
    if (!connection_.broken()) connection_.copy_in_abort("a value cannot be stored");
    return put;
  }
  target.stage_encoder().end();
  MAIA_TRY(connection_.copy_in_put(target.stage_encoder().buffer()));
  MAIA_TRY(connection_.copy_in_finish());
  return {};
}

Status GroupWriter::stage_by_key(const TargetDeliveries& group, Staged& staged) {
  auto& target = *group.target;
  net_.start(target.target(), group.deliveries);
  while (const auto* net = MAIA_TRY(net_.next())) {
    auto& round = staged.rounds.emplace_back();
    if (!net->removes.empty()) round.removes = ++groups_;
    round.remove_count = net->removes.size();
    give(target, target.target().key);
    for (const auto& row : net->removes) MAIA_TRY(put(target, round.removes, row));
    for (const auto& move : net->moves) {
      auto& moves = round.moves.emplace_back(Partial{++groups_, move.columns, move.rows.size()});
      give(target, move.columns);
      for (std::size_t i = 0; i < move.rows.size(); ++i) {
        MAIA_TRY(put(target, moves.group, move.rows[i], &move.from[i]));
      }
    }
    for (const auto& update : net->updates) {
      auto& updates = round.updates.emplace_back(Partial{++groups_, update.columns, update.rows.size()});
      give(target, update.columns);
      for (const auto& row : update.rows) MAIA_TRY(put(target, updates.group, row));
    }
    round.rows = ++groups_;
    give(target, target.written());
    for (const auto& row : net->inserts) MAIA_TRY(put(target, round.rows, row));
    for (const auto& row : net->upserts) MAIA_TRY(put(target, round.rows, row));
  }
  return {};
}

Status GroupWriter::stage_as_multiset(const TargetDeliveries& group, Staged& staged) {
  auto& target = *group.target;
  auto& round = staged.rounds.emplace_back();
  round.rows = ++groups_;
  give(target, target.written());
  if (target.appends()) {
    for (const auto* delivery : group.deliveries) {
      for (std::uint32_t row = 0; row < delivery->batch->rows(); ++row) {
        MAIA_TRY(put(target, round.rows, {delivery->batch, row, Image::after}));
      }
    }
    return {};
  }
  const auto* net = MAIA_TRY(multiset_.reduce(target.target(), group.deliveries));
  round.remove_count = net->removes.size();
  if (round.remove_count > 0) round.removes = ++groups_;
  for (const auto& row : net->removes) MAIA_TRY(put(target, round.removes, row));
  for (const auto& row : net->inserts) MAIA_TRY(put(target, round.rows, row));
  return {};
}

/// The columns that the next rows have in the staging table.
void GroupWriter::give(const WriteTarget& target, std::span<const std::size_t> columns) {
  given_.assign(target.target().schema->columns.size(), false);
  for (const auto i : columns) given_[i] = true;
}

Status GroupWriter::put(WriteTarget& target, std::int32_t group, const RowRef& row, const RowRef* old) {
  auto& encoder = target.stage_encoder();
  const auto& schema = *target.target().schema;
  encoder.begin_row(1);
  encoder.number(group);
  std::size_t field = 0;
  for (const auto i : target.written()) {
    if (given_[i]) {
      const auto put = encoder.value(field, row.column(i), row.row);
      if (!put.ok()) return in("column " + schema.columns[i].name, put);
    } else {
      encoder.null();
    }
    ++field;
  }
  for (const auto i : target.target().key) {
    if (old == nullptr) {
      encoder.null();
    } else {
      const auto put = encoder.value(field, old->column(i), old->row);
      if (!put.ok()) return in("column " + schema.columns[i].name, put);
    }
    ++field;
  }
  encoder.end_row();
  return send_if_large(target);
}

Status GroupWriter::send_if_large(WriteTarget& target) {
  auto& buffer = target.stage_encoder().buffer();
  if (buffer.size() < kPiece) return {};
  MAIA_TRY(connection_.copy_in_put(buffer));
  buffer.clear();
  return {};
}

Status GroupWriter::run_round(std::span<Staged> staged, std::size_t number, Way way) {
  expected_.clear();
  MAIA_TRY(pipeline_.start());
  Status queued;
  for (auto each = staged.rbegin(); each != staged.rend() && queued.ok(); ++each) {
    if (number < each->rounds.size()) queued = queue_removes(*each, each->rounds[number], way);
  }
  for (auto each = staged.begin(); each != staged.end() && queued.ok(); ++each) {
    if (number < each->rounds.size()) queued = queue_rows(*each, each->rounds[number]);
  }
  auto finished = pipeline_.finish();
  return queued.ok() ? expected_.check(pipeline_, std::move(finished)) : queued;
}

Status GroupWriter::queue_removes(Staged& staged, Round& round, Way way) {
  const auto& target = *staged.target;
  const auto all = [&](std::size_t rows) { return staged.converging ? std::nullopt : std::optional(rows); };
  if (round.removes != 0) {
    const auto sql = target.by_key() ? target.group_remove_sql() : target.group_remove_each_sql();
    const auto rows = target.by_key() ? std::nullopt : std::optional(round.remove_count);
    MAIA_TRY(queue(sql, expected_.add(target, "remove", rows), round.removes));
  }
  for (const auto& move : round.moves) {
    MAIA_TRY(queue(target.group_take_sql(move.columns, true),
                   expected_.add(target, "change the key of", all(move.rows)), move.group, round.rows));
  }
  if (way == Way::in_place || !target.by_key()) return {};
  for (const auto& update : round.updates) {
    MAIA_TRY(queue(target.group_take_sql(update.columns, false),
                   expected_.add(target, "update", all(update.rows)), update.group, round.rows));
  }
  round.updates.clear();
  return queue(target.group_remove_sql(), expected_.add(target, "remove"), round.rows);
}

Status GroupWriter::queue_rows(Staged& staged, const Round& round) {
  const auto& target = *staged.target;
  for (const auto& update : round.updates) {
    const bool only_key = std::all_of(update.columns.begin(), update.columns.end(),
                                      [&](std::size_t i) { return target.in_key(i); });
    if (only_key) continue;
    const auto rows = staged.converging ? std::nullopt : std::optional(update.rows);
    MAIA_TRY(
        queue(target.group_update_sql(update.columns), expected_.add(target, "update", rows), update.group));
  }
  const auto sql = target.by_key() ? target.group_upsert_sql() : target.group_insert_sql();
  return queue(sql, expected_.add(target, "insert"), round.rows);
}

Status GroupWriter::queue(const std::string& sql, std::size_t tag, std::int32_t group, std::int32_t into) {
  const auto from = std::to_string(group);
  const auto to = std::to_string(into);
  const char* values[] = {from.c_str(), to.c_str()};
  return pipeline_.run(sql, std::span(values, into == 0 ? 1 : 2), tag);
}

}  // namespace maia::postgres
