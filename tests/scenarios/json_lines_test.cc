// SPDX-License-Identifier: Apache-2.0
// Changes as JSON lines: what a reader of the file puts together from them is the source, kills or not.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using simdjson::dom::element;
using std::chrono::milliseconds;

/// What a reader of the lines holds: each table's rows by key, and what it saw of the changes on the way.
struct Folded {
  std::map<std::string, std::map<std::string, std::string>> tables;  ///< table, key, other columns
  std::set<std::string> operations;
  std::size_t lines = 0;
  std::size_t snapshot_lines = 0;
};

std::string text_of(element object, std::string_view pointer) {
  return std::string(object.at_pointer(pointer).get_string().value());
}

/// The members of a row image, without quotes, joined: those of the key, or all others.
std::string columns_of(element image, const std::set<std::string>& key, bool want_key) {
  std::string out;
  for (const auto [name, value] : image.get_object()) {
    if (key.contains(std::string(name)) != want_key) continue;
    const auto text = value.is_string() ? std::string(std::string_view(value)) : simdjson::minify(value);
    out += (out.empty() ? "" : "|") + text;
  }
  return out;
}

/// Applies one line as any consumer of the envelope would.
void fold(element change, Folded& into) {
  ++into.lines;
  const auto op = text_of(change, "/op");
  const auto table = text_of(change, "/source/table");
  const std::set<std::string> key =
      table == "ledger" ? std::set<std::string>{"txn", "seq"} : std::set<std::string>{"key"};
  auto& rows = into.tables[table];
  if (op == "r") ++into.snapshot_lines;
  if (op != "r") {
    const auto operation = text_of(change, "/maia/operation");
    EXPECT_TRUE(into.operations.insert(operation).second) << operation << " came twice";
  }
  if (!change["before"].is_null()) rows.erase(columns_of(change["before"], key, true));
  if (!change["after"].is_null()) {
    rows[columns_of(change["after"], key, true)] = columns_of(change["after"], key, false);
  }
}

Folded fold_lines(std::istream& lines) {
  Folded folded;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(R"({"before")")) continue;  // a line of the log, where both share one stream
    element change;
    const auto error = parser.parse(line).get(change);
    EXPECT_EQ(error, simdjson::SUCCESS) << line;
    if (error == simdjson::SUCCESS) fold(change, folded);
  }
  return folded;
}

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
  void expect_source(const Folded& folded) {
    EXPECT_EQ(folded.tables.at("ledger"),
              rows_of("select concat_ws('|', txn, seq), concat_ws('|', key, op, val) from ledger"));
    EXPECT_EQ(folded.tables.at("acct"), rows_of("select key::text, concat_ws('|', bal, ver) from acct"));
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
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  std::ifstream file(mirror->directory() / "changes.jsonl");
  const auto folded = fold_lines(file);
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
  const auto folded = fold_lines(lines);
  EXPECT_EQ(folded.lines, folded.snapshot_lines);
  expect_source(folded);
  const auto again = mirror->command(run);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->find(R"({"before")"), again->npos) << "a second run has nothing new to say";
}

}  // namespace
}  // namespace maia::tests
