// SPDX-License-Identifier: Apache-2.0
#include "maia/state/refits.h"

namespace maia {

Result<std::unique_ptr<Refits>> Refits::open(const std::string& path) {
  auto file = MAIA_TRY(Sqlite::open(path));
  MAIA_TRY(
      file.execute("create table if not exists refit (number integer primary key autoincrement,"
                   " destination text not null, source_table text not null, reread integer not null,"
                   " unique (destination, source_table))"));
  return std::unique_ptr<Refits>(new Refits(std::move(file)));
}

Status Refits::add(const std::vector<Refit>& refits) {
  const std::lock_guard lock(mutex_);
  return file_.atomically([&]() -> Status {
    for (const auto& each : refits) {
      // One that is agreed to twice is done once, and reads rows if either asked for it.
      auto row =
          MAIA_TRY(file_.prepare("insert into refit (destination, source_table, reread) values (?1, ?2, ?3)"
                                 " on conflict do update set reread = max(reread, ?3)"));
      MAIA_TRY(row.bind(1, each.destination)
                   .bind(2, each.table)
                   .bind(3, std::int64_t{each.reread ? 1 : 0})
                   .step());
    }
    return {};
  });
}

Result<std::vector<Refit>> Refits::list() {
  const std::lock_guard lock(mutex_);
  auto rows = MAIA_TRY(file_.prepare("select destination, source_table, reread from refit order by number"));
  std::vector<Refit> out;
  while (MAIA_TRY(rows.step()))
    out.push_back({.destination = rows.text(0), .table = rows.text(1), .reread = rows.number(2) != 0});
  return out;
}

Status Refits::done(const Refit& refit) {
  const std::lock_guard lock(mutex_);
  auto row = MAIA_TRY(file_.prepare("delete from refit where destination = ?1 and source_table = ?2"));
  MAIA_TRY(row.bind(1, refit.destination).bind(2, refit.table).step());
  return {};
}

}  // namespace maia
