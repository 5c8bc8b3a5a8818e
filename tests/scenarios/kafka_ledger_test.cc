// SPDX-License-Identifier: Apache-2.0
// PostgreSQL to Kafka while maia and the broker are killed in turn: a reader of committed records finds every
// source transaction whole, in one piece and once, and what it puts together from them is the source.
// shows: postgres -> kafka
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <simdjson.h>

#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "change_lines.h"
#include "maia/testing/kafka_broker.h"
#include "maia/testing/kafka_session.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;

/// Looks at the records of one partition in their order.
class TransactionCheck {
 public:
  void take(const std::string& value) {
    simdjson::dom::element change;
    if (parser_.parse(value).get(change) != simdjson::SUCCESS) return faults.push_back("no JSON: " + value);
    if (change["transaction"].is_null()) return;  // a row of the snapshot
    const std::string id{change["transaction"]["id"].get_string().value()};
    const auto order = change["transaction"]["total_order"].get_uint64().value();
    if (id != current_) {
      end();
      if (!seen_.insert(id).second) faults.push_back("transaction " + id + " comes in two pieces, or twice");
      current_ = id;
    }
    if (order != ++last_order_)
      faults.push_back(fmt::format("transaction {}: {} is missing", id, last_order_));
    std::int64_t value_of_row = 0;
    if (change.at_pointer("/after/val").get(value_of_row) == simdjson::SUCCESS) sum_ += value_of_row;
  }
  /// What was read last ends a transaction.
  void end() {
    if (sum_ != 0) faults.push_back("transaction " + current_ + " is not whole");
    sum_ = 0;
    last_order_ = 0;
    current_.clear();
  }
  std::size_t transactions() const { return seen_.size(); }
  std::vector<std::string> faults;

 private:
  simdjson::dom::parser parser_;
  std::string current_;
  std::uint64_t last_order_ = 0;
  std::int64_t sum_ = 0;
  std::set<std::string> seen_;
};

class KafkaLedger : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    source = start(testing::PostgresServer::start());
    broker = start(testing::KafkaBroker::start({.version = GetParam(), .settings = {}}));
    options.uri = source->uri();
    options.opening_transactions = 500;
    options.large_transaction_rows = 1500;
    const auto prepared = testing::LedgerWorkload::prepare(options);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  }
  template <class Server>
  static std::unique_ptr<Server> start(Result<std::unique_ptr<Server>> started) {
    EXPECT_TRUE(started.ok()) << started.error().message;
    return std::move(started).value();
  }

  std::vector<testing::KafkaRecord> committed() const {
    const testing::KafkaSession session(broker->address());
    if (session.partitions("changes") == 0) return {};
    auto records = session.committed("changes");
    EXPECT_TRUE(records.ok()) << records.error().message;
    return records.ok() ? std::move(records).value() : std::vector<testing::KafkaRecord>();
  }
  /// The number of whole transactions that a reader finds at this moment.
  static std::size_t expect_whole(const std::vector<testing::KafkaRecord>& records) {
    TransactionCheck check;
    for (const auto& record : records) {
      if (record.value) check.take(*record.value);
    }
    check.end();
    EXPECT_TRUE(check.faults.empty()) << check.faults.size() << ", first: " << check.faults.front();
    return check.transactions();
  }
  std::map<std::string, std::string> rows_of(const std::string& sql) const {
    auto session = testing::PostgresSession::open(options.uri).value();
    std::map<std::string, std::string> rows;
    for (const auto& row : session.query(sql).value()) rows[row[0].value()] = row[1].value();
    return rows;
  }
  void expect_source(const std::vector<testing::KafkaRecord>& records) const {
    std::stringstream lines;
    for (const auto& record : records) lines << record.value.value_or("") << "\n";
    const auto folded = read_change_lines(lines);
    EXPECT_TRUE(folded.faults.empty()) << folded.faults.size() << ", first: " << folded.faults.front();
    EXPECT_EQ(folded.rows("ledger"),
              rows_of("select concat_ws('|', txn, seq), concat_ws('|', key, op, val) from ledger"));
    EXPECT_EQ(folded.rows("acct"), rows_of("select key::text, concat_ws('|', bal, ver) from acct"));
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::KafkaBroker> broker;
  testing::LedgerWorkload::Options options;
};
INSTANTIATE_TEST_SUITE_P(Versions, KafkaLedger, ::testing::Values("3.9.1", "4.1.1"), [](const auto& each) {
  return each.param[0] == '3' ? std::string("kafka3") : std::string("kafka4");
});

TEST_P(KafkaLedger, kills_of_maia_and_of_the_broker_leave_every_transaction_whole_and_once) {
  auto mirror =
      Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct]\n", options.uri),
                   fmt::format("type: kafka\nbrokers: [\"{}\"]\ntopic: changes\n", broker->address()));
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  const testing::KafkaSession session(broker->address());
  std::size_t whole = 0;
  for (int kill = 0; kill < (long_run() ? 60 : 6); ++kill) {
    ASSERT_TRUE(mirror->start().ok());
    const auto open = session.await_open_transaction("changes", std::chrono::minutes(2));
    ASSERT_TRUE(open.ok()) << open.error().message << mirror->log_tail();
    if (kill % 3 == 2) {
      broker->kill9();
      const auto again = broker->restart();
      ASSERT_TRUE(again.ok()) << again.error().message;
      const auto back = session.await_open_transaction("changes", std::chrono::minutes(2));
      ASSERT_TRUE(back.ok()) << back.error().message << mirror->log_tail();
    }
    ASSERT_TRUE(mirror->running()) << mirror->log_tail();
    mirror->kill9();
    const auto now = expect_whole(committed());
    EXPECT_GE(now, whole);
    whole = now;
  }
  // However long the copy took between the kills, some changes must come by the stream.
  ASSERT_TRUE(mirror->start().ok());
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (expect_whole(committed()) <= whole + 10 && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(milliseconds(100));
  }
  mirror->kill9();
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  const auto records = committed();
  EXPECT_GT(expect_whole(records), whole + 10);
  EXPECT_GT(session.written("changes")->size(), records.size())
      << "no kill came in the middle of a transaction";
  expect_source(records);
}

class KafkaFencing : public KafkaLedger {};
INSTANTIATE_TEST_SUITE_P(Kafka4, KafkaFencing, ::testing::Values("4.1.1"));

/// The older run has records of an open transaction at the broker when it is stopped, and wakes up when its
/// transactional id belongs to another process.
TEST_P(KafkaFencing, an_older_process_that_wakes_up_commits_nothing_more_and_names_the_newer_one) {
  const auto make = [&] {
    return Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct]\n", options.uri),
                        fmt::format("type: kafka\nbrokers: [\"{}\"]\ntopic: changes\n", broker->address()))
        .value();
  };
  auto older = make();
  auto newer = make();
  const auto copied = older.catch_up();
  ASSERT_TRUE(copied.ok()) << copied.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  ASSERT_TRUE(older.start().ok());
  const testing::KafkaSession session(broker->address());
  const auto open = session.await_open_transaction("changes", std::chrono::minutes(2));
  ASSERT_TRUE(open.ok()) << open.error().message << older.log_tail();
  ASSERT_EQ(kill(older.pid(), SIGSTOP), 0);
  // As the server does by itself once it misses the reader.
  ASSERT_TRUE(
      source->query("select pg_terminate_backend(active_pid) from pg_replication_slots where active").ok());
  ASSERT_TRUE(newer.start().ok());
  const auto streaming = newer.await({"status", "--state", newer.state()}, "streaming");
  ASSERT_TRUE(streaming.ok()) << streaming.error().message;
  const auto taken = expect_whole(committed());
  ASSERT_EQ(kill(older.pid(), SIGCONT), 0);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while ((older.running() || expect_whole(committed()) <= taken + 10) &&
         std::chrono::steady_clock::now() < give_up) {
    ASSERT_TRUE(newer.running()) << newer.log_tail();
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_FALSE(older.running()) << older.log_tail();
  EXPECT_THAT(older.log_tail(),
              ::testing::HasSubstr(
                  fmt::format("a newer run of the pipeline writes to Kafka: process {} ", newer.pid())));
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  EXPECT_EQ(newer.stop(), 0) << newer.log_tail();
  const auto caught_up = newer.catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  const auto records = committed();
  EXPECT_GT(expect_whole(records), taken);
  expect_source(records);
}

}  // namespace
}  // namespace maia::tests
