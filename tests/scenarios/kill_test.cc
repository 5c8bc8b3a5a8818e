// SPDX-License-Identifier: Apache-2.0
// kill -9 of maia, of the source and of the destination at random moments of snapshot and stream, under
// writers whose work balances at every commit. Nothing may be lost, doubled or torn, and a reader of the
// destination must never see it out of balance.
// shows: postgres -> duckdb, postgres
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <sstream>
#include <thread>

#include "ledger_check.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;

constexpr int kCoins = 200;

int kills() { return long_run() ? 200 : 20; }

std::string source_lines(const std::string& uri) {
  return fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct, coin]\n", uri);
}

/// A DuckDB file that a running maia has open, as everybody else sees it: through `maia query`.
class LiveDuckdb final : public testing::ComparedSystem {
 public:
  explicit LiveDuckdb(const Mirror& mirror) : state_(mirror.state()), output_(mirror.directory() / "live") {}
  Kind kind() const override { return Kind::duckdb; }
  Result<std::vector<testing::ComparedColumn>> columns(const std::string&, const std::string&) override {
    return Error{Error::Code::unsupported, Recovery::halt, "not in this test", ""};
  }
  /// Of numbers only.
  Status each_row(std::string_view sql, const std::function<void(testing::Row&&)>& take) override {
    std::filesystem::remove(output_);
    auto query = MAIA_TRY(testing::ChildProcess::start(
        {.command = {maia_program(), "query", std::string(sql), "--format", "csv", "--state", state_},
         .output = output_,
         .environment = {},
         .standard_input = -1}));
    if (query.wait(std::chrono::minutes(1)) != 0) {
      return Error{Error::Code::unavailable, Recovery::retry, read_file(output_), ""};
    }
    std::istringstream lines(read_file(output_));
    std::string line;
    std::getline(lines, line);  // names
    while (std::getline(lines, line)) {
      testing::Row row;
      std::istringstream cells(line.substr(0, line.find('\r')));
      for (std::string cell; std::getline(cells, cell, ',');) row.emplace_back(cell);
      take(std::move(row));
    }
    return {};
  }

 private:
  const std::string state_;
  const std::filesystem::path output_;
};

class Kill : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    options.uri = source->uri();
    options.coins = kCoins;
    options.opening_transactions = long_run() ? 50'000 : 10'000;
    const auto prepared = testing::LedgerWorkload::prepare(options);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  }

  /// Half of the kills come within the first moments, when rows are being copied.
  milliseconds moment(int kill) {
    const int longest = kill < kills() / 2 ? 700 : 2500;
    return milliseconds(20 + static_cast<int>(random() % static_cast<unsigned>(longest)));
  }

  void kill_while_copying(Mirror& mirror) {
    for (int kill = 0; kill < kills() / 2; ++kill) {
      ASSERT_TRUE(mirror.start().ok());
      std::this_thread::sleep_for(moment(kill));
      ASSERT_TRUE(mirror.running()) << mirror.log_tail();
      mirror.kill9();
    }
    // From here on every table streams, so that whoever looks at any moment must find the books balanced.
    const auto caught_up = mirror.catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  }

  /// Every second time a server is killed first. `destination`: the server that maia writes to, if any.
  void kill_while_streaming(Mirror& mirror, testing::PostgresServer* destination,
                            const LedgerReader& reader) {
    for (int kill = kills() / 2; kill < kills(); ++kill) {
      ASSERT_TRUE(mirror.start().ok());
      std::this_thread::sleep_for(moment(kill));
      if (kill % 2 == 1) {
        auto& victim = destination != nullptr && kill % 4 == 1 ? *destination : *source;
        ASSERT_TRUE(victim.kill9().ok());
        ASSERT_TRUE(victim.restart().ok());
        std::this_thread::sleep_for(moment(kill));
      }
      ASSERT_TRUE(mirror.running()) << mirror.log_tail();
      mirror.kill9();
    }
    // Whatever the kills left to the reader, it must have seen the books in the end.
    ASSERT_TRUE(mirror.start().ok());
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (reader.looks() <= 10 && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(milliseconds(50));
    }
    EXPECT_GT(reader.looks(), 10) << mirror.log_tail();
    mirror.kill9();
  }

  void finish(Mirror& mirror, testing::LedgerWorkload& workload, LedgerReader& reader) {
    const auto worked = workload.stop();
    ASSERT_TRUE(worked.ok()) << worked.error().message;
    const auto caught_up = mirror.catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
    const auto violations = reader.stop();
    EXPECT_TRUE(violations.empty()) << violations.size() << " times, first: " << violations.front();
    fmt::print("{} kills; {} transactions; the books balanced at {} looks\n", kills(), workload.committed(),
               reader.looks());
  }

  void check_equal(testing::ComparedSystem& destination) {
    auto left = testing::compared_postgres(source->uri());
    ASSERT_TRUE(left.ok()) << left.error().message;
    EXPECT_EQ(ledger_differences(**left, destination, kCoins), "");
  }

  std::unique_ptr<testing::PostgresServer> source;
  testing::LedgerWorkload::Options options;
  std::mt19937 random{20261123};
};

TEST_F(Kill, maia_into_duckdb_and_the_source_in_turn) {
  auto mirror = Mirror::make(source_lines(source->uri()), "type: duckdb\npath: {}/copy.duckdb\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  kill_while_copying(*mirror);
  LedgerReader reader(
      [&]() -> Result<std::unique_ptr<testing::ComparedSystem>> {
        return std::make_unique<LiveDuckdb>(*mirror);
      },
      kCoins, milliseconds(30));
  kill_while_streaming(*mirror, nullptr, reader);
  finish(*mirror, workload, reader);
  auto destination = testing::compared_duckdb(mirror->directory() / "copy.duckdb");
  ASSERT_TRUE(destination.ok()) << destination.error().message;
  check_equal(**destination);
}

TEST_F(Kill, maia_into_postgres_and_both_servers_in_turn) {
  auto started = testing::PostgresServer::start({.settings = {{"fsync", "on"}}});
  ASSERT_TRUE(started.ok()) << started.error().message;
  auto& server = **started;
  auto mirror =
      Mirror::make(source_lines(source->uri()), fmt::format("type: postgres\nurl: {}\n", server.uri()));
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  kill_while_copying(*mirror);
  LedgerReader reader([&] { return testing::compared_postgres(server.uri()); }, kCoins, milliseconds(30));
  kill_while_streaming(*mirror, &server, reader);
  finish(*mirror, workload, reader);
  auto destination = testing::compared_postgres(server.uri());
  ASSERT_TRUE(destination.ok()) << destination.error().message;
  check_equal(**destination);
}

}  // namespace
}  // namespace maia::tests
