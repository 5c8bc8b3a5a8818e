// SPDX-License-Identifier: Apache-2.0
// memory_limit under a flood, with a destination that is too slow for it: every queue stays within its bytes.
// The same flood without the limit fills them far beyond, so that the test would see it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <thread>

#include "maia/testing/fault_proxy.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;
/// What share_memory gives one destination of the least limit there is, 192 MiB.
constexpr std::uint64_t kCopyShare = 10 * kMebibyte;
constexpr std::uint64_t kWindowShare = 6 * kMebibyte + kMebibyte / 4;
/// A queue is full once it has passed its bytes: a piece of each reader comes on top, or a transaction.
constexpr std::uint64_t kPiece = 4 * kMebibyte;
constexpr int kCopied = 32'000;  // rows of 1 kB
constexpr int kStreamed = 16'000;

#ifdef __SANITIZE_ADDRESS__
constexpr bool kMemoryCounts = false;  // freed memory stays, and shadows all of it
#else
constexpr bool kMemoryCounts = true;
#endif

/// The most that the stages before the destination held.
struct Held {
  std::uint64_t copy = 0;
  std::uint64_t delivery = 0;
  std::uint64_t captured = 0;  ///< changes that are in the journal
};

class MemoryLimit : public ::testing::Test {
 protected:
  void SetUp() override {
    for (auto* server : {&source, &destination}) {
      auto started = testing::PostgresServer::start();
      ASSERT_TRUE(started.ok()) << started.error().message;
      *server = std::move(*started);
    }
    proxy = testing::FaultProxy::start(destination->port()).value();
    execute("create table flood (id int primary key, payload text not null)");
    execute(insert(1, kCopied));
  }
  void execute(const std::string& sql) {
    const auto done = source->execute(sql);
    ASSERT_TRUE(done.ok()) << done.error().message;
  }
  static std::string insert(int from, int rows) {
    return fmt::format("insert into flood select i, repeat(md5(i::text), 31) from generate_series({}, {}) i",
                       from, from + rows - 1);
  }
  void look(Mirror& mirror, Held& most) {
    const auto status = mirror.command({"status", "--json", "--state", mirror.state()});
    if (!status.ok()) return;  // not there yet
    simdjson::dom::parser parser;
    simdjson::dom::element all;
    ASSERT_EQ(parser.parse(*status).get(all), simdjson::SUCCESS) << *status;
    for (const auto pipeline : all.get_array()) {
      most.captured = std::max(most.captured, pipeline["captured_changes"].get_uint64().value());
      for (const auto each : pipeline["destinations"].get_array()) {
        most.copy = std::max(most.copy, each.at_pointer("/copy/held_bytes").get_uint64().value());
        most.delivery = std::max(most.delivery, each.at_pointer("/delivery/held_bytes").get_uint64().value());
      }
    }
  }
  /// Lets the flood through: at first on a slow line, then, after a standstill, on one on which each answer
  /// takes its time.
  Held most_held(const std::string& limit, const std::string& database) {
    Held most;
    auto mirror = Mirror::make(
        fmt::format("type: postgres\nurl: {}\ntables: [flood]\nslot: {}\npublication: {}\n", source->uri(),
                    database, database),
        fmt::format("type: postgres\nurl: postgresql://postgres@127.0.0.1:{}/{}\n", proxy->port(), database),
        fmt::format("memory_limit: {}\ndelivery: {{max_rows: 100000000, max_bytes: 4GiB}}\n", limit));
    EXPECT_TRUE(mirror.ok()) << mirror.error().message;
    proxy->set(testing::Weather{.bytes_per_second = 4 * kMebibyte});
    EXPECT_TRUE(mirror->start().ok());
    const auto arrives = [&](int rows) {
      for (;;) {
        look(*mirror, most);
        const auto there = destination->query("select count(*) from flood", database);
        if (there.ok() && there->at(0).at(0) == std::to_string(rows)) return;
        ASSERT_TRUE(mirror->running()) << mirror->log_tail();
      }
    };
    arrives(kCopied);
    proxy->set(testing::Weather{.stall_to_server = true});
    for (int row = 0; row < kStreamed; row += 200) execute(insert(kCopied + 1 + row, 200));
    while (mirror->running() && most.captured < kStreamed) look(*mirror, most);
    proxy->set(testing::Weather{.delay = std::chrono::milliseconds(150)});
    arrives(kCopied + kStreamed);
    proxy->heal();
    const auto peak = mirror->peak_memory();
    fmt::print("memory_limit {}: held at most {} KiB to copy, {} KiB to deliver; resident at most {} MiB\n",
               limit, most.copy >> 10, most.delivery >> 10, peak / kMebibyte);
    if (kMemoryCounts && limit == "192MiB") {
      EXPECT_LT(peak, 192 * kMebibyte);
    }
    EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
    execute(fmt::format("delete from flood where id > {}", kCopied));
    return most;
  }

  std::unique_ptr<testing::PostgresServer> source, destination;
  std::unique_ptr<testing::FaultProxy> proxy;
};

TEST_F(MemoryLimit, keeps_every_queue_within_its_bytes_while_the_destination_is_too_slow) {
  const auto within = most_held("192MiB", destination->make_database().value());
  EXPECT_LE(within.copy, kCopyShare + kPiece);
  EXPECT_LE(within.delivery, kWindowShare + kPiece);
  const auto without = most_held("8GiB", destination->make_database().value());
  EXPECT_GT(without.copy, kCopyShare + kPiece) << "the flood is too small to tell";
  EXPECT_GT(without.delivery, kWindowShare + kPiece) << "the flood is too small to tell";
}

}  // namespace
}  // namespace maia::tests
