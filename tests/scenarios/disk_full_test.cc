// SPDX-License-Identifier: Apache-2.0
// A real file system that is full: the state directory of a running maia lies on one of a few megabytes, and
// a destination that does not move lets the journal fill it. (Each single call that can fail is failed in
// src/maia/journal, on a disk of the tests' own.)
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "ledger_check.h"
#include "maia/testing/fault_proxy.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;

constexpr int kCoins = 50;
/// Something that must happen, if late.
constexpr std::chrono::seconds kAlive{180};

/// A small file system in memory, seen by this test and its children only, and gone with them.
class SmallDisk {
 public:
  /// What is in the way of having one; empty if it is there.
  std::string mount_at(const std::filesystem::path& place) {
    std::filesystem::create_directories(place);
    place_ = place;
    if (unshare(CLONE_NEWNS) != 0) return std::strerror(errno);
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return std::strerror(errno);
    if (mount("none", place.c_str(), "tmpfs", 0, "size=8m,mode=700") != 0) return std::strerror(errno);
    mounted_ = true;
    return "";
  }
  bool grow() const { return mount("none", place_.c_str(), "tmpfs", MS_REMOUNT, "size=512m") == 0; }
  ~SmallDisk() {
    if (mounted_) umount2(place_.c_str(), MNT_DETACH);
  }

 private:
  std::filesystem::path place_;
  bool mounted_ = false;
};

std::string log_of(const Mirror& mirror) {
  std::stringstream text;
  text << std::ifstream(mirror.directory() / "log").rdbuf();
  return text.str();
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kAlive;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

TEST(DiskFull, is_named_and_loses_nothing_and_begins_nothing_anew) {
  auto source = testing::PostgresServer::start().value();
  auto destination = testing::PostgresServer::start().value();
  auto proxy = testing::FaultProxy::start(destination->port()).value();
  testing::LedgerWorkload::Options options{
      .uri = source->uri(), .coins = kCoins, .opening_transactions = 500, .large_transaction_rows = 500};
  const auto prepared = testing::LedgerWorkload::prepare(options);
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  ASSERT_TRUE(source->execute("create table ballast (id bigint primary key, v text)").ok());
  auto mirror = Mirror::make(
      fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct, coin, ballast]\n", source->uri()),
      fmt::format("type: postgres\nurl: postgresql://postgres@127.0.0.1:{}/postgres\n", proxy->port()));
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  SmallDisk disk;
  if (const auto problem = disk.mount_at(mirror->state()); !problem.empty()) {
    GTEST_SKIP() << "no file system may be mounted here: " << problem;
  }
  const auto arrived = [&](int id) {
    const auto rows = destination->query(fmt::format("select 1 from ballast where id = {}", id));
    return rows.ok() && !rows->empty();
  };
  const auto put = [&](int id) {
    // Random digits, so that little of it can be compressed away.
    const auto written =
        source->execute(fmt::format("insert into ballast select {}, string_agg(md5(random()::text), '') from "
                                    "generate_series(1, 10000)",
                                    id));
    ASSERT_TRUE(written.ok()) << written.error().message;
  };
  ASSERT_TRUE(mirror->start().ok());
  put(1);
  ASSERT_TRUE(eventually([&] { return arrived(1); })) << mirror->log_tail();
  // The row may have come with the copy, whose end is told after its last commit.
  const auto copies_told = [&] { return count(log_of(*mirror), "snapshot complete"); };
  ASSERT_TRUE(eventually([&] { return copies_told() == 1; })) << mirror->log_tail();

  testing::LedgerWorkload workload(options);
  workload.start();
  proxy->set(testing::Weather{.stall_to_server = true, .stall_to_client = true});
  constexpr int kPieces = 60;
  for (int piece = 2; piece <= kPieces; ++piece) put(piece);
  const auto named = [&] { return log_of(*mirror).find(std::strerror(ENOSPC)) != std::string::npos; };
  ASSERT_TRUE(eventually(named)) << mirror->log_tail();
  EXPECT_FALSE(arrived(kPieces));

  // Neither room nor network: a restart does no harm either.
  mirror->kill9();
  ASSERT_TRUE(mirror->start().ok());
  std::this_thread::sleep_for(milliseconds(500));
  ASSERT_TRUE(disk.grow()) << std::strerror(errno);
  proxy->heal();
  EXPECT_TRUE(eventually([&] {
    if (!mirror->running()) {
      const auto started = mirror->start();
      EXPECT_TRUE(started.ok());
    }
    return arrived(kPieces);
  })) << mirror->log_tail();
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  put(kPieces + 1);
  ASSERT_TRUE(eventually([&] { return arrived(kPieces + 1); })) << mirror->log_tail();
  auto left = testing::compared_postgres(source->uri());
  auto right = testing::compared_postgres(destination->uri());
  ASSERT_TRUE(left.ok() && right.ok());
  EXPECT_EQ(ledger_differences(**left, **right, kCoins), "");
  const auto ballast =
      testing::compare(**left, **right, {.left = {"public", "ballast"}, .right = {"public", "ballast"}});
  ASSERT_TRUE(ballast.ok()) << ballast.error().message;
  EXPECT_TRUE(ballast->equal());
  EXPECT_EQ(copies_told(), 1) << "what was there has been copied again";
}

}  // namespace
}  // namespace maia::tests
