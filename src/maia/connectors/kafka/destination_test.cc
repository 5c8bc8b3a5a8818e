// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/destination.h"

#include <gmock/gmock.h>
#include <simdjson.h>

#include <thread>

#include "maia/testing/kafka_broker.h"
#include "maia/testing/kafka_session.h"
#include "maia/testing/schema_registry.h"

namespace maia::kafka {
namespace {

using maia::testing::KafkaBroker;
using maia::testing::KafkaRecord;
using maia::testing::KafkaSession;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

SchemaRef orders(std::string note = "note") {
  auto schema = std::make_shared<TableSchema>();
  schema->name = {"public", "orders"};
  schema->columns = {{.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true},
                     {.name = std::move(note), .type = Type::text()}};
  return schema;
}

TableTarget target_of(const SchemaRef& schema) {
  return {.name = schema->name, .schema = schema, .key = schema->key()};
}

/// Builds the batch of one table.
class Rows {
 public:
  explicit Rows(SchemaRef schema) : batch_(std::move(schema)) {}
  Rows& insert(std::int64_t id, std::string_view note, Op op = Op::insert) {
    batch_.begin_row(op, next_++);
    batch_.mutable_after(0).push_fixed(id);
    batch_.mutable_after(1).push_text(note);
    batch_.finish_row();
    return *this;
  }
  Rows& update(std::int64_t id, std::string_view note, std::optional<std::int64_t> old = std::nullopt) {
    batch_.begin_row(Op::update, next_++);
    batch_.mutable_after(0).push_fixed(id);
    batch_.mutable_after(1).push_text(note);
    if (old) batch_.mutable_before(0).push_fixed(*old);
    batch_.finish_row();
    return *this;
  }
  Rows& remove(std::int64_t id) {
    batch_.begin_row(Op::remove, next_++);
    batch_.mutable_before(0).push_fixed(id);
    batch_.finish_row();
    return *this;
  }
  const Batch& batch() const { return batch_; }

 private:
  Batch batch_;
  std::uint64_t next_ = 0;
};

std::string brief(const KafkaRecord& record) {
  if (!record.value) return record.key.value_or("none") + " gone";
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(*record.value).get(document) != simdjson::SUCCESS) return "no JSON: " + *record.value;
  const auto member = [&](std::string_view pointer) {
    simdjson::dom::element found;
    return document.at_pointer(pointer).get(found) == simdjson::SUCCESS ? simdjson::minify(found) : "none";
  };
  return record.key.value_or("none") + " " + member("/op") + " " + member("/after");
}

std::vector<std::string> briefs(const std::vector<KafkaRecord>& records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back(brief(record));
  return out;
}

class KafkaDestinationTest : public ::testing::TestWithParam<const char*> {
 protected:
  /// A pipeline of its own for each test, since the broker is shared.
  KafkaDestinationTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    pipeline_ = topic_text(test->name());
    topic_ = pipeline_.substr(0, 100) + ".orders";
    config_.topic = topic_;
  }
  virtual KafkaBroker& broker() { return maia::testing::shared_kafka(GetParam()); }
  KafkaSession session() { return KafkaSession(broker().address()); }

  std::unique_ptr<KafkaDestination> destination() {
    config_.connection.brokers = {broker().address()};
    return std::make_unique<KafkaDestination>(config_, pipeline_, 0, system_clock());
  }
  std::unique_ptr<KafkaDestination> opened(Destination::Opened* opened = nullptr) {
    auto to = destination();
    auto result = to->open(pipeline_);
    EXPECT_TRUE(result.ok()) << result.error().message;
    if (opened && result.ok()) *opened = std::move(result).value();
    return to;
  }
  Status write(KafkaDestination& to, const Rows& rows, const std::string& position) {
    const auto target = target_of(rows.batch().schema());
    const Transaction transaction{.position = {position}, .id = position};
    const Delivery delivery{
        .target = &target, .batch = &rows.batch(), .transactions = std::span(&transaction, 1)};
    MAIA_TRY(to.begin());
    MAIA_TRY(to.prepare(target));
    return to.write(std::span(&delivery, 1));
  }
  Status commit(KafkaDestination& to, std::uint64_t sequence) {
    return to.commit({.sequence = {sequence}, .position = {std::to_string(sequence)}, .facts = {}});
  }
  Status deliver(KafkaDestination& to, const Rows& rows, std::uint64_t sequence) {
    MAIA_TRY(write(to, rows, std::to_string(sequence)));
    return commit(to, sequence);
  }
  std::vector<KafkaRecord> records() {
    auto records = session().committed(topic_);
    EXPECT_TRUE(records.ok()) << records.error().message;
    return records.ok() ? std::move(records).value() : std::vector<KafkaRecord>();
  }

  DestinationConfig config_;
  std::string pipeline_;
  std::string topic_;
};

std::string version_name(const ::testing::TestParamInfo<const char*>& each) {
  return each.param[0] == '3' ? "kafka3" : "kafka4";
}
INSTANTIATE_TEST_SUITE_P(Versions, KafkaDestinationTest, ::testing::Values("4.1.1"), version_name);

/// What rests on the brokers' transactions, whose protocol has changed between the two.
class KafkaTransactions : public KafkaDestinationTest {};
INSTANTIATE_TEST_SUITE_P(Versions, KafkaTransactions, ::testing::Values("3.9.1", "4.1.1"), version_name);

#define ASSERT_OK(expression)                                                              \
  do {                                                                                     \
    const auto status_ = (expression);                                                     \
    ASSERT_TRUE(status_.ok()) << status_.error().message << " / " << status_.error().hint; \
  } while (false)

TEST_P(KafkaDestinationTest, changes_are_records_under_their_keys_with_their_operation) {
  auto to = opened();
  Rows rows(orders());
  rows.insert(1, "a").update(1, "b").insert(2, "c").update(3, "d", 2).remove(1);
  ASSERT_OK(deliver(*to, rows, 7));
  const auto found = records();
  EXPECT_THAT(briefs(found),
              ElementsAre(R"({"id":1} "c" {"id":1,"note":"a"})", R"({"id":1} "u" {"id":1,"note":"b"})",
                          R"({"id":2} "c" {"id":2,"note":"c"})", R"({"id":2} "d" null)", R"({"id":2} gone)",
                          R"({"id":3} "c" {"id":3,"note":"d"})", R"({"id":1} "d" null)", R"({"id":1} gone)"));
  ASSERT_EQ(found.size(), 8U);
  EXPECT_EQ(found[1].header("maia.op_id"), "7/1");
  EXPECT_THAT(found[1].header("traceparent"), ::testing::MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-01"));
  EXPECT_EQ(found[0].header("traceparent").substr(0, 35), found[1].header("traceparent").substr(0, 35));
  EXPECT_NE(found[0].header("traceparent"), found[1].header("traceparent"));
}

TEST_P(KafkaDestinationTest, the_checkpoint_comes_back_with_its_facts) {
  const std::string odd("\xff\n\0:", 4);
  auto to = opened();
  ASSERT_OK(to->begin());
  ASSERT_OK(
      to->commit({.sequence = {7}, .position = {odd}, .facts = {{"a", "1"}, {"b", "\n"}}, .seal = "s"}));
  ASSERT_OK(to->begin());
  ASSERT_OK(to->commit({.sequence = {8}, .position = {odd}, .facts = {{"a", std::nullopt}}, .seal = "t"}));
  to.reset();
  Destination::Opened again;
  to = opened(&again);
  EXPECT_EQ(again.epoch.value, 2U);
  EXPECT_EQ(again.checkpoint.sequence.value, 8U);
  EXPECT_EQ(again.checkpoint.position.token, odd);
  EXPECT_EQ(again.checkpoint.seal, "t");
  EXPECT_EQ(again.checkpoint.facts, (std::map<std::string, std::string>{{"b", "\n"}}));
}

TEST_P(KafkaTransactions, rows_without_a_commit_are_never_seen) {
  auto to = opened();
  ASSERT_OK(deliver(*to, Rows(orders()).insert(1, "kept"), 1));
  ASSERT_OK(write(*to, Rows(orders()).insert(2, "taken back"), "2"));
  to->rollback();
  ASSERT_OK(write(*to, Rows(orders()).insert(3, "left by a run that was killed"), "3"));
  auto next = opened();
  ASSERT_OK(deliver(*next, Rows(orders()).insert(4, "kept"), 2));
  EXPECT_THAT(briefs(records()), ElementsAre(R"({"id":1} "c" {"id":1,"note":"kept"})",
                                             R"({"id":4} "c" {"id":4,"note":"kept"})"));
}

TEST_P(KafkaTransactions, a_newer_run_shuts_out_the_one_before_which_writes_nothing_more) {
  Destination::Opened first;
  auto to = opened(&first);
  ASSERT_OK(deliver(*to, Rows(orders()).insert(1, "old"), 1));
  ASSERT_OK(write(*to, Rows(orders()).insert(2, "old"), "2"));
  Destination::Opened second;
  auto next = opened(&second);
  EXPECT_GT(second.epoch, first.epoch);
  EXPECT_EQ(second.checkpoint.sequence.value, 1U);
  const auto late = commit(*to, 2);
  ASSERT_FALSE(late.ok());
  to->rollback();
  EXPECT_FALSE(deliver(*to, Rows(orders()).insert(3, "old"), 3).ok());
  ASSERT_OK(deliver(*next, Rows(orders()).insert(2, "new"), 2));
  EXPECT_THAT(briefs(records()),
              ElementsAre(R"({"id":1} "c" {"id":1,"note":"old"})", R"({"id":2} "c" {"id":2,"note":"new"})"));
}

TEST_P(KafkaDestinationTest, a_run_is_fenced_by_the_epoch_of_another_process_and_not_by_its_own) {
  Destination::Opened held;
  opened(&held);
  opened();  // as if the answer to this one had been lost
  auto to = destination();
  const auto again = to->open(pipeline_, held.epoch);
  ASSERT_OK(again);
  EXPECT_EQ(again->epoch.value, held.epoch.value + 2);
  SavedCheckpoint other;
  other.pipeline = pipeline_;
  other.epoch = {again->epoch.value + 1};
  other.taken_by = "process 1 on another host";
  const auto checkpoint = checkpoint_records(other, {}).back();
  ASSERT_OK(session().append("__maia-" + pipeline_,
                             {{.partition = 0, .key = checkpoint.key, .value = checkpoint.value}}));
  const auto late = destination()->open(pipeline_, again->epoch);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Error::Code::fenced);
  EXPECT_THAT(late.error().message, HasSubstr("process 1 on another host"));
  // It looked before it shut anybody out.
  ASSERT_OK(deliver(*to, Rows(orders()).insert(1, "a"), 9));
}

TEST_P(KafkaDestinationTest, a_row_that_is_too_large_is_refused_by_name_and_the_rest_goes_on) {
  config_.max_record_size = {20'000};
  auto to = opened();
  ASSERT_OK(deliver(*to, Rows(orders()).insert(1, "fits"), 1));
  const auto refused = write(*to, Rows(orders()).insert(2, std::string(20'000, 'x')), "2");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::data);
  EXPECT_THAT(refused.error().message, HasSubstr("the row id=2 of public.orders"));
  to->rollback();
  ASSERT_OK(deliver(*to, Rows(orders()).insert(3, std::string(18'000, 'y')), 2));
  EXPECT_EQ(records().size(), 2U);
}

TEST_P(KafkaDestinationTest, a_topic_that_takes_less_than_a_row_may_have_is_named) {
  ASSERT_OK(session().make_topic(topic_, 1, {{"max.message.bytes", "5000"}}));
  auto to = opened();
  const auto refused = write(*to, Rows(orders()).insert(1, "a"), "1");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::invalid_config);
  EXPECT_THAT(refused.error().message, HasSubstr("takes records of up to 5000 bytes"));
}

TEST_P(KafkaDestinationTest, a_key_stays_in_its_partition_and_in_order) {
  config_.partitions = 4;
  auto to = opened();
  Rows rows(orders());
  for (std::int64_t id = 0; id < 40; ++id) rows.insert(id, "first");
  for (std::int64_t id = 0; id < 40; ++id) rows.update(id, "second");
  ASSERT_OK(deliver(*to, rows, 1));
  EXPECT_EQ(session().partitions(topic_), 4);
  std::map<std::string, std::pair<int, std::vector<std::string>>> keys;
  std::set<int> partitions;
  for (const auto& record : records()) {
    auto& [partition, ops] =
        keys.try_emplace(*record.key, record.partition, std::vector<std::string>()).first->second;
    EXPECT_EQ(partition, record.partition) << *record.key;
    ops.push_back(record.value->find(R"("op":"c")") != std::string::npos ? "c" : "u");
    partitions.insert(record.partition);
  }
  EXPECT_EQ(keys.size(), 40U);
  EXPECT_EQ(partitions.size(), 4U);
  for (const auto& [key, seen] : keys) EXPECT_THAT(seen.second, ElementsAre("c", "u")) << key;
}

TEST_P(KafkaDestinationTest, avro_is_what_the_registry_says) {
  maia::testing::SchemaRegistry registry;
  config_.encoding = Encoding::avro;
  config_.format = Format::flat;
  config_.registry.url = registry.url();
  auto to = opened();
  ASSERT_OK(deliver(*to, Rows(orders()).insert(1, "a").update(3, "d", 1), 7));
  const auto found = records();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_THAT(registry.subjects(), ElementsAre(topic_ + "-key", topic_ + "-value"));
  EXPECT_EQ(registry.decoded(*found[0].key).value(), R"({"id": {"long": 1}})");
  EXPECT_THAT(registry.decoded(*found[0].value).value(),
              StartsWith(R"({"id": {"long": 1}, "note": {"string": "a"}, "__op": "c")"));
  EXPECT_EQ(found[1].key, found[0].key);
  EXPECT_THAT(registry.decoded(*found[1].value).value(), HasSubstr(R"("__op": "d")"));
  EXPECT_EQ(found[2].value, std::nullopt);
  EXPECT_EQ(registry.decoded(*found[3].key).value(), R"({"id": {"long": 3}})");
  EXPECT_EQ(found[0].header("content-type"), "application/vnd.kafka.avro");
}

TEST_P(KafkaDestinationTest, drop_removes_the_checkpoint_and_leaves_the_records) {
  auto to = opened();
  ASSERT_OK(deliver(*to, Rows(orders()).insert(1, "a"), 1));
  to.reset();
  EXPECT_THAT(destination()->drop("other").value(), IsEmpty());
  EXPECT_THAT(destination()->drop(pipeline_).value(), ElementsAre("topic __maia-" + pipeline_));
  EXPECT_THAT(destination()->drop(pipeline_).value(), IsEmpty());
  EXPECT_EQ(records().size(), 1U);
}

TEST_P(KafkaDestinationTest, check_says_what_cannot_be_made) {
  const auto good = destination()->check().value();
  for (const auto& finding : good) EXPECT_EQ(finding.level, Finding::Level::ok) << finding.what;
  config_.replication = 3;
  const auto bad = destination()->check().value();
  EXPECT_EQ(bad.back().level, Finding::Level::error);
  EXPECT_THAT(bad.back().fix, HasSubstr("`replication`"));
  EXPECT_THAT(session().topics(), Not(::testing::Contains(StartsWith("__maia-" + pipeline_))));
}

/// With a broker of its own, which dies.
class KafkaOutage : public KafkaDestinationTest {
 protected:
  void SetUp() override {
    auto started = KafkaBroker::start({.version = GetParam(), .settings = settings()});
    ASSERT_TRUE(started.ok()) << started.error().message;
    broker_ = std::move(started).value();
    config_.connection.request_timeout = std::chrono::seconds(20);
  }
  virtual std::map<std::string, std::string> settings() const { return {}; }
  KafkaBroker& broker() override { return *broker_; }
  std::unique_ptr<KafkaBroker> broker_;
};

/// With a broker that lets no transaction be open for long.
class KafkaTimeout : public KafkaOutage {
 protected:
  std::map<std::string, std::string> settings() const override {
    return {{"transaction.max.timeout.ms", "3000"},
            {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "100"}};
  }
  /// Writes rows for so long in one transaction, and the error that ends it if it does not last.
  Status write_for(KafkaDestination& to, std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    auto done = write(to, Rows(orders()).insert(1, "late"), "1");
    for (std::int64_t id = 2; done.ok() && std::chrono::steady_clock::now() < end; ++id) {
      const auto rows = std::move(Rows(orders()).insert(id, "late"));
      const auto target = target_of(rows.batch().schema());
      const Transaction transaction{.position = {"1"}, .id = "1"};
      const Delivery delivery{
          .target = &target, .batch = &rows.batch(), .transactions = std::span(&transaction, 1)};
      done = to.write(std::span(&delivery, 1));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return done.ok() ? commit(to, 1) : done;
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, KafkaTimeout, ::testing::Values("3.9.1", "4.1.1"), version_name);

TEST_P(KafkaTimeout,
       a_transaction_that_takes_too_long_is_written_again_with_more_time_while_the_brokers_give_it) {
  config_.transaction_timeout = std::chrono::milliseconds(1200);
  auto to = opened();
  const auto cut_off = write_for(*to, std::chrono::minutes(1));
  ASSERT_FALSE(cut_off.ok());
  EXPECT_EQ(cut_off.error().recovery, Recovery::reconnect) << cut_off.error().message;
  EXPECT_THAT(cut_off.error().hint, HasSubstr("longer than 1200ms")) << cut_off.error().message;
  to->rollback();
  const auto again = to->open(pipeline_);
  ASSERT_OK(again);
  EXPECT_EQ(again->checkpoint.sequence.value, 0U);
  EXPECT_THAT(records(), IsEmpty());
  ASSERT_OK(write_for(*to, std::chrono::milliseconds(1700)));
  EXPECT_GT(records().size(), 10U);
  EXPECT_FALSE(write_for(*to, std::chrono::minutes(1)).ok());
  to->rollback();
  const auto refused = to->open(pipeline_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().recovery, Recovery::halt) << refused.error().message;
  EXPECT_THAT(refused.error().message, HasSubstr("takes longer to write"));
}

INSTANTIATE_TEST_SUITE_P(Versions, KafkaOutage, ::testing::Values("3.9.1", "4.1.1"), version_name);

TEST_P(KafkaOutage, every_transaction_arrives_whole_and_once_though_the_broker_is_killed_in_the_middle) {
  auto to = opened();
  constexpr std::uint64_t kTransactions = 40;
  std::uint64_t kills = 0;
  for (std::uint64_t sequence = 1; sequence <= kTransactions;) {
    Rows rows(orders());
    for (std::int64_t i = 0; i < 3; ++i) rows.insert(static_cast<std::int64_t>(sequence) * 10 + i, "x");
    auto done = write(*to, rows, std::to_string(sequence));
    if (sequence % 15 == 5 && kills == sequence / 15) {
      ++kills;
      broker().kill9();
      ASSERT_OK(broker().restart());
    }
    if (done.ok()) done = commit(*to, sequence);
    if (done.ok()) {
      ++sequence;
      continue;
    }
    ASSERT_NE(done.error().recovery, Recovery::halt) << done.error().message;
    to->rollback();
    Destination::Opened again;
    to = opened(&again);
    sequence = again.checkpoint.sequence.value + 1;
  }
  EXPECT_EQ(kills, 3U);
  std::vector<std::string> expected;
  for (std::uint64_t sequence = 1; sequence <= kTransactions; ++sequence) {
    for (int i = 0; i < 3; ++i) expected.push_back(std::to_string(sequence) + "/" + std::to_string(i));
  }
  std::vector<std::string> seen;
  for (const auto& record : records()) seen.push_back(record.header("maia.op_id"));
  EXPECT_EQ(seen, expected);
}

TEST(TopicNames, are_made_of_the_template_and_of_characters_that_kafka_takes) {
  TopicNames names("{pipeline}.{schema}.{table}", "shop");
  EXPECT_EQ(names.of({"public", "orders"}).value(), "shop.public.orders");
  EXPECT_EQ(names.of({"", "orders"}).value(), "shop.orders");
  EXPECT_EQ(names.of({"public", "süß"}).value(), "shop.public.s____");
  const auto clash = names.of({"public", "s\\___"});
  ASSERT_FALSE(clash.ok());
  EXPECT_THAT(clash.error().message, HasSubstr("would both be shop.public.s____"));
  TopicNames one("all", "shop");
  EXPECT_EQ(one.of({"public", "a"}).value(), one.of({"public", "b"}).value());
  EXPECT_FALSE(TopicNames(std::string(250, 'x'), "shop").of({"", "a"}).ok());
}

TEST(CheckpointReader, refuses_what_is_none_of_ours) {
  SavedCheckpoint saved;
  saved.pipeline = "shop";
  const auto record = checkpoint_records(saved, {.sequence = {1}, .position = {"p"}, .facts = {}}).back();
  ASSERT_TRUE(CheckpointReader().apply(record.key, *record.value).ok());
  EXPECT_FALSE(CheckpointReader().apply("other", *record.value).ok());
  EXPECT_FALSE(CheckpointReader().apply(record.key, std::nullopt).ok());
  for (std::size_t length = 0; length < record.value->size(); ++length) {
    EXPECT_FALSE(CheckpointReader().apply(record.key, record.value->substr(0, length)).ok()) << length;
  }
}

}  // namespace
}  // namespace maia::kafka
