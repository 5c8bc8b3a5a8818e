// SPDX-License-Identifier: Apache-2.0
// Two processes of one pipeline: the older one, which was stopped and wakes up, writes nothing after the
// newer one took the epoch, and ends with a message that names it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr int kCoins = 100;
const char* const kTables[] = {"ledger", "acct", "coin"};

int rounds() { return long_run() ? 200 : 20; }

std::string content(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

template <class Condition>
bool await(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + seconds(120);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

class Fencing : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    options.uri = source->uri();
    options.coins = kCoins;
    options.opening_transactions = 200;
    options.writers = 2;
    const auto prepared = testing::LedgerWorkload::prepare(options);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  }
  std::string source_lines() {
    return fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct, coin]\n", source->uri());
  }
  /// `maia run` with a state directory of its own, and its log beside that.
  testing::ChildProcess run(const Mirror& mirror, const std::string& state) {
    auto process = testing::ChildProcess::start(
        {.command = {maia_program(), "run", mirror.file(), "--state", mirror.directory() / state},
         .output = log(mirror, state),
         .environment = {},
         .standard_input = -1});
    if (!process.ok()) throw std::runtime_error(process.error().message);
    return *std::move(process);
  }
  static std::filesystem::path log(const Mirror& mirror, const std::string& state) {
    return mirror.directory() / (state + ".log");
  }
  std::string at(testing::PostgresServer& server, const std::string& sql) {
    const auto rows = server.query(sql);
    return rows.ok() && !rows->empty() && (*rows)[0][0] ? *(*rows)[0][0] : "";
  }
  /// As the server does by itself once it misses the reader.
  void end_reader() {
    at(*source, "select pg_terminate_backend(active_pid) from pg_replication_slots where active");
  }

  std::unique_ptr<testing::PostgresServer> source;
  testing::LedgerWorkload::Options options;
  std::mt19937 random{20261125};
};

TEST_F(Fencing, the_older_run_writes_nothing_once_the_newer_has_the_epoch) {
  auto started = testing::PostgresServer::start();
  ASSERT_TRUE(started.ok()) << started.error().message;
  auto& destination = **started;
  auto mirror = Mirror::make(source_lines(), fmt::format("type: postgres\nurl: {}\n", destination.uri()));
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  const auto copied = mirror->catch_up();
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  // Who wrote what, by the server's process, as far as it was committed.
  const auto audited = destination.execute(
      "create table audit (pid int); create function note() returns trigger language plpgsql as $$ begin "
      "insert into public.audit values (pg_backend_pid()); return null; end $$");
  ASSERT_TRUE(audited.ok()) << audited.error().message;
  for (const auto* table : kTables) {
    const auto watched = destination.execute(fmt::format(
        "create trigger note after insert or update or delete on {0} for each row execute function note(); "
        "alter table {0} enable always trigger note",
        table));
    ASSERT_TRUE(watched.ok()) << watched.error().message;
  }
  const auto checkpoint = [&](const std::string& what) {
    return at(destination, "select " + what + " from maia.checkpoint");
  };
  testing::LedgerWorkload workload(options);
  workload.start();
  for (int round = 0; round < rounds(); ++round) {
    auto before = checkpoint("sequence");
    auto older = run(*mirror, "older");
    ASSERT_TRUE(await([&] { return older.poll() || checkpoint("sequence") != before; }));
    ASSERT_FALSE(older.poll()) << content(log(*mirror, "older"));
    std::this_thread::sleep_for(milliseconds(random() % 300));
    older.signal(SIGSTOP);
    const auto its_pid = checkpoint("backend");
    const auto its_epoch = checkpoint("epoch");
    end_reader();
    auto newer = run(*mirror, "newer");
    ASSERT_TRUE(await([&] { return newer.poll() || checkpoint("epoch") != its_epoch; }));
    ASSERT_FALSE(newer.poll()) << content(log(*mirror, "newer"));
    const auto written = at(destination, "select count(*) from audit where pid = " + its_pid);
    // Sometimes the newer one is well under way when the older one wakes up.
    before = checkpoint("sequence");
    ASSERT_TRUE(round % 2 != 0 || await([&] { return checkpoint("sequence") != before; }));
    std::filesystem::remove(log(*mirror, "older"));
    older.signal(SIGCONT);
    EXPECT_EQ(older.wait(seconds(60)), 1) << content(log(*mirror, "older"));
    EXPECT_EQ(at(destination, "select count(*) from audit where pid = " + its_pid), written);
    before = checkpoint("sequence");
    ASSERT_TRUE(await([&] { return newer.poll() || checkpoint("sequence") != before; }));
    newer.signal(SIGINT);
    EXPECT_EQ(newer.wait(seconds(60)), 0) << content(log(*mirror, "newer"));
  }
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  auto left = testing::compared_postgres(source->uri());
  auto right = testing::compared_postgres(destination.uri());
  ASSERT_TRUE(left.ok() && right.ok());
  for (const std::string table : kTables) {
    const auto compared = testing::compare(
        **left, **right, {.left = {"public", table}, .right = {"public", table}, .except = {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << table << "\n" << compared->report();
  }
}

TEST_F(Fencing, the_older_run_names_the_newer_one) {
  auto started = testing::PostgresServer::start();
  ASSERT_TRUE(started.ok()) << started.error().message;
  auto& destination = **started;
  auto mirror = Mirror::make(source_lines(), fmt::format("type: postgres\nurl: {}\n", destination.uri()));
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  const auto epoch = [&] { return at(destination, "select epoch from maia.checkpoint"); };
  auto older = run(*mirror, "older");
  // Both make what is missing at the source, so the older one must have done so before it is stopped.
  const auto streams = [&] {
    return content(log(*mirror, "older")).find("\"streaming\"") != std::string::npos;
  };
  ASSERT_TRUE(await([&] { return older.poll() || (epoch() == "1" && streams()); }));
  older.signal(SIGSTOP);
  auto newer = run(*mirror, "newer");
  ASSERT_TRUE(await([&] { return newer.poll() || epoch() == "2"; }));
  older.signal(SIGCONT);
  EXPECT_EQ(older.wait(seconds(60)), 1);
  const auto told = content(log(*mirror, "older"));
  EXPECT_THAT(told, HasSubstr("a newer run of pipeline mirror has taken over the destination: process " +
                              std::to_string(newer.pid()) + " on host "));
  EXPECT_THAT(told, HasSubstr(", started 20"));
}

/// Destinations that only one process can have open: the second is told which one has it.
class OneWriter : public Fencing {
 protected:
  void expect_second_refused(const std::string& destination_lines, const std::string& file) {
    auto mirror = Mirror::make(source_lines(), destination_lines);
    ASSERT_TRUE(mirror.ok()) << mirror.error().message;
    const auto copied = mirror->catch_up();
    ASSERT_TRUE(copied.ok()) << copied.error().message;
    auto first = run(*mirror, "first");
    const auto running = [&] {
      return content(log(*mirror, "first")).find("streaming") != std::string::npos;
    };
    ASSERT_TRUE(await([&] { return first.poll() || running(); }));
    first.signal(SIGSTOP);
    auto second = run(*mirror, "second");
    EXPECT_EQ(second.wait(seconds(60)), 1);
    const auto told = content(log(*mirror, "second"));
    EXPECT_THAT(told, HasSubstr(file));
    EXPECT_THAT(told, HasSubstr(std::to_string(first.pid())));
    first.signal(SIGCONT);
    first.signal(SIGINT);
    EXPECT_EQ(first.wait(seconds(60)), 0) << content(log(*mirror, "first"));
  }
};

TEST_F(OneWriter, a_duckdb_file) {
  expect_second_refused("type: duckdb\npath: {}/copy.duckdb\n", "copy.duckdb");
}

TEST_F(OneWriter, a_file_of_lines) { expect_second_refused("type: file\npath: {}/out.jsonl\n", "out.jsonl"); }

TEST_F(OneWriter, a_state_directory) {
  auto mirror = Mirror::make(source_lines(), "type: file\npath: {}/out.jsonl\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  auto first = run(*mirror, "state");
  const auto running = [&] { return content(log(*mirror, "state")).find("streaming") != std::string::npos; };
  ASSERT_TRUE(await([&] { return first.poll() || running(); }));
  const auto refused = mirror->command({"run", mirror->file(), "--state", mirror->directory() / "state"}, 1);
  ASSERT_TRUE(refused.ok()) << refused.error().message;
  EXPECT_THAT(*refused, HasSubstr("is held by process " + std::to_string(first.pid())));
  first.signal(SIGINT);
  EXPECT_EQ(first.wait(seconds(60)), 0);
}

}  // namespace
}  // namespace maia::tests
