// SPDX-License-Identifier: Apache-2.0
#include "three_destinations.h"

#include <fmt/format.h>

#include <fstream>
#include <thread>

#include "ledger_check.h"

namespace maia::tests {
namespace {

/// The key and the other columns of each row, as ChangeLines has them.
const std::map<std::string, std::string> kRows = {
    {"ledger", "select concat_ws('|', txn, seq), concat_ws('|', key, op, val) from ledger"},
    {"acct", "select key::text, concat_ws('|', bal, ver) from acct"},
    {"coin", "select id::text, concat_ws('|', amount, note) from coin"}};

}  // namespace

void ThreeDestinations::SetUp() {
  for (auto* server : {&source, &destination}) {
    auto started = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    *server = std::move(*started);
  }
  options.uri = source->uri();
  options.coins = kCoins;
  options.opening_transactions = long_run() ? 20'000 : 5'000;
  options.pause = std::chrono::milliseconds(5);
  options.large_transaction_rows = 500;
  const auto prepared = testing::LedgerWorkload::prepare(options);
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  auto made = Mirror::with_file(file_text("ledger, acct, coin", ""));
  ASSERT_TRUE(made.ok()) << made.error().message;
  mirror.emplace(std::move(*made));
}

std::string ThreeDestinations::file_text(const std::string& tables, const std::string& more) const {
  return fmt::format(
             "name: mirror\n"
             "source: {{type: postgres, url: '{}', tables: [{}]}}\n"
             "destinations:\n"
             "  lake: {{type: duckdb, path: '{{}}/copy.duckdb'}}\n"
             "  twin: {{type: postgres, url: '{}'}}\n"
             "  lines: {{type: file, path: '{{}}/changes.jsonl'}}\n",
             source->uri(), tables, destination->uri()) +
         more;
}

void ThreeDestinations::let_run(std::chrono::milliseconds longest) {
  constexpr std::chrono::milliseconds kShortest{20};
  std::this_thread::sleep_for(kShortest + std::chrono::milliseconds(random() % longest.count()));
}

void ThreeDestinations::kill_a_server() {
  auto& server = random() % 2 == 0 ? *source : *destination;
  ASSERT_TRUE(server.kill9().ok());
  ASSERT_TRUE(server.restart().ok());
}

void ThreeDestinations::expect_databases_exact() {
  auto left = testing::compared_postgres(source->uri());
  ASSERT_TRUE(left.ok()) << left.error().message;
  auto lake = testing::compared_duckdb(mirror->directory() / "copy.duckdb");
  ASSERT_TRUE(lake.ok()) << lake.error().message;
  EXPECT_EQ(ledger_differences(**left, **lake, kCoins), "") << "lake";
  auto twin = testing::compared_postgres(destination->uri());
  ASSERT_TRUE(twin.ok()) << twin.error().message;
  EXPECT_EQ(ledger_differences(**left, **twin, kCoins), "") << "twin";
}

ChangeLines ThreeDestinations::read_lines() const {
  std::ifstream file(mirror->directory() / "changes.jsonl");
  return read_change_lines(file);
}

void ThreeDestinations::expect_lines_hold(const ChangeLines& lines, const std::vector<std::string>& tables) {
  for (const auto& table : tables) {
    std::map<std::string, std::string> rows;
    for (const auto& row : source->query(kRows.at(table)).value()) rows[row[0].value()] = row[1].value();
    EXPECT_TRUE(lines.rows(table) == rows) << "the file's " << table << " is not the source's";
  }
}

}  // namespace maia::tests
