// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <fmt/format.h>

#include "maia/testing/compare.h"
#include "maia/testing/duckdb_session.h"

namespace maia::demo {
namespace {

constexpr const char* kSample = R"sql(
select c.tier, count(distinct o.id) as orders, sum(i.quantity * i.unit_price) as revenue,
    max(o.placed_at) as latest
from public.customers c join public.orders o on o.customer_id = c.id join public.order_items i on
    i.order_id = o.id
group by c.tier order by revenue desc)sql";

Result<bool> print_tables(testing::ComparedSystem& source, testing::ComparedSystem& destination) {
  bool equal = true;
  fmt::print("\n{:<14}{:>12}  {:<18}{:>12}  {:<18}\n", "table", "PostgreSQL", "checksum", "DuckDB",
             "checksum");
  for (const std::string table : {"customers", "products", "orders", "order_items"}) {
    // The pipeline lower-cases the e-mail; the view says what that must look like.
    const auto left = table == "customers" ? "customers_expected" : table;
    const auto compared = MAIA_TRY(testing::compare(source, destination,
                                                    {.left = {"public", left},
                                                     .right = {"public", table},
                                                     .except = {},
                                                     .allow_more_columns_on_right = false}));
    fmt::print("{:<14}{:>12}  {:016x}  {:>12}  {:016x}  {}\n", table, compared.left.rows,
               compared.left.checksum, compared.right.rows, compared.right.checksum,
               compared.equal() ? "equal" : "DIFFERENT");
    if (!compared.equal()) fmt::print("{}\n", compared.report());
    equal = equal && compared.equal();
  }
  return equal;
}

Status print_sample(const std::string& duckdb_path) {
  auto session = MAIA_TRY(testing::DuckdbSession::open(duckdb_path));
  fmt::print("\nrevenue by tier, asked of DuckDB:\n{:<10}{:>10}{:>16}  {}\n", "tier", "orders", "revenue",
             "latest order");
  for (const auto& row : MAIA_TRY(session.query(kSample))) {
    fmt::print("{:<10}{:>10}{:>16}  {}\n", row[0].value_or(""), row[1].value_or(""), row[2].value_or(""),
               row[3].value_or(""));
  }
  return {};
}

}  // namespace

Result<bool> print_report(const std::string& uri, const std::string& duckdb_path) {
  bool equal = false;
  {
    auto source = MAIA_TRY(testing::compared_postgres(uri));
    auto destination = MAIA_TRY(testing::compared_duckdb(duckdb_path));
    equal = MAIA_TRY(print_tables(*source, *destination));
  }
  MAIA_TRY(print_sample(duckdb_path));
  return equal;
}

}  // namespace maia::demo
