// SPDX-License-Identifier: Apache-2.0
// Every source into every destination: a table of many types is copied while it changes in every way, its
// shape changes among its rows, and maia is killed there. In the end each destination holds what the source
// holds, as their own clients show it; a log does when its records are put together by key.
// Kafka is a source by a feed that another maia writes into it from PostgreSQL, and is killed as well.
// shows: postgres, mysql, kafka -> postgres, mysql, duckdb, kafka, file
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "goods.h"
#include "maia/testing/duckdb_session.h"
#include "maia/testing/kafka_broker.h"
#include "maia/testing/kafka_session.h"
#include "maia/testing/mysql_server.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;
using testing::MysqlProduct;

constexpr int kFirstRows = 400;
constexpr std::int64_t kMark = 9'000'001;  ///< id of a row that comes once everything streams

/// A database of the matrix, as its own client has it.
struct System {
  std::string name;
  Dialect dialect;
  std::string uri;

  /// On a connection of its own.
  Result<testing::Rows> query(const std::string& sql) const {
    if (dialect == Dialect::postgres) {
      auto session = MAIA_TRY(testing::PostgresSession::open(uri));
      MAIA_TRY(session.execute("set time zone 'UTC'"));
      return session.query(sql);
    }
    auto session = MAIA_TRY(testing::MysqlSession::open(uri));
    MAIA_TRY(session.execute("set time_zone = '+00:00'"));
    return session.query(sql);
  }
  Result<Goods> goods() const {
    return read_goods(dialect, [this](const std::string& sql) { return query(sql); });
  }
  std::string lines() const {
    return fmt::format("type: {}, url: '{}'", dialect == Dialect::postgres ? "postgres" : "mysql", uri);
  }
};

/// The servers of one test. Where source and destination are of one product they are two servers.
class Servers {
 public:
  System source(const std::string& name) { return system(name, true); }
  System destination(const std::string& name) { return system(name, false); }
  testing::KafkaBroker& kafka() { return testing::shared_kafka(); }

 private:
  System system(const std::string& name, bool source) {
    if (name == "postgres") {
      postgres_.push_back(testing::PostgresServer::start().value());
      return {name, Dialect::postgres, postgres_.back()->uri()};
    }
    const auto product = name == "mysql" ? MysqlProduct::mysql : MysqlProduct::mariadb;
    mysql_.push_back(testing::MysqlServer::start({.product = product, .settings = {}}).value());
    if (!source) {
      const auto made = mysql_.back()->execute("create database shop");
      EXPECT_TRUE(made.ok()) << made.error().message;
    }
    return {name, Dialect::mysql, mysql_.back()->uri(source ? "" : "shop")};
  }
  std::vector<std::unique_ptr<testing::PostgresServer>> postgres_;
  std::vector<std::unique_ptr<testing::MysqlServer>> mysql_;
};

/// Changes the source in one transaction after another until it is stopped.
class Writer {
 public:
  explicit Writer(const System& source) : thread_([this, source] { write(source); }) {}
  ~Writer() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  /// Until so many more transactions are through.
  void await_more(int transactions) const {
    const auto enough = rounds_ + transactions;
    while (rounds_ < enough && failure_.empty()) std::this_thread::sleep_for(kPause);
  }
  int rounds() const { return rounds_; }
  /// Of a statement that failed; to be asked after stop().
  const std::string& failure() const { return failure_; }

 private:
  static constexpr milliseconds kPause{20};

  void write(const System& source) {
    while (!stopping_ && failure_.empty()) {
      const auto done = source.query(change_goods(source.dialect, rounds_ + 1));
      if (!done.ok()) failure_ = done.error().message;
      ++rounds_;
      std::this_thread::sleep_for(kPause);
    }
  }
  std::atomic<bool> stopping_ = false;
  std::atomic<int> rounds_ = 0;
  std::string failure_;
  std::thread thread_;
};

class Matrix : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const bool log = GetParam() == "kafka";
    source = servers.source(log ? "postgres" : GetParam());
    execute(create_goods(source.dialect));
    execute(insert_goods(source.dialect, 1, kFirstRows));
    auto source_lines = source.lines() + ", tables: ['shop.*']";
    if (log) source_lines = fed(source_lines);
    std::string destinations;
    for (const std::string name : {"postgres", "mysql", "mariadb"}) {
      databases.push_back(servers.destination(name));
      destinations += fmt::format("  {}: {{{}}}\n", name, databases.back().lines());
    }
    auto made = Mirror::with_file(fmt::format(
        "name: matrix\nsource: {{{}}}\ndestinations:\n{}"
        "  duckdb: {{type: duckdb, path: '{{}}/copy.duckdb'}}\n"
        "  kafka: {{type: kafka, brokers: ['{}'], topic: goods-{}, partitions: 3, transactional_id: {}}}\n"
        "  file: {{type: file, path: '{{}}/goods.jsonl'}}\n",
        source_lines, destinations, servers.kafka().address(), GetParam(), GetParam()));
    ASSERT_TRUE(made.ok()) << made.error().message;
    mirror.emplace(std::move(*made));
  }
  /// Starts to feed a topic from the source; the lines of a source that reads it. JSON does not say all
  /// types.
  std::string fed(const std::string& source_lines) {
    const auto brokers = servers.kafka().address();
    auto made =
        Mirror::with_file(fmt::format("name: feed\nsource: {{{}}}\ndestination: {{type: kafka, brokers: "
                                      "['{}'], topic: feed, partitions: 3}}\n",
                                      source_lines, brokers));
    EXPECT_TRUE(made.ok()) << made.error().message;
    feed.emplace(std::move(*made));
    EXPECT_TRUE(feed->start().ok());
    const auto streaming = feed->await({"status", "--state", feed->state()}, "streaming");
    EXPECT_TRUE(streaming.ok()) << streaming.error().message;
    return fmt::format(
        "type: kafka, brokers: ['{}'], topics: [feed], declare: {{feed: {{columns: {{n: int32, price: "
        "'decimal(12,2)', ratio: float64, made: timestamp, moment: timestamp_tz, day: date, doc: json, raw: "
        "bytes}}}}}}",
        brokers);
  }
  /// A log tells of a new column by the rows that have it, so each row is written once more.
  void change_shape() {
    execute(feed ? fmt::format("begin; {}; update shop.goods set note = note; commit", kChangeShape)
                 : std::string(kChangeShape));
  }
  void execute(const std::string& sql) {
    const auto executed = source.query(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  /// What each destination holds, by its name; `maia` must not run, for a DuckDB file belongs to one process.
  std::map<std::string, Goods> held() {
    std::map<std::string, Goods> held;
    const auto take = [&](const std::string& name, Result<Goods> goods) {
      EXPECT_TRUE(goods.ok()) << name << ": " << goods.error().message;
      if (goods.ok()) held[name] = std::move(*goods);
    };
    for (const auto& database : databases) take(database.name, database.goods());
    auto duckdb = testing::DuckdbSession::open(mirror->directory() / "copy.duckdb");
    EXPECT_TRUE(duckdb.ok()) << duckdb.error().message;
    if (duckdb.ok()) {
      take("duckdb", read_goods(Dialect::duckdb, [&](const std::string& sql) { return duckdb->query(sql); }));
    }
    take("kafka", in_kafka());
    take("file", in_file());
    return held;
  }
  Result<Goods> in_kafka() {
    const testing::KafkaSession session(servers.kafka().address());
    std::vector<std::string> envelopes;
    for (auto& record : MAIA_TRY(session.committed("goods-" + GetParam()))) {
      if (record.value) envelopes.push_back(*std::move(record.value));
    }
    return fold_goods(envelopes);
  }
  Result<Goods> in_file() {
    std::vector<std::string> envelopes;
    std::ifstream lines(mirror->directory() / "goods.jsonl");
    for (std::string line; std::getline(lines, line);) envelopes.push_back(line);
    return fold_goods(envelopes);
  }
  /// Waits until each destination has got the row that is marked, by the stream.
  void await_mark() {
    const auto in_duckdb = mirror->await(
        {"query", fmt::format("select 'rows=' || count(*) as n from shop.goods where id = {}", kMark),
         "--destination", "duckdb", "--format", "csv", "--state", mirror->state()},
        "rows=1");
    ASSERT_TRUE(in_duckdb.ok()) << in_duckdb.error().message;
    const auto await = [&](const std::string& name, const std::function<Result<Goods>()>& read) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
      for (;;) {
        const auto goods = read();
        if (goods.ok() && goods->contains(kMark)) return;
        ASSERT_TRUE(mirror->running()) << mirror->log_tail();
        ASSERT_LT(std::chrono::steady_clock::now(), end) << name << " never has the mark\n"
                                                         << mirror->log_tail();
        std::this_thread::sleep_for(milliseconds(100));
      }
    };
    const auto marked = [&](const System& database) -> Result<Goods> {
      const auto rows =
          MAIA_TRY(database.query(fmt::format("select id from shop.goods where id = {}", kMark)));
      return rows.empty() ? Goods{} : Goods{{kMark, {}}};
    };
    for (const auto& database : databases) await(database.name, [&] { return marked(database); });
    await("kafka", [&] { return in_kafka(); });
    await("file", [&] { return in_file(); });
  }

  Servers servers;
  System source;
  std::vector<System> databases;
  std::optional<Mirror> feed;  ///< what fills the topic, where Kafka is the source
  std::optional<Mirror> mirror;
};

TEST_P(Matrix, every_destination_holds_what_the_source_holds) {
  Writer writer(source);
  ASSERT_TRUE(mirror->start().ok());
  const auto streaming = mirror->await({"status", "--state", mirror->state()}, "streaming");
  ASSERT_TRUE(streaming.ok()) << streaming.error().message;
  writer.await_more(10);
  execute(insert_goods(source.dialect, kMark, 1));
  ASSERT_NO_FATAL_FAILURE(await_mark());
  change_shape();
  writer.await_more(3);
  ASSERT_TRUE(mirror->running()) << mirror->log_tail();
  mirror->kill9();
  if (feed) feed->kill9();
  writer.await_more(20);
  writer.stop();
  EXPECT_EQ(writer.failure(), "");
  const auto then = source.goods();
  ASSERT_TRUE(then.ok()) << then.error().message;
  if (feed) {
    const auto written = feed->catch_up();
    ASSERT_TRUE(written.ok()) << written.error().message;
  }
  const auto caught_up = mirror->catch_up();
  ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  EXPECT_GT(then->size(), 300u);
  for (const auto& [name, goods] : held()) {
    EXPECT_EQ(differences(*then, goods), "") << GetParam() << " to " << name;
    fmt::print("{} to {}: {} rows equal after {} transactions\n", GetParam(), name, goods.size(),
               writer.rounds());
  }
}

INSTANTIATE_TEST_SUITE_P(From, Matrix, ::testing::Values("postgres", "mysql", "mariadb", "kafka"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace maia::tests
