// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/row_writer.h"

#include <fmt/format.h>
#include <mysqld_error.h>

#include <map>

#include "maia/connector/rows_in_order.h"

namespace maia::mysql {

using sql::Image;
using sql::RowRef;

bool met_unique_value(const Connection& connection) {
  return connection.last_error() == ER_DUP_ENTRY || connection.last_error() == ER_DUP_ENTRY_WITH_KEY_NAME;
}

Error missing_rows(const WriteTarget& target, std::string_view what, std::uint64_t rows) {
  return {.code = Error::Code::data,
          .message = fmt::format("table {}: there is no row to {} for {} change{}",
                                 to_string(target.target().name), what, rows, rows == 1 ? "" : "s"),
          .hint =
              "something else has removed or changed rows at the destination; `maia resync` copies the "
              "table again"};
}

Status RowWriter::write(std::span<const TargetDeliveries> groups) {
  std::vector<Delivery> all;
  std::map<const TableTarget*, const WriteTarget*> targets;
  for (const auto& group : groups) {
    for (const auto* delivery : group.deliveries) {
      all.push_back(*delivery);
      targets[delivery->target] = group.target;
    }
  }
  return rows_in_order(all, [&](const Delivery& delivery, std::size_t row) {
    const auto& target = *targets.at(delivery.target);
    return in("table " + to_string(target.target().name),
              apply(target, delivery, static_cast<std::uint32_t>(row)));
  });
}

Result<std::uint64_t> RowWriter::run(Result<std::string> sql) {
  const auto statement = MAIA_TRY(std::move(sql));
  return MAIA_TRY(connection_.query(statement)).affected;
}

Status RowWriter::apply(const WriteTarget& target, const Delivery& delivery, std::uint32_t row) {
  const auto& batch = *delivery.batch;
  const RowRef now{&batch, row, Image::after};
  const RowRef old{&batch, row, Image::before};
  const auto op = batch.op(row);
  if (op == Op::read || op == Op::insert) return target.by_key() ? put(target, now) : insert(target, now);
  if (!target.by_key()) {
    if (MAIA_TRY(run(target.remove_row(old))) == 0) return missing_rows(target, "remove", 1);
    return op == Op::remove ? Status() : insert(target, now);
  }
  if (op == Op::remove) {
    MAIA_TRY(run(target.remove_row(old)));
    return {};
  }
  if (batch.has_before() && !sql::same_values(old, now, target.target().key))
    return move(target, old, now, delivery.converging);
  return update(target, now, delivery.converging);
}

Status RowWriter::insert(const WriteTarget& target, const RowRef& row) {
  auto sql = target.insert_head();
  MAIA_TRY(target.append_values(sql, target.written(), row));
  return connection_.run(sql);
}

/// In place of what has the row's key.
Status RowWriter::put(const WriteTarget& target, const RowRef& row) {
  if (MAIA_TRY(run(target.update_row(target.written(), row, row))) > 0) return {};
  return insert(target, row);
}

Status RowWriter::update(const WriteTarget& target, const RowRef& now, bool converging) {
  if (sql::find_present(now, target.written(), present_)) return put(target, now);
  const auto found = MAIA_TRY(run(target.update_row(present_, now, now)));
  return found == 0 && !converging ? Status(missing_rows(target, "update", 1)) : Status();
}

Status RowWriter::move(const WriteTarget& target, const RowRef& old, const RowRef& now, bool converging) {
  const bool whole = sql::find_present(now, target.written(), present_);
  if (whole && converging) {
    MAIA_TRY(run(target.remove_row(old)));
    return put(target, now);
  }
  if (converging) {
    const auto exists = MAIA_TRY(target.exists_row(old));
    if (MAIA_TRY(connection_.query(exists)).size() == 0) return {};
    MAIA_TRY(run(target.remove_row(now)));
  }
  if (MAIA_TRY(run(target.update_row(present_, now, old))) > 0) return {};
  // A row that is not there yet, because a filter kept it away until now, comes whole.
  if (whole) return put(target, now);
  return converging ? Status() : Status(missing_rows(target, "change the key of", 1));
}

}  // namespace maia::mysql
