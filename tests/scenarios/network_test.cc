// SPDX-License-Identifier: Apache-2.0
// A bad network on both sides of maia, while writers work: what arrives is exact whatever is delayed,
// stalled, cut or half closed, and above all when a COMMIT passed and its answer did not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <thread>

#include "ledger_check.h"
#include "maia/testing/fault_proxy.h"
#include "maia/testing/fault_schedule.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FaultProxy;
using testing::Trap;
using testing::Way;
using Clock = std::chrono::steady_clock;

constexpr int kCoins = 100;
/// Something that must happen, if late: long enough for a machine that is busy with other tests.
constexpr seconds kAlive{180};
constexpr seconds kWalSenderTimeout{4};

class Network : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start(
        {.settings = {{"wal_sender_timeout", std::to_string(kWalSenderTimeout.count()) + "s"}}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    destination = std::move(*started);
    source_proxy = FaultProxy::start(source->port()).value();
    destination_proxy = FaultProxy::start(destination->port()).value();
    options.uri = source->uri();
    options.coins = kCoins;
    options.opening_transactions = 2'000;
    options.pause = milliseconds(5);
    options.large_transaction_rows = 500;
    const auto prepared = testing::LedgerWorkload::prepare(options);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    ASSERT_TRUE(source->execute("create table mark (id bigint primary key)").ok());
  }

  /// A fresh pipeline into a fresh database.
  void make_mirror(const std::string& more_source_lines = {}) {
    mirror.reset();
    const auto dropped = source->execute(
        "select pg_terminate_backend(active_pid, 10000) from pg_replication_slots where active;"
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots");
    ASSERT_TRUE(dropped.ok()) << dropped.error().message;
    database = destination->make_database().value();
    const auto at = [](const FaultProxy& proxy, const std::string& name) {
      return fmt::format("postgresql://postgres@127.0.0.1:{}/{}", proxy.port(), name);
    };
    auto made = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct, coin, mark]\n",
                                         at(*source_proxy, "postgres")) +
                                 more_source_lines,
                             fmt::format("type: postgres\nurl: {}\n", at(*destination_proxy, database)));
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
  }

  /// A row written at the source now has arrived; how long that took.
  milliseconds recovery() {
    const auto began = Clock::now();
    const auto id = std::to_string(++marks);
    EXPECT_TRUE(source->execute("insert into mark values (" + id + ")").ok());
    const bool arrived = eventually([&] {
      const auto rows = destination->query("select 1 from mark where id = " + id, database);
      return rows.ok() && !rows->empty();
    });
    EXPECT_TRUE(arrived) << "maia has not recovered\n" << mirror->log_tail();
    return std::chrono::duration_cast<milliseconds>(Clock::now() - began);
  }

  bool eventually(const std::function<bool()>& condition) {
    const auto deadline = Clock::now() + kAlive;
    while (!condition()) {
      if (Clock::now() > deadline || !mirror->running()) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }

  /// Nobody writes and everything has arrived: both sides are the same.
  void expect_exact() {
    recovery();
    auto left = testing::compared_postgres(source->uri());
    auto right = testing::compared_postgres(destination->uri(database));
    ASSERT_TRUE(left.ok()) << left.error().message;
    ASSERT_TRUE(right.ok()) << right.error().message;
    EXPECT_EQ(ledger_differences(**left, **right, kCoins), "");
  }

  std::uint64_t delivered() {
    const auto rows = destination->query("select sequence from maia.checkpoint", database);
    return rows.ok() && !rows->empty() ? std::stoull(rows->front().front().value()) : 0;
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::PostgresServer> destination;
  std::unique_ptr<FaultProxy> source_proxy;
  std::unique_ptr<FaultProxy> destination_proxy;
  testing::LedgerWorkload::Options options;
  std::string database;
  std::optional<Mirror> mirror;
  int marks = 0;
};

/// What one schedule does to both sides, in turn or at once.
std::string play_schedule(std::uint64_t seed, FaultProxy& source, FaultProxy& destination) {
  constexpr std::size_t kSteps = 3;
  const auto longest = long_run() && seed % 10 == 0 ? 3 * milliseconds(kWalSenderTimeout) : milliseconds(700);
  std::mt19937_64 random(seed);
  std::string words;
  for (const auto& step : testing::random_faults(seed, kSteps, longest)) {
    const auto where = random() % 3;
    for (auto* proxy : {&source, &destination}) {
      if (where == (proxy == &source ? 1 : 0)) continue;
      words += fmt::format("  {}: {}\n", proxy == &source ? "source" : "destination", to_string(step));
      testing::apply(step, *proxy);
    }
    std::this_thread::sleep_for(step.lasts);
  }
  return words;
}

TEST_F(Network, random_schedules_of_faults_end_in_an_exact_copy) {
  const char* const given = std::getenv("MAIA_SEED");
  const std::uint64_t first = given != nullptr ? std::stoull(given) : 20261125;
  const int schedules = given != nullptr ? 1 : long_run() ? 200 : 10;
  std::vector<milliseconds> recoveries;
  for (int i = 0; i < schedules && !HasFailure(); ++i) {
    const auto seed = first + static_cast<std::uint64_t>(i);
    if (i % 5 == 0) {
      // The first of five meets the snapshot.
      make_mirror();
      ASSERT_TRUE(mirror && mirror->start().ok());
    }
    options.seed = seed;
    testing::LedgerWorkload workload(options);
    workload.start();
    const auto words = play_schedule(seed, *source_proxy, *destination_proxy);
    source_proxy->heal();
    destination_proxy->heal();
    recoveries.push_back(recovery());
    const auto worked = workload.stop();
    ASSERT_TRUE(worked.ok()) << worked.error().message;
    expect_exact();
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    if (HasFailure()) fmt::print("MAIA_SEED={}\n{}{}", seed, words, mirror->log_tail());
  }
  std::sort(recoveries.begin(), recoveries.end());
  const auto late =
      std::count_if(recoveries.begin(), recoveries.end(), [](auto r) { return r > seconds(30); });
  fmt::print("{} schedules; recovery after healing: median {} ms, longest {} ms, {} over 30 s\n",
             recoveries.size(), recoveries[recoveries.size() / 2].count(), recoveries.back().count(), late);
}

TEST_F(Network, a_commit_whose_outcome_is_unknown_is_neither_lost_nor_doubled) {
  const int cuts = long_run() ? 500 : 24;
  make_mirror();
  ASSERT_TRUE(mirror && mirror->start().ok());
  recovery();  // every table streams, so that a reader finds the books balanced at any moment
  LedgerReader reader(destination->uri(database), kCoins, milliseconds(100));
  testing::LedgerWorkload workload(options);
  workload.start();
  // As the extended protocol has it: an unnamed statement, its text, and a zero behind each.
  const std::string commit("\0commit\0", 8);
  for (int cut = 0; cut < cuts; ++cut) {
    constexpr Trap::Deed kDeeds[] = {Trap::Deed::lose_answer, Trap::Deed::lose_answer,
                                     Trap::Deed::reset_before, Trap::Deed::reset};
    destination_proxy->set(Trap{.deed = kDeeds[cut % 4], .pattern = commit, .answer = "COMMIT"});
    ASSERT_TRUE(eventually([&] { return destination_proxy->sprung() == cut + 1; })) << mirror->log_tail();
    const auto before = delivered();
    ASSERT_TRUE(eventually([&] { return delivered() > before; })) << mirror->log_tail();
  }
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  expect_exact();
  const auto violations = reader.stop();
  EXPECT_TRUE(violations.empty()) << violations.size() << " times, first: " << violations.front();
  EXPECT_GT(reader.looks(), 0);
  std::ifstream log(mirror->directory() / "log");
  int unknown = 0;
  for (std::string line; std::getline(log, line);) {
    unknown += line.find("the answer to COMMIT was lost") != line.npos ? 1 : 0;
  }
  EXPECT_EQ(unknown, cuts) << "maia must have been in doubt each time";
}

TEST_F(Network, a_copy_that_is_cut_between_its_pieces_is_exact_though_keys_change_hands) {
  constexpr int kMany = 3'000;
  // Nearly empty pages, so that few rows are several pieces of a mebibyte; notes that are kept apart from
  // them.
  const auto made = source->execute(
      fmt::format("alter table coin set (fillfactor = 10);"
                  "alter table coin alter note set storage external;"
                  "insert into coin select c, 0, repeat(md5(c::text), 70) from generate_series({}, {}) c;"
                  "alter sequence coin_id restart {}",
                  kCoins + 1, kMany, kMany + 1));
  ASSERT_TRUE(made.ok()) << made.error().message;
  ASSERT_TRUE(source->execute("vacuum full coin").ok());
  options.pause = milliseconds(1);
  make_mirror("chunk_size: 1MiB\n");
  ASSERT_TRUE(mirror && mirror->start().ok());
  testing::LedgerWorkload workload(options);
  workload.start();
  destination_proxy->set(testing::Weather{.bytes_per_second = 2 << 20});
  const auto coins = [&] {
    const auto rows = destination->query("select count(*) from coin", database);
    return rows.ok() ? std::stoi(rows->front().front().value()) : 0;
  };
  ASSERT_TRUE(eventually([&] { return coins() > 0; })) << mirror->log_tail();
  ASSERT_LT(coins(), kMany * 9 / 10) << "it came in one piece";
  destination_proxy->reset_all();
  std::this_thread::sleep_for(milliseconds(500));
  destination_proxy->heal();
  recovery();
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  expect_exact();
}

TEST_F(Network, a_stop_is_obeyed_though_both_sides_hang) {
  make_mirror();
  ASSERT_TRUE(mirror && mirror->start().ok());
  recovery();
  testing::LedgerWorkload workload(options);
  workload.start();
  for (auto* proxy : {source_proxy.get(), destination_proxy.get()}) {
    proxy->set(testing::Weather{.stall_to_server = true, .stall_to_client = true});
  }
  std::this_thread::sleep_for(milliseconds(500));
  const auto began = Clock::now();
  EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
  fmt::print("stopped after {} ms\n", std::chrono::duration_cast<milliseconds>(Clock::now() - began).count());
  source_proxy->heal();
  destination_proxy->heal();
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  ASSERT_TRUE(mirror->start().ok());
  expect_exact();
}

TEST_F(Network, keepalives_are_answered_whatever_the_destination_does) {
  make_mirror();
  ASSERT_TRUE(mirror && mirror->start().ok());
  recovery();
  const auto walsender = [&] {
    return source->query("select active_pid from pg_replication_slots where active").value();
  };
  const auto before = walsender();
  ASSERT_EQ(before.size(), 1u);
  testing::LedgerWorkload workload(options);
  workload.start();
  destination_proxy->set(testing::Weather{.stall_to_server = true, .stall_to_client = true});
  std::this_thread::sleep_for(2 * kWalSenderTimeout);
  destination_proxy->set(testing::Weather{.refuse = true});
  destination_proxy->reset_all();
  std::this_thread::sleep_for(kWalSenderTimeout);
  EXPECT_EQ(walsender(), before) << "the source had to end the stream\n" << source->log_tail();
  destination_proxy->heal();
  const auto took = recovery();
  fmt::print("recovery after {} s without a destination: {} ms\n", 3 * kWalSenderTimeout.count(),
             took.count());
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  expect_exact();
  EXPECT_EQ(walsender(), before);
}

}  // namespace
}  // namespace maia::tests
