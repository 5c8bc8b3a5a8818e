// SPDX-License-Identifier: Apache-2.0
// links: maia_postgres maia_testing
// Rows per second into a PostgreSQL table of orders, by rows per transaction and by the way they are written.
// The size from which a staging table is worth it (write_order.cc) comes from here.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>

#include "maia/connectors/postgres/array_writer.h"
#include "maia/connectors/postgres/group_writer.h"
#include "maia/connectors/postgres/row_writer.h"
#include "maia/connectors/postgres/stored_table.h"
#include "maia/testing/postgres_server.h"
#include "must.h"
#include "orders.h"

namespace {

using namespace maia;
using namespace maia::postgres;
using namespace maia::bench;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kTableRows = 500'000;

enum class Way { rows, arrays, staged, copy };

struct Measured {
  Connection& connection;
  WriteTarget& target;
  PreparedStatements statements{};
  RowWriter rows{connection, statements};
  ArrayWriter arrays{connection, statements};
  GroupWriter groups{connection};

  double run(Op op, Way way, std::size_t size, std::int64_t& next_new) {
    std::mt19937_64 random(size);
    const std::size_t transactions = std::max<std::size_t>(1, std::min<std::size_t>(300, 60'000 / size));
    std::vector<Batch> batches;
    for (std::size_t i = 0; i < transactions; ++i) {
      Batch batch(target.target().schema);
      for (std::size_t row = 0; row < size; ++row) {
        push_row(batch, op, op == Op::insert ? next_new++ : static_cast<std::int64_t>(random() % kTableRows));
      }
      batches.push_back(std::move(batch));
    }
    const auto start = Clock::now();
    for (const auto& batch : batches) {
      const Delivery delivery{.target = &target.target(), .batch = &batch, .fresh = way == Way::copy};
      const TargetDeliveries group{&target, {&delivery}};
      must(connection.run("begin"));
      if (way == Way::rows) {
        must(rows.write({&group, 1}, "maia_write"));
      } else if (way == Way::arrays) {
        must(arrays.write({&group, 1}, "maia_write"));
      } else if (way == Way::copy) {
        must(groups.copy({&group, 1}));
      } else {
        must(groups.make_stages({&group, 1}));
        must(groups.write({&group, 1}, GroupWriter::Way::in_place));
      }
      must(connection.run("commit"));
      groups.committed();
    }
    const std::chrono::duration<double> taken = Clock::now() - start;
    return static_cast<double>(transactions * size) / taken.count();
  }
};

}  // namespace

int main() {
  auto server = must(testing::PostgresServer::start());
  net::ConnectionSettings endpoint;
  endpoint.host = server->host();
  endpoint.port = static_cast<std::uint16_t>(server->port());
  endpoint.user = "postgres";
  endpoint.database = "postgres";
  auto connection = must(Connection::open({.endpoint = endpoint, .settings = {}}));
  must(
      connection->run("create table public.orders (id bigint primary key, customer_id bigint, status text, "
                      "amount numeric(12,2), "
                      "note text, created_at timestamptz, updated_at timestamptz)"));
  must(connection->run(
      fmt::format("insert into public.orders select i, i % 1000, 'new', i, repeat('n', 100), now(), "
                  "now() from generate_series(0, {}) i",
                  kTableRows - 1)));
  must(connection->run("vacuum analyze public.orders"));
  const auto wanted = orders("public");
  auto target = must(WriteTarget::bind(wanted, *must(read_stored_table(*connection, wanted.name)), 1));
  Measured measured{*connection, target};
  std::int64_t next_new = kTableRows * 2;
  struct Column {
    const char* name;
    Op op;
    Way way;
  };
  const Column columns[] = {
      {"update rows", Op::update, Way::rows},     {"update arrays", Op::update, Way::arrays},
      {"update staged", Op::update, Way::staged}, {"insert rows", Op::insert, Way::rows},
      {"insert arrays", Op::insert, Way::arrays}, {"insert staged", Op::insert, Way::staged},
      {"insert copy", Op::insert, Way::copy}};
  fmt::print("{:>8}", "rows");
  for (const auto& each : columns) fmt::print(" {:>13}", each.name);
  for (const auto size : std::initializer_list<std::size_t>{1, 10, 30, 100, 1'000, 5'000, 20'000}) {
    fmt::print("\n{:>8}", size);
    for (const auto& each : columns)
      fmt::print(" {:>13.0f}", measured.run(each.op, each.way, size, next_new));
    std::fflush(stdout);
  }
  fmt::print("\n");
  return 0;
}
