// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/group_writer.h"

#include <algorithm>

#include "maia/connectors/mysql/row_inserts.h"
#include "maia/connectors/mysql/row_writer.h"

namespace maia::mysql {

using sql::Image;
using sql::RowRef;

Status GroupWriter::insert(std::span<const TargetDeliveries> groups) {
  for (const auto& group : groups) {
    const auto& target = *group.target;
    const auto where = "table " + to_string(target.target().name);
    RowInserts inserts(connection_, target.insert_head());
    for (const auto* delivery : group.deliveries) {
      for (std::uint32_t row = 0; row < delivery->batch->rows(); ++row) {
        MAIA_TRY(in(where, target.append_values(inserts.next_row(), target.written(),
                                                {delivery->batch, row, Image::after})));
        MAIA_TRY(in(where, inserts.row_done()));
      }
    }
    MAIA_TRY(in(where, inserts.finish()));
  }
  return {};
}

Status GroupWriter::write(std::span<const TargetDeliveries> groups) {
  for (const auto& group : groups)
    MAIA_TRY(in("table " + to_string(group.target->target().name), write_table(group)));
  return {};
}

Status GroupWriter::write_table(const TargetDeliveries& group) {
  const auto& target = *group.target;
  converging_ = std::any_of(group.deliveries.begin(), group.deliveries.end(),
                            [](const auto* each) { return each->converging; });
  groups_ = 0;
  MAIA_TRY(connection_.run(target.stage_drop()));
  MAIA_TRY(connection_.run(target.stage_create()));
  std::vector<Round> rounds;
  MAIA_TRY(stage(group, rounds));
  for (const auto& round : rounds) MAIA_TRY(run_round(target, round));
  return connection_.run(target.stage_drop());
}

Status GroupWriter::stage(const TargetDeliveries& group, std::vector<Round>& rounds) {
  net_.start(group.target->target(), group.deliveries);
  while (const auto* net = MAIA_TRY(net_.next()))
    MAIA_TRY(stage_round(*group.target, *net, rounds.emplace_back()));
  return {};
}

Status GroupWriter::stage_round(const WriteTarget& target, const sql::NetRound& net, Round& round) {
  RowInserts inserts(connection_, target.stage_head());
  const auto put = [&](int group, std::span<const std::size_t> columns, const RowRef& row,
                       const RowRef* old = nullptr) -> Status {
    MAIA_TRY(target.append_staged(inserts.next_row(), group, columns, row, old));
    return inserts.row_done();
  };
  if (!net.removes.empty()) round.removes = ++groups_;
  for (const auto& row : net.removes) MAIA_TRY(put(round.removes, target.target().key, row));
  for (const auto& move : net.moves) {
    const auto& partial = round.moves.emplace_back(Partial{++groups_, move.columns, move.rows.size()});
    for (std::size_t i = 0; i < move.rows.size(); ++i)
      MAIA_TRY(put(partial.group, move.columns, move.rows[i], &move.from[i]));
  }
  for (const auto& update : net.updates) {
    const auto& partial = round.updates.emplace_back(Partial{++groups_, update.columns, update.rows.size()});
    for (const auto& row : update.rows) MAIA_TRY(put(partial.group, update.columns, row));
  }
  if (!net.inserts.empty() || !net.upserts.empty()) round.rows = ++groups_;
  for (const auto& row : net.inserts) MAIA_TRY(put(round.rows, target.written(), row));
  for (const auto& row : net.upserts) MAIA_TRY(put(round.rows, target.written(), row));
  return inserts.finish();
}

/// Whatever goes, goes first, and whatever comes, comes last, so that neither is in the other's way.
Status GroupWriter::run_round(const WriteTarget& target, const Round& round) {
  if (!round.moves.empty()) {
    MAIA_TRY(keep_afresh(target));
    for (const auto& move : round.moves) MAIA_TRY(keep(target, move, true));
    for (const auto& move : round.moves) MAIA_TRY(connection_.run(target.remove_group(move.group, true)));
    MAIA_TRY(connection_.run(target.remove_kept()));
  }
  if (round.removes != 0) MAIA_TRY(connection_.run(target.remove_group(round.removes, false)));
  auto updated = update(target, round);
  if (!updated.ok()) {
    if (!met_unique_value(connection_)) return updated;
    // Only the order is in the way of values that change places, or they are really taken; then the last
    // insert says so.
    MAIA_TRY(put_back(target, round));
  } else if (!round.moves.empty()) {
    MAIA_TRY(connection_.run(target.put_kept_back()));
  }
  if (round.rows != 0) MAIA_TRY(connection_.run(target.insert_missing(round.rows)));
  return round.moves.empty() && updated.ok() ? Status() : connection_.run(target.keep_drop());
}

Status GroupWriter::update(const WriteTarget& target, const Round& round) {
  for (const auto& partial : round.updates) {
    const auto sql = target.update_group(partial.group, partial.columns);
    if (sql.empty()) continue;
    const auto found = MAIA_TRY(connection_.query(sql)).affected;
    MAIA_TRY(expect(target, partial, found, "update"));
  }
  if (round.rows == 0) return {};
  const auto sql = target.update_group(round.rows, target.written());
  return sql.empty() ? Status() : connection_.run(sql);
}

/// The rows to update go out of each other's way, and come back with their new values.
Status GroupWriter::put_back(const WriteTarget& target, const Round& round) {
  if (round.moves.empty()) MAIA_TRY(keep_afresh(target));
  for (const auto& partial : round.updates) MAIA_TRY(keep(target, partial, false));
  if (round.rows != 0) MAIA_TRY(connection_.run(target.keep_rows(round.rows, target.written(), false)));
  MAIA_TRY(connection_.run(target.remove_kept()));
  return connection_.run(target.put_kept_back());
}

Status GroupWriter::keep_afresh(const WriteTarget& target) {
  MAIA_TRY(connection_.run(target.keep_drop()));
  return connection_.run(target.keep_create());
}

Status GroupWriter::keep(const WriteTarget& target, const Partial& partial, bool moved) {
  const auto kept = MAIA_TRY(connection_.query(target.keep_rows(partial.group, partial.columns, moved)));
  return expect(target, partial, kept.affected, moved ? "change the key of" : "update");
}

Status GroupWriter::expect(const WriteTarget& target, const Partial& partial, std::uint64_t found,
                           const char* what) {
  if (converging_ || found >= partial.rows) return {};
  return missing_rows(target, what, partial.rows - found);
}

}  // namespace maia::mysql
