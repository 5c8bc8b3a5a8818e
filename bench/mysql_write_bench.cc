// SPDX-License-Identifier: Apache-2.0
// links: maia_mysql maia_testing
// Rows per second into a table of orders in MariaDB and MySQL, by rows per transaction and by the way they
// are written. The size from which a temporary table is worth it (destination.cc) comes from here. LOAD DATA
// is the limit: the same rows from memory over the connection, and from a file of the server's own.
#include <fmt/format.h>
#include <mysql.h>

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

enum class Way { rows, staged, fresh, upsert };

/// What is not done, because it may touch another row through a second unique index: whole rows by INSERT ...
/// ON DUPLICATE KEY UPDATE.
Status write_upserts(Connection& connection, const WriteTarget& target, const Batch& batch) {
  std::string update;
  for (const auto i : target.written()) {
    const auto& name = target.target().schema->columns[i].name;
    update +=
        fmt::format("{}{} = values({})", update.empty() ? " on duplicate key update " : ", ", name, name);
  }
  constexpr std::size_t kPiece = 256 << 10;
  std::string sql;
  for (std::uint32_t row = 0; row < batch.rows(); ++row) {
    sql += sql.empty() ? target.insert_head() : ",";
    MAIA_TRY(target.append_values(sql, target.written(), {&batch, row, sql::Image::after}));
    if (sql.size() < kPiece && row + 1 < batch.rows()) continue;
    MAIA_TRY(connection.run(sql + update));
    sql.clear();
  }
  return {};
}

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
    } else if (way == Way::upsert) {
      must(write_upserts(connection, target, batch));
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

/// The rows of a table of orders as LOAD DATA reads them.
std::string lines_of_orders() {
  std::string lines;
  for (std::int64_t id = 0; id < kTableRows; ++id) {
    lines += fmt::format("{}\t{}\tshipped\t{}.00\t", id, id % 1000, id * 7);
    lines.append(100, 'n');
    lines += "\t2026-09-21 15:33:20.000000\t2026-09-21 15:33:20.000000\n";
  }
  return lines;
}

double rows_per_second(Clock::time_point start) {
  const std::chrono::duration<double> taken = Clock::now() - start;
  return static_cast<double>(kTableRows) / taken.count();
}

/// LOAD DATA from a file at the server.
double load_file(testing::MysqlServer& server, Connection& connection) {
  const auto file = server.data_directory() / "orders.tsv";
  std::ofstream(file) << lines_of_orders();
  const auto start = Clock::now();
  must(connection.run("load data infile '" + file.string() +
                      "' into table bench.orders character set utf8mb4"));
  return rows_per_second(start);
}

/// LOAD DATA LOCAL over the connection, from memory and whatever file the server asks for. Making the lines
/// is not timed, so that it is the most that could be had.
double load_stream(testing::MysqlServer& server) {
  struct Stream {
    std::string lines = lines_of_orders();
    std::size_t at = 0;
  } stream;
  auto session = must(server.session("bench"));
  auto* mysql = session.raw();
  mysql_set_local_infile_handler(
      mysql, [](void** state, const char*, void* given) { return *state = given, 0; },
      [](void* state, char* to, unsigned most) {
        auto& from = *static_cast<Stream*>(state);
        const auto size = from.lines.copy(to, most, from.at);
        from.at += size;
        return static_cast<int>(size);
      },
      [](void*) {}, [](void*, char*, unsigned) { return 1; }, &stream);
  const auto start = Clock::now();
  must(session.execute("load data local infile 'x' into table bench.orders character set utf8mb4"));
  return rows_per_second(start);
}

/// What MAIA does: INSERT statements of many rows.
double insert_statements(Connection& connection, WriteTarget& target) {
  Batch batch(target.target().schema);
  for (std::int64_t id = 0; id < kTableRows; ++id) push_row(batch, Op::insert, id);
  const Delivery delivery{.target = &target.target(), .batch = &batch, .transactions = {}};
  const TargetDeliveries group{&target, {&delivery}};
  const auto start = Clock::now();
  must(connection.run("start transaction"));
  must(GroupWriter(connection).insert({&group, 1}));
  must(connection.run("commit"));
  return rows_per_second(start);
}

/// An empty table in three ways, in turn.
void measure_empty_table(testing::MysqlServer& server, Connection& connection, WriteTarget& target) {
  for (int round = 1; round <= 3; ++round) {
    const auto empty = [&] { must(connection.run("truncate table bench.orders")); };
    const auto inserted = insert_statements(connection, target);
    empty();
    const auto streamed = load_stream(server);
    empty();
    const auto loaded = load_file(server, connection);
    fmt::print("round {}: insert {:.0f}, load data local {:.0f}, load data of a file {:.0f} rows/s\n", round,
               inserted, streamed, loaded);
    if (round < 3) empty();
  }
}

void measure(testing::MysqlProduct product) {
  auto server = must(testing::MysqlServer::start(
      {.product = product, .settings = {{"secure-file-priv", ""}, {"local-infile", "ON"}}}));
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
  const auto wanted = orders("bench");
  auto target = must(WriteTarget::bind(wanted, *must(read_stored_table(*connection, wanted.name)), 1));
  fmt::print("{}\n", to_string(product));
  measure_empty_table(*server, *connection, target);
  std::int64_t next_new = kTableRows * 2;
  struct Column {
    const char* name;
    Op op;
    Way way;
  };
  const Column columns[] = {
      {"update rows", Op::update, Way::rows},     {"update staged", Op::update, Way::staged},
      {"update upsert", Op::update, Way::upsert}, {"insert rows", Op::insert, Way::rows},
      {"insert staged", Op::insert, Way::staged}, {"insert fresh", Op::insert, Way::fresh}};
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
