// SPDX-License-Identifier: Apache-2.0
// Kafka as a source where its topics change under maia: several partitions, more of them and another topic
// while it runs, kills of maia and of the broker; and logs that have lost what was to be read.
// shows: kafka -> postgres
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <thread>

#include "maia/testing/kafka_broker.h"
#include "maia/testing/kafka_session.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class KafkaPartitions : public ::testing::Test {
 protected:
  void SetUp() override {
    auto copied = testing::PostgresServer::start();
    ASSERT_TRUE(copied.ok()) << copied.error().message;
    copy = std::move(*copied);
    auto started = testing::KafkaBroker::start({});
    ASSERT_TRUE(started.ok()) << started.error().message;
    broker = std::move(*started);
  }
  testing::KafkaSession session() const { return testing::KafkaSession(broker->address()); }
  std::string file(const std::string& topics) const {
    return fmt::format(
        "name: events\nsource: {{type: kafka, brokers: ['{}'], topics: {}, look_every: 200ms}}\n"
        "destination: {{type: postgres, url: '{}'}}\n",
        broker->address(), topics, copy->uri());
  }
  void mirror(const std::string& topics) {
    auto made = Mirror::with_file(file(topics));
    ASSERT_TRUE(made.ok()) << made.error().message;
    maia.emplace(std::move(*made));
  }
  void catch_up() {
    const auto caught_up = maia->catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  }
  std::string copied(const std::string& sql) const {
    const auto rows = copy->query(sql);
    return rows.ok() && !rows->empty() ? (*rows)[0][0].value_or("") : "";
  }
  int count(const std::string& table) const {
    return std::atoi(copied("select count(*) from " + table).c_str());
  }
  /// A row without a key in each of so many partitions. What is doubled is there twice.
  void append(const std::string& topic, int first, int count, int partitions) const {
    std::vector<testing::KafkaRecord> records;
    for (int i = 0; i < count; ++i) {
      testing::KafkaRecord record;
      record.partition = i % partitions;
      record.value = fmt::format(R"({{"n":{}}})", first + i);
      records.push_back(std::move(record));
    }
    const auto appended = session().append(topic, records);
    ASSERT_TRUE(appended.ok()) << appended.error().message;
  }
  void make_topic(const std::string& topic, int partitions) const {
    const auto made = session().make_topic(topic, partitions);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  void expect_lost(const std::string& what) {
    const auto lost = maia->catch_up();
    ASSERT_FALSE(lost.ok());
    EXPECT_THAT(lost.error().message, HasSubstr(what));
  }
  /// What lost history leaves to a person: to leave the topic out, or to begin anew with what there is.
  void expect_both_ways_on(const std::string& topic, int there) {
    maia->write(file(fmt::format("['*', '!{}']", topic)));
    append("others", 1000, 5, 1);
    ASSERT_NO_FATAL_FAILURE(catch_up());
    EXPECT_EQ(count("others where n >= 1000"), 5);
    maia->write(file("['*']"));
    const auto dropped = maia->command({"drop", maia->file(), "--state", maia->state()});
    ASSERT_TRUE(dropped.ok()) << dropped.error().message;
    ASSERT_TRUE(copy->execute(fmt::format("truncate {}, others", topic)).ok());
    ASSERT_NO_FATAL_FAILURE(catch_up());
    EXPECT_EQ(count(topic), there);
    EXPECT_EQ(copied("select count(distinct n) = count(*) from others"), "t");
  }

  std::unique_ptr<testing::PostgresServer> copy;
  std::unique_ptr<testing::KafkaBroker> broker;
  std::optional<Mirror> maia;
};

/// Appends batch after batch, from the number on that it is told, until it is stopped.
class Producer {
 public:
  static constexpr int kBatch = 60;

  explicit Producer(std::function<void(int first)> append)
      : append_(std::move(append)), thread_([this] {
          for (; !stopping_; appended_ += kBatch) append_(appended_);
        }) {}
  ~Producer() { stop(); }
  /// How many there are.
  int stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    return appended_;
  }

 private:
  const std::function<void(int)> append_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> appended_ = 0;
  std::thread thread_;
};

TEST_F(KafkaPartitions, nothing_is_lost_or_doubled_over_kills_while_partitions_and_topics_are_added) {
  constexpr int kMore = 100;
  make_topic("events", 4);
  std::atomic<int> partitions = 4;
  Producer producer([&](int first) { append("events", first, Producer::kBatch, partitions); });
  mirror("['events*']");
  ASSERT_TRUE(maia->start().ok());
  for (int round = 0; round < (long_run() ? 60 : 6); ++round) {
    const auto seen = count("events");
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (count("events") < seen + 2 * Producer::kBatch) {
      ASSERT_TRUE(maia->running()) << maia->log_tail();
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << maia->log_tail();
      std::this_thread::sleep_for(milliseconds(20));
    }
    if (round % 3 == 0) {
      maia->kill9();
      ASSERT_TRUE(maia->start().ok());
    } else if (round % 3 == 1) {
      broker->kill9();
      const auto again = broker->restart();
      ASSERT_TRUE(again.ok()) << again.error().message;
    } else if (round == 2) {
      const auto added = session().add_partitions("events", 6);
      ASSERT_TRUE(added.ok()) << added.error().message;
      partitions = 6;
    } else if (round == 5) {
      make_topic("events_more", 2);
      append("events_more", 0, kMore, 2);
    }
  }
  const auto appended = producer.stop();
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
  ASSERT_NO_FATAL_FAILURE(catch_up());
  EXPECT_EQ(count("events"), appended);
  EXPECT_EQ(count("(select distinct n from events) as n"), appended);
  EXPECT_EQ(count("events_more"), kMore);
  EXPECT_EQ(count("(select distinct n from events_more) as n"), kMore);
}

TEST_F(KafkaPartitions, records_that_expire_before_they_are_read_stop_by_name_with_two_ways_on) {
  make_topic("orders", 1);
  make_topic("others", 1);
  append("orders", 0, 10, 1);
  append("others", 0, 10, 1);
  mirror("['*']");
  ASSERT_NO_FATAL_FAILURE(catch_up());
  append("orders", 10, 10, 1);
  ASSERT_TRUE(session().remove_before("orders", 0, 15).ok());
  expect_lost("orders[0] begins at 15 now: its records from 10 on were removed before they were read");
  expect_both_ways_on("orders", 5);
}

/// As when a broker that lacked the newest records was made the leader.
TEST_F(KafkaPartitions, a_log_that_ends_before_what_was_read_stops_by_name_with_two_ways_on) {
  make_topic("orders", 1);
  make_topic("others", 1);
  append("others", 0, 10, 1);
  append("orders", 0, 10, 1);
  const auto size = std::filesystem::file_size(broker->log_of("orders", 0));
  append("orders", 10, 10, 1);
  mirror("['*']");
  ASSERT_NO_FATAL_FAILURE(catch_up());
  broker->kill9();
  std::filesystem::resize_file(broker->log_of("orders", 0), size);
  ASSERT_TRUE(broker->restart().ok());
  expect_lost("orders[0] ends at 10, before 20, which was read: the cluster has lost records");
  expect_both_ways_on("orders", 10);
}

}  // namespace
}  // namespace maia::tests
