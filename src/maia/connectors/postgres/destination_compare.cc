// SPDX-License-Identifier: Apache-2.0
// The part of PostgresDestination that compares a table with rows staged beside it. They are in a temporary
// table, which goes with the session.
#include "maia/connectors/postgres/copy_rows.h"
#include "maia/connectors/postgres/destination.h"

namespace maia::postgres {
namespace {

std::string where(const WriteTarget& target) { return "table " + to_string(target.target().name); }

}  // namespace

Status PostgresDestination::begin_staging(const TableTarget& target) {
  auto& bound_to = *MAIA_TRY(bound(target));
  return in(where(bound_to), connection_->run(bound_to.compare_create_sql()));
}

Status PostgresDestination::stage(const TableTarget& target, const Batch& batch) {
  auto& bound_to = *MAIA_TRY(bound(target));
  MAIA_TRY(in(where(bound_to), connection_->copy_in_start(bound_to.compare_copy_sql())));
  bound_to.copy_encoder().begin();
  MAIA_TRY(in(where(bound_to), put_rows(*connection_, bound_to, batch)));
  return in(where(bound_to), finish_rows(*connection_, bound_to));
}

Result<Destination::Reconciled> PostgresDestination::reconcile(const TableTarget& target,
                                                               const Reconciliation& how) {
  const auto& bound_to = *MAIA_TRY(bound(target));
  const auto of_table = MAIA_TRY(bound_to.condition_sql(how.rows, "t"));
  const auto of_staged = MAIA_TRY(bound_to.condition_sql(how.rows, "s"));
  const auto change = [&](const std::string& sql) -> Result<std::uint64_t> {
    if (sql.empty()) return std::uint64_t{0};
    const auto done = MAIA_TRY(in(where(bound_to), connection_->query(sql)));
    return static_cast<std::uint64_t>(done.integer(0, 0));
  };
  MAIA_TRY(connection_->run("analyze " + bound_to.compare_table()));
  Reconciled done;
  if (!how.keep_surplus) done.removed = MAIA_TRY(change(bound_to.remove_surplus_sql(of_table)));
  done.updated = MAIA_TRY(change(bound_to.update_changed_sql(of_staged)));
  done.inserted = MAIA_TRY(change(bound_to.insert_missing_sql(of_staged)));
  MAIA_TRY(connection_->run("drop table " + bound_to.compare_table()));
  return done;
}

}  // namespace maia::postgres
