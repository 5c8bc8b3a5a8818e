// SPDX-License-Identifier: Apache-2.0
// Changes as JSON lines: what a reader of the file puts together from them is the source, kills or not.
// shows: postgres -> file
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "change_lines.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;

class FileScenario : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    options.uri = source->uri();
    options.opening_transactions = 2000;
    const auto prepared = testing::LedgerWorkload::prepare(options);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  }

  std::map<std::string, std::string> rows_of(const std::string& sql) {
    auto session = testing::PostgresSession::open(options.uri).value();
    std::map<std::string, std::string> rows;
    for (const auto& row : session.query(sql).value()) rows[row[0].value()] = row[1].value();
    return rows;
  }
  void expect_source(const ChangeLines& lines) {
    EXPECT_TRUE(lines.faults.empty()) << lines.faults.size() << ", first: " << lines.faults.front();
    EXPECT_EQ(lines.rows("ledger"),
              rows_of("select concat_ws('|', txn, seq), concat_ws('|', key, op, val) from ledger"));
    EXPECT_EQ(lines.rows("acct"), rows_of("select key::text, concat_ws('|', bal, ver) from acct"));
  }
  std::string source_lines() const {
    return fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct]\n", options.uri);
  }

  std::unique_ptr<testing::PostgresServer> source;
  testing::LedgerWorkload::Options options;
};

TEST_F(FileScenario, kills_neither_lose_nor_double_nor_tear_a_line) {
  auto mirror = Mirror::make(source_lines(), "type: file\npath: {}/changes.jsonl\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  std::mt19937 random{7};
  for (int kill = 0; kill < (long_run() ? 100 : 8); ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    std::this_thread::sleep_for(milliseconds(50 + random() % 1500));
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
  }
  // However long the copy took between the kills, some changes must come by the stream.
  const auto streamed = [&] {
    std::ifstream file(mirror->directory() / "changes.jsonl");
    return !read_change_lines(file).operations.empty();
  };
  ASSERT_TRUE(mirror->start().ok());
  for (int look = 0; look < 600 && !streamed(); ++look) std::this_thread::sleep_for(milliseconds(200));
  mirror->kill9();
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  std::ifstream file(mirror->directory() / "changes.jsonl");
  const auto folded = read_change_lines(file);
  EXPECT_GT(folded.snapshot_lines, 0u);
  EXPECT_GT(folded.operations.size(), 0u) << "the writers did nothing while it streamed";
  expect_source(folded);
}

TEST_F(FileScenario, standard_output_takes_the_lines_of_a_whole_run) {
  auto mirror = Mirror::make(source_lines(), "type: file\npath: \"-\"\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  const std::vector<std::string> run = {"run", mirror->file(), "--state", mirror->state(),
                                        "--until-caught-up"};
  const auto output = mirror->command(run);
  ASSERT_TRUE(output.ok()) << output.error().message;
  std::istringstream lines(*output);
  const auto folded = read_change_lines(lines);
  EXPECT_EQ(folded.lines, folded.snapshot_lines);
  expect_source(folded);
  const auto again = mirror->command(run);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->find(R"({"before")"), again->npos) << "a second run has nothing new to say";
}

}  // namespace
}  // namespace maia::tests
