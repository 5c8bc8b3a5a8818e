// SPDX-License-Identifier: Apache-2.0
// The part of MysqlDestination that compares a table with rows staged beside it. They are in a temporary
// table, which goes with the session.
#include "maia/connectors/mysql/destination.h"
#include "maia/connectors/mysql/row_inserts.h"
#include "maia/connectors/mysql/row_writer.h"

namespace maia::mysql {
namespace {

std::string where(const WriteTarget& target) { return "table " + to_string(target.target().name); }

}  // namespace

Status MysqlDestination::begin_staging(const TableTarget& target) {
  const auto& bound_to = *MAIA_TRY(bound(target));
  MAIA_TRY(in(where(bound_to), connection_->run(bound_to.compare_drop())));
  return in(where(bound_to), connection_->run(bound_to.compare_create()));
}

Status MysqlDestination::stage(const TableTarget& target, const Batch& batch) {
  const auto& bound_to = *MAIA_TRY(bound(target));
  RowInserts inserts(*connection_, bound_to.compare_head());
  for (std::uint32_t row = 0; row < batch.rows(); ++row) {
    MAIA_TRY(in(where(bound_to), bound_to.append_values(inserts.next_row(), bound_to.written(),
                                                        {&batch, row, sql::Image::after})));
    MAIA_TRY(in(where(bound_to), inserts.row_done()));
  }
  return in(where(bound_to), inserts.finish());
}

Result<Destination::Reconciled> MysqlDestination::reconcile(const TableTarget& target,
                                                            const Reconciliation& how) {
  const auto& bound_to = *MAIA_TRY(bound(target));
  auto done = MAIA_TRY(
      in(where(bound_to), bound_to.by_key() ? reconcile_by_key(bound_to, how) : replace_rows(bound_to, how)));
  MAIA_TRY(connection_->run(bound_to.compare_drop()));
  return done;
}

Result<Destination::Reconciled> MysqlDestination::reconcile_by_key(const WriteTarget& target,
                                                                   const Reconciliation& how) {
  const auto of_table = MAIA_TRY(target.condition_sql(how.rows, "t"));
  const auto of_staged = MAIA_TRY(target.condition_sql(how.rows, "s"));
  const auto run = [&](const std::string& sql) -> Result<std::uint64_t> {
    if (sql.empty()) return std::uint64_t{0};
    return MAIA_TRY(connection_->query(sql)).affected;
  };
  Reconciled done;
  if (!how.keep_surplus) done.removed = MAIA_TRY(run(target.remove_surplus(of_table)));
  auto updated = run(target.update_different(of_staged));
  const bool change_places =
      !updated.ok() && met_unique_value(*connection_) && !target.has_columns_of_its_own();
  if (!updated.ok() && !change_places) return std::move(updated).error();
  done.updated = MAIA_TRY(change_places ? run(target.remove_different(of_staged)) : std::move(updated));
  done.inserted = MAIA_TRY(run(target.insert_absent(of_staged))) - (change_places ? done.updated : 0);
  return done;
}

/// Rows without a key cannot be told apart by a statement on many, so all of them are put anew if any
/// differs.
Result<Destination::Reconciled> MysqlDestination::replace_rows(const WriteTarget& target,
                                                               const Reconciliation& how) {
  if (!how.rows.all.empty() || how.keep_surplus) {
    return Error{.code = Error::Code::unsupported,
                 .message = "a part of a table without a key cannot be compared",
                 .hint = "compare the whole table, or give it a key"};
  }
  Reconciled done;
  done.removed = MAIA_TRY(connection_->query(target.remove_all())).affected;
  done.inserted = MAIA_TRY(connection_->query(target.insert_absent(""))).affected;
  return done;
}

}  // namespace maia::mysql
