// SPDX-License-Identifier: Apache-2.0
// links: maia_mysql maia_testing
// Rows per second into a table of orders in MariaDB and MySQL, by rows per transaction and by the way they
// are written. The size from which a temporary table is worth it (destination.cc) comes from here. `load
// data` is the raw limit: the same rows from a file of the server's own.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>

#include "maia/connectors/mysql/group_writer.h"
#include "maia/connectors/mysql/row_writer.h"
#include "maia/connectors/mysql/stored_table.h"
#include "maia/testing/mysql_server.h"
#include "must.h"
#include "orders.h"

namespace {

using namespace maia;
using namespace maia::mysql;
using namespace maia::bench;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kTableRows = 200'000;

enum class Way { rows, staged, fresh };

double run(Connection& connection, WriteTarget& target, Op op, Way way, std::size_t size,
           std::int64_t& next_new) {
  std::mt19937_64 random(size);
  const std::size_t transactions = std::max<std::size_t>(1, std::min<std::size_t>(200, 40'000 / size));
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
    const Delivery delivery{.target = &target.target(), .batch = &batch, .transactions = {}};
    const TargetDeliveries group{&target, {&delivery}};
    must(connection.run("start transaction"));
    if (way == Way::rows) {
      must(RowWriter(connection).write({&group, 1}));
    } else if (way == Way::fresh) {
      must(GroupWriter(connection).insert({&group, 1}));
    } else {
      must(GroupWriter(connection).write({&group, 1}));
    }
    must(connection.run("commit"));
  }
  const std::chrono::duration<double> taken = Clock::now() - start;
  return static_cast<double>(transactions * size) / taken.count();
}

/// Rows per second of LOAD DATA from a file at the server.
double load_data(testing::MysqlServer& server, Connection& connection) {
  const auto file = server.data_directory() / "orders.tsv";
  {
    std::ofstream rows(file);
    for (std::int64_t id = 0; id < kTableRows; ++id)
      rows << id << "\t1\tnew\t7.00\t" << std::string(100, 'n') << "\t2026-01-01\t2026-01-01\n";
  }
  const auto start = Clock::now();
  must(connection.run("load data infile '" + file.string() +
                      "' into table bench.orders character set utf8mb4"));
  const std::chrono::duration<double> taken = Clock::now() - start;
  return static_cast<double>(kTableRows) / taken.count();
}

void measure(testing::MysqlProduct product) {
  auto server =
      must(testing::MysqlServer::start({.product = product, .settings = {{"secure-file-priv", ""}}}));
  net::ConnectionSettings endpoint;
  endpoint.host = server->host();
  endpoint.port = static_cast<std::uint16_t>(server->port());
  endpoint.user = "root";
  Connection::Options options;
  options.endpoint = endpoint;
  auto connection = must(Connection::open(options));
  for (const auto* sql :
       {"create database bench", "create database maia", "use maia",
        "create table bench.orders (id bigint primary key, customer_id bigint, status longtext, "
        "amount decimal(12,2), note longtext, created_at datetime(6), updated_at datetime(6)) "
        "character set utf8mb4"})
    must(connection->run(sql));
  fmt::print("{}: load data {:.0f} rows/s\n", to_string(product), load_data(*server, *connection));
  const auto wanted = orders("bench");
  auto target = must(WriteTarget::bind(wanted, *must(read_stored_table(*connection, wanted.name)), 1));
  std::int64_t next_new = kTableRows * 2;
  struct Column {
    const char* name;
    Op op;
    Way way;
  };
  const Column columns[] = {{"update rows", Op::update, Way::rows},
                            {"update staged", Op::update, Way::staged},
                            {"insert rows", Op::insert, Way::rows},
                            {"insert staged", Op::insert, Way::staged},
                            {"insert fresh", Op::insert, Way::fresh}};
  fmt::print("{:>8}", "rows");
  for (const auto& each : columns) fmt::print(" {:>13}", each.name);
  for (const auto size : std::initializer_list<std::size_t>{1, 10, 30, 100, 1'000, 5'000, 20'000}) {
    fmt::print("\n{:>8}", size);
    for (const auto& each : columns)
      fmt::print(" {:>13.0f}", run(*connection, target, each.op, each.way, size, next_new));
    std::fflush(stdout);
  }
  fmt::print("\n");
}

}  // namespace

int main() {
  measure(maia::testing::MysqlProduct::mariadb);
  measure(maia::testing::MysqlProduct::mysql);
  return 0;
}
