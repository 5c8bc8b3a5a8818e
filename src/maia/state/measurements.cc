// SPDX-License-Identifier: Apache-2.0
#include "maia/state/measurements.h"

namespace maia {

Result<std::unique_ptr<Measurements>> Measurements::open(const std::string& path) {
  auto file = MAIA_TRY(Sqlite::open(path));
  MAIA_TRY(
      file.execute("create table if not exists copy_rate (destination text primary key,"
                   " rows_per_second integer not null) without rowid"));
  return std::unique_ptr<Measurements>(new Measurements(std::move(file)));
}

Status Measurements::set_copy_rate(const std::string& destination, std::int64_t rows_per_second) {
  const std::lock_guard lock(mutex_);
  auto row = MAIA_TRY(file_.prepare("insert or replace into copy_rate values (?1, ?2)"));
  MAIA_TRY(row.bind(1, destination).bind(2, rows_per_second).step());
  return {};
}

Result<std::optional<std::int64_t>> Measurements::copy_rate(const std::string& destination) {
  const std::lock_guard lock(mutex_);
  auto row = MAIA_TRY(file_.prepare("select rows_per_second from copy_rate where destination = ?1"));
  if (!MAIA_TRY(row.bind(1, destination).step())) return std::optional<std::int64_t>();
  return std::optional(row.number(0));
}

}  // namespace maia
