// SPDX-License-Identifier: Apache-2.0
// Kafka as a source of the program: a feed that MAIA itself wrote there from PostgreSQL becomes PostgreSQL
// and DuckDB again, while each maia and the broker are killed in turn.
// shows: kafka -> postgres
// shows: kafka -> duckdb
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "ledger_check.h"
#include "maia/testing/kafka_broker.h"
#include "maia/testing/kafka_session.h"
#include "maia/testing/ledger_workload.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <class Server>
std::unique_ptr<Server> start(Result<std::unique_ptr<Server>> started) {
  EXPECT_TRUE(started.ok()) << started.error().message;
  return std::move(started).value();
}

class KafkaSource : public ::testing::Test {
 protected:
  void SetUp() override {
    source = start(testing::PostgresServer::start());
    copy = start(testing::PostgresServer::start());
    broker = start(testing::KafkaBroker::start({}));
    options.uri = source->uri();
    options.opening_transactions = 300;
    options.large_transaction_rows = 1500;
    const auto prepared = testing::LedgerWorkload::prepare(options);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    // A key that changes is a deletion and an insertion in Kafka, and an insertion has to say the whole row.
    auto session = testing::PostgresSession::open(options.uri).value();
    ASSERT_TRUE(session.query("alter table coin replica identity full").ok());
  }
  Mirror into_kafka() const {
    return Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [ledger, acct, coin]\n", options.uri),
                        fmt::format("type: kafka\nbrokers: [\"{}\"]\ntopic: changes\n", broker->address()))
        .value();
  }
  Mirror out_of_kafka(const std::string& destination) const {
    return Mirror::make(
               fmt::format(
                   "type: kafka\nbrokers: [\"{}\"]\ntopics: [changes]\ndeclare:\n  changes:\n    columns: "
                   "{{ val: \"decimal(20,2)\", bal: \"decimal(20,2)\", amount: \"decimal(20,4)\", seq: "
                   "int32, key: int32 }}\n",
                   broker->address()),
               destination)
        .value();
  }
  std::string differences(testing::ComparedSystem& there) const {
    const auto left = testing::compared_postgres(source->uri());
    return ledger_differences(**left, there, options.coins);
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::PostgresServer> copy;
  std::unique_ptr<testing::KafkaBroker> broker;
  testing::LedgerWorkload::Options options;
};

/// The topic has one partition, so every source transaction stays whole on the whole way: what does not
/// balance at any look was torn, lost or doubled.
TEST_F(KafkaSource, a_ledger_through_kafka_balances_at_every_look_whoever_is_killed) {
  auto writer = into_kafka();
  auto reader = out_of_kafka(fmt::format("type: postgres\nurl: {}\n", copy->uri()));
  const auto begun = writer.catch_up();
  ASSERT_TRUE(begun.ok()) << begun.error().message;
  const auto read = reader.catch_up();
  ASSERT_TRUE(read.ok()) << read.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  LedgerReader looks([this] { return testing::compared_postgres(copy->uri()); }, options.coins,
                     milliseconds(20));
  const testing::KafkaSession session(broker->address());
  ASSERT_TRUE(writer.start().ok());
  ASSERT_TRUE(reader.start().ok());
  for (int kill = 0; kill < (long_run() ? 60 : 6); ++kill) {
    const auto open = session.await_open_transaction("changes", std::chrono::minutes(2));
    ASSERT_TRUE(open.ok()) << open.error().message << writer.log_tail();
    if (kill % 3 == 0) {
      reader.kill9();
      ASSERT_TRUE(reader.start().ok());
    } else if (kill % 3 == 1) {
      writer.kill9();
      ASSERT_TRUE(writer.start().ok());
    } else {
      broker->kill9();
      const auto again = broker->restart();
      ASSERT_TRUE(again.ok()) << again.error().message;
    }
    // Everything has to work again before the next one.
    const auto seen = looks.looks();
    const auto at = workload.committed();
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while ((looks.looks() < seen + 5 || workload.committed() < at + 20) &&
           std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(milliseconds(20));
    }
    ASSERT_TRUE(writer.running()) << writer.log_tail();
    ASSERT_TRUE(reader.running()) << reader.log_tail();
  }
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  writer.stop();
  reader.stop();
  const auto written = writer.catch_up();
  ASSERT_TRUE(written.ok()) << written.error().message;
  const auto caught_up = reader.catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  EXPECT_THAT(looks.stop(), IsEmpty());
  EXPECT_GT(looks.looks(), 20);
  const auto right = testing::compared_postgres(copy->uri());
  EXPECT_EQ(differences(**right), "");
}

TEST_F(KafkaSource, a_feed_becomes_duckdb_and_what_cannot_be_done_with_a_log_is_refused_by_name) {
  auto writer = into_kafka();
  testing::LedgerWorkload workload(options);
  workload.start();
  auto reader = out_of_kafka("type: duckdb\npath: {}/copy.duckdb\n");
  ASSERT_TRUE(writer.start().ok());
  const testing::KafkaSession session(broker->address());
  const auto open = session.await_open_transaction("changes", std::chrono::minutes(2));
  ASSERT_TRUE(open.ok()) << open.error().message << writer.log_tail();
  ASSERT_TRUE(reader.start().ok());
  ASSERT_TRUE(reader.await({"status", "--state", reader.state()}, "streaming").ok()) << reader.log_tail();
  reader.kill9();
  // The journal is gone with everything else that was here, but not what the destination knows.
  std::filesystem::remove_all(reader.state());
  const auto worked = workload.stop();
  ASSERT_TRUE(worked.ok()) << worked.error().message;
  writer.stop();
  const auto written = writer.catch_up();
  ASSERT_TRUE(written.ok()) << written.error().message;
  const auto caught_up = reader.catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  {
    const auto right = testing::compared_duckdb(reader.directory() / "copy.duckdb");
    EXPECT_EQ(ledger_differences(**testing::compared_postgres(source->uri()), **right, options.coins), "")
        << reader.log_tail();
  }
  const auto tables = reader.command({"discover", reader.file()});
  ASSERT_TRUE(tables.ok()) << tables.error().message;
  EXPECT_THAT(*tables, HasSubstr("public.ledger"));
  const auto checked = reader.command({"check", reader.file(), "--state", reader.state()});
  EXPECT_TRUE(checked.ok()) << checked.error().message;

  ASSERT_TRUE(reader.start().ok());
  ASSERT_TRUE(reader.await({"status", "--state", reader.state()}, "streaming").ok()) << reader.log_tail();
  const auto refused = reader.command({"resync", "ledger", "--state", reader.state()});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("public.ledger comes from a log"));
  reader.stop();
  EXPECT_THAT(reader.log_tail(), ::testing::Not(HasSubstr("lost history")));

  // What expires before it is read is a named stop.
  const auto records = session.committed("changes");
  ASSERT_TRUE(records.ok());
  testing::KafkaRecord late;
  late.key = "{\"key\":1}";
  late.value = R"({"key":1,"op":"x"})";
  ASSERT_TRUE(session.append("changes", {late, late}).ok());
  ASSERT_TRUE(session.remove_before("changes", 0, records->back().offset + 4).ok());
  const auto lost = reader.catch_up();
  ASSERT_FALSE(lost.ok());
  EXPECT_THAT(lost.error().message, HasSubstr("were removed before they were read"));
}

}  // namespace
}  // namespace maia::tests
