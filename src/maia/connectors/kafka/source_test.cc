// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/source.h"

#include <gmock/gmock.h>

#include <chrono>

#include "maia/connectors/kafka/avro_encoder.h"
#include "maia/connectors/kafka/destination.h"
#include "maia/testing/kafka_broker.h"
#include "maia/testing/kafka_session.h"
#include "maia/testing/must.h"
#include "maia/testing/schema_registry.h"
#include "maia/types/value_text.h"

namespace maia::kafka {
namespace {

using maia::testing::KafkaRecord;
using maia::testing::KafkaSession;
using maia::testing::must;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

KafkaRecord record(std::string key, std::optional<std::string> value, std::int32_t partition = 0) {
  KafkaRecord out;
  out.partition = partition;
  if (!key.empty()) out.key = std::move(key);
  out.value = std::move(value);
  return out;
}

/// What a destination would hold: each row as "column=value ..." without its nulls, by its key, or in the
/// order in which they came where there is none.
class Rows {
 public:
  void apply(const Window& window) {
    for (const auto& item : window.items) {
      if (const auto* batch = std::get_if<Batch>(&item)) {
        for (std::size_t row = 0; row < batch->rows(); ++row) apply(*batch, row);
      } else if (const auto* truncate = std::get_if<Truncate>(&item)) {
        for (const auto& table : truncate->tables) tables_[to_string(table->name)].clear();
      } else {
        shapes[to_string(std::get<SchemaChange>(item).after->name)] = std::get<SchemaChange>(item).after;
      }
    }
  }
  std::vector<std::string> of(const std::string& table) const {
    std::vector<std::string> out;
    const auto found = tables_.find(table);
    if (found == tables_.end()) return out;
    for (const auto& [key, row] : found->second) {
      std::string text;
      for (const auto& [column, value] : row) {
        if (value != "null") text += (text.empty() ? "" : " ") + column + "=" + value;
      }
      out.push_back(text);
    }
    return out;
  }
  std::map<std::string, SchemaRef> shapes;
  std::size_t changes = 0;

 private:
  using Row = std::map<std::string, std::string>;
  static std::string text(const Batch& batch, std::size_t column, const ColumnVector& values,
                          std::size_t row) {
    if (!values.has_value(row)) return "null";
    std::string out;
    append_value_text(out, batch.schema()->columns[column].type, values, row);
    return out;
  }
  void apply(const Batch& batch, std::size_t row) {
    ++changes;
    auto& table = tables_[to_string(batch.schema()->name)];
    std::string old_key, new_key;
    for (const auto i : batch.schema()->key()) {
      old_key += text(batch, i, batch.old_key(i, row), row) + ",";
      if (batch.op(row) != Op::remove) new_key += text(batch, i, batch.after(i), row) + ",";
    }
    if (old_key.empty()) new_key = std::to_string(1000 + changes);
    Row values = table.contains(old_key) ? table[old_key] : Row();
    table.erase(old_key);
    if (batch.op(row) == Op::remove) return;
    for (std::size_t i = 0; i < batch.columns(); ++i) {
      if (batch.after(i).presence(row) == Presence::unchanged) continue;
      values[batch.schema()->columns[i].name] = text(batch, i, batch.after(i), row);
    }
    table[new_key] = values;
  }
  std::map<std::string, std::map<std::string, Row>> tables_;
};

class KafkaSourceTest : public ::testing::TestWithParam<const char*> {
 protected:
  KafkaSourceTest() {
    topic_ = topic_text(::testing::UnitTest::GetInstance()->current_test_info()->name()).substr(0, 90);
    config_.connection.brokers = {broker().address()};
    config_.topics = {topic_};
    config_.look_every = milliseconds(200);
  }
  virtual maia::testing::KafkaBroker& broker() { return maia::testing::shared_kafka(GetParam()); }
  KafkaSession session() { return KafkaSession(broker().address()); }
  void make_topic(int partitions = 1, const std::map<std::string, std::string>& settings = {}) {
    must(session().make_topic(topic_, partitions, settings));
  }
  void append(const std::vector<KafkaRecord>& records) { must(session().append(topic_, records)); }

  /// As the engine does it: from where the last one ended.
  void open() {
    stream_.reset();
    if (!source_) source_ = std::make_unique<KafkaSource>(config_);
    if (position_.empty()) position_ = must(source_->prepare(std::nullopt)).from;
    stream_ = must(source_->stream(position_, known_));
  }
  void close() {
    stream_.reset();
    source_.reset();
    known_.clear();
    for (const auto& [name, shape] : rows_.shapes) known_.push_back(shape);
  }
  /// One step of the stream; the error if it has failed.
  std::optional<Error> step() {
    auto event = stream_->next(milliseconds(100), {});
    if (!event.ok()) return std::move(event).error();
    if (!event->has_value()) return std::nullopt;
    if (const auto* changes = std::get_if<StreamEvent::Changes>(&(*event)->what)) {
      EXPECT_TRUE(source_->compare(position_, changes->window.end) < 0);
      rows_.apply(changes->window);
      ends_.push_back(changes->window.end);
      position_ = changes->window.end;
    } else {
      position_ = std::get<StreamEvent::Idle>((*event)->what).position;
    }
    return std::nullopt;
  }
  /// Reads everything that is committed now.
  void read_all() {
    if (!stream_) open();
    const auto end = must(source_->end());
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!(source_->compare(position_, end) >= 0)) {
      const auto error = step();
      ASSERT_FALSE(error) << error->message;
      ASSERT_LT(std::chrono::steady_clock::now(), until)
          << source_->describe(position_) << " but the end is " << source_->describe(end);
    }
  }
  /// Goes on until the stream fails.
  Error failure() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < until) {
      if (auto error = step()) return *error;
    }
    return Error{.code = Error::Code::internal, .message = "it did not fail"};
  }

  std::string topic_;
  SourceConfig config_;
  std::unique_ptr<KafkaSource> source_;
  std::unique_ptr<Stream> stream_;
  std::vector<SchemaRef> known_;
  Position position_;
  std::vector<Position> ends_;
  Rows rows_;
};
INSTANTIATE_TEST_SUITE_P(Kafka4, KafkaSourceTest, ::testing::Values("4.1.1"));
class BothKafkas : public KafkaSourceTest {};
INSTANTIATE_TEST_SUITE_P(Versions, BothKafkas, ::testing::Values("3.9.1", "4.1.1"), [](const auto& each) {
  return each.param[0] == '3' ? std::string("kafka3") : std::string("kafka4");
});

std::string envelope(const std::string& op, const std::string& before, const std::string& after,
                     const std::string& transaction = "") {
  return R"({"before":)" + before + R"(,"after":)" + after +
         R"(,"source":{"ts_ms":5000,"db":"d","schema":"public","table":"orders"},"op":")" + op +
         R"(","ts_ms":6000,"transaction":)" +
         (transaction.empty() ? "null" : R"({"id":")" + transaction + R"(","total_order":1})") + "}";
}

TEST_P(BothKafkas, envelopes_become_rows_and_an_interrupted_reading_goes_on_where_it_was) {
  make_topic(3);
  append({record(R"({"id":1})", envelope("r", "null", R"({"id":1,"note":"a"})")),
          record(R"({"id":2})", envelope("c", "null", R"({"id":2,"note":null,"more":{"x":[1]}})")),
          record(R"({"id":3})", envelope("c", "null", R"({"id":3,"note":"c"})"), 1)});
  read_all();
  const auto reached = rows_.changes;
  EXPECT_EQ(reached, 3U);
  close();
  append({record(R"({"id":1})", envelope("u", "null", R"({"id":1,"note":"__debezium_unavailable_value"})")),
          record(R"({"id":2})", envelope("d", R"({"id":2})", "null")), record(R"({"id":2})", std::nullopt),
          record(R"({"id":4})", envelope("c", "null", R"({"id":4,"note":"late"})"), 2)});
  read_all();
  EXPECT_EQ(rows_.changes, reached + 3) << "the tombstone behind a deletion says nothing new";
  EXPECT_THAT(rows_.of("public.orders"), ElementsAre("id=1 note=a", "id=3 note=c", "id=4 note=late"));
  EXPECT_EQ(rows_.shapes.at("public.orders")->columns[2].type.id, TypeId::json);
}

TEST_P(KafkaSourceTest, plain_rows_have_the_key_and_types_that_are_declared) {
  make_topic();
  config_.declare[topic_] = {.key = {"id"}, .columns = {{"total", "decimal(10,2)"}, {"at", "timestamp_tz"}}};
  append({record("7", R"({"total":"12.50","at":"2026-11-23T22:29:50.5Z","n":1})"),
          record("8", R"({"total":3,"at":null,"n":2.5})"), record("8", R"({"total":"4","n":"many"})"),
          record("9", R"({"total":1})"), record("9", std::nullopt)});
  read_all();
  EXPECT_THAT(rows_.of(topic_),
              ElementsAre("at=2026-11-23 22:29:50.5+00 id=7 n=1 total=12.50", "id=8 n=many total=4.00"));
}

TEST_P(KafkaSourceTest, numbers_count_what_is_declared) {
  make_topic();
  config_.declare[topic_].columns = {{"day", "io.debezium.time.Date"},
                                     {"at", "io.debezium.time.Timestamp"},
                                     {"seen", "timestamp-micros"},
                                     {"noon", "io.debezium.time.NanoTime"},
                                     {"text", "date"}};
  append(
      {record(R"({"id":1})", R"({"day":20780,"at":-1,"seen":1,"noon":43200000000999,"text":"2026-11-23"})"),
       record(R"({"id":2})", R"({"day":null,"at":0,"seen":null,"noon":0,"text":20780})")});
  read_all();
  EXPECT_THAT(rows_.of(topic_),
              ElementsAre("at=1969-12-31 23:59:59.999 day=2026-11-23 id=1 noon=12:00:00 seen=1970-01-01 "
                          "00:00:00.000001+00 text=2026-11-23",
                          "at=1970-01-01 00:00:00 id=2 noon=00:00:00 text=2026-11-23"));
}

TEST_P(KafkaSourceTest, a_schema_part_says_the_types) {
  make_topic();
  const auto field = [](std::string name, std::string type, std::string meaning, std::string more = "") {
    return R"({"type":")" + type + R"(","optional":true,"field":")" + name + "\"" +
           (meaning.empty() ? "" : R"(,"name":")" + meaning + "\"") + more + "}";
  };
  const auto schema = R"({"type":"struct","fields":[)" + field("id", "int32", "") + "," +
                      field("day", "int32", "io.debezium.time.Date") + "," +
                      field("at", "int64", "io.debezium.time.MicroTimestamp") + "," +
                      field("price", "bytes", "org.apache.kafka.connect.data.Decimal",
                            R"(,"parameters":{"scale":"2","connect.decimal.precision":"10"})") +
                      "," + field("who", "string", "io.debezium.data.Uuid") + "," +
                      field("raw", "bytes", "") + "]}";
  append(
      {record(R"({"schema":{"type":"struct","fields":[{"type":"int32","field":"id"}]},"payload":{"id":1}})",
              R"({"schema":)" + schema +
                  R"(,"payload":{"id":1,"day":20780,"at":-1,"price":"+x4=",)"
                  R"("who":"00112233-4455-6677-8899-aabbccddeeff","raw":"AAE="}})")});
  read_all();
  const auto shape = rows_.shapes.begin()->second;
  std::string types;
  for (const auto& column : shape->columns) types += column.name + ":" + to_string(column.type) + " ";
  EXPECT_EQ(types, "id:int32 day:date at:timestamp price:decimal(10,2) who:uuid raw:bytes ");
  EXPECT_THAT(rows_.of(to_string(shape->name)),
              ElementsAre("at=1969-12-31 23:59:59.999999 day=2026-11-23 id=1 price=-12.50 raw=\\x0001 "
                          "who=00112233-4455-6677-8899-aabbccddeeff"));
}

TEST_P(KafkaSourceTest, partitions_and_topics_that_are_added_are_read_from_their_beginning) {
  make_topic();
  config_.topics = {topic_ + "*"};
  append({record(R"({"id":1})", R"({"id":1})")});
  read_all();
  must(session().add_partitions(topic_, 2));
  append({record(R"({"id":2})", R"({"id":2})", 1)});
  must(session().make_topic(topic_ + ".more"));
  must(session().append(topic_ + ".more", {record(R"({"id":3})", R"({"id":3})")}));
  read_all();
  EXPECT_EQ(rows_.changes, 3U);
  EXPECT_EQ(rows_.shapes.size(), 2U);
  close();
  append({record(R"({"id":4})", R"({"id":4})", 1)});
  read_all();
  EXPECT_EQ(rows_.changes, 4U);
}

TEST_P(KafkaSourceTest, what_was_taken_back_does_not_arrive_and_one_transaction_stays_in_one_piece) {
  DestinationConfig to;
  to.connection = config_.connection;
  to.topic = topic_;
  KafkaDestination destination(to, topic_, 0, system_clock());
  must(destination.open(topic_));
  auto shape = std::make_shared<TableSchema>();
  shape->name = {"public", "orders"};
  shape->columns = {{.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true}};
  const SchemaRef schema = shape;
  const TableTarget target{.name = schema->name, .schema = schema, .key = {0}};
  std::int64_t next = 0;
  const auto write = [&](int transactions, int rows, bool commit) {
    must(destination.begin());
    must(destination.prepare(target));
    for (int t = 0; t < transactions; ++t) {
      Batch batch(schema);
      const Transaction transaction{.position = {std::to_string(next)}, .id = std::to_string(next)};
      for (int row = 0; row < rows; ++row) {
        batch.begin_row(Op::insert, static_cast<std::uint64_t>(row));
        batch.mutable_after(0).push_fixed(next++);
        batch.finish_row();
      }
      const Delivery delivery{.target = &target, .batch = &batch, .transactions = {&transaction, 1}};
      must(destination.write({&delivery, 1}));
    }
    if (commit) return must(destination.commit({.sequence = {1}, .position = {"p"}, .facts = {}}));
    must(session().await_open_transaction(topic_, std::chrono::seconds(30)));
    destination.rollback();
  };
  write(1, 3, true);
  write(1, 3000, false);
  // Many more than come in one answer of the broker, so that they arrive in several pieces.
  write(1, 20'000, true);
  config_.topics = {topic_};
  open();
  std::size_t seen = 0;
  while (seen < 20'003) {
    ASSERT_FALSE(step());
    EXPECT_TRUE(rows_.changes == 0 || rows_.changes == 3 || rows_.changes == 20'003) << rows_.changes;
    seen = rows_.changes;
  }
  read_all();
  EXPECT_EQ(rows_.changes, 20'003U);
  destination.rollback();
}

TEST_P(KafkaSourceTest, a_record_that_cannot_be_understood_stops_by_name_or_is_kept) {
  make_topic();
  append({record(R"({"id":1})", R"({"id":1})"), record(R"({"id":2})", "{no json"),
          record(R"({"id":3})", R"({"id":3})")});
  open();
  EXPECT_THAT(failure().message, AllOf(HasSubstr(topic_ + "[0] at 1"), HasSubstr("no JSON")));
  EXPECT_EQ(rows_.changes, 1U) << "what came before it is yielded first";
  config_.unreadable = Unreadable::keep;
  close();
  read_all();
  EXPECT_EQ(rows_.changes, 3U);
  EXPECT_THAT(rows_.of("kafka_unreadable"),
              ElementsAre(AllOf(HasSubstr("offset_in_it=1"), HasSubstr("no JSON"))));
}

TEST_P(KafkaSourceTest, what_stopped_goes_on_in_its_place_once_it_is_declared_what_it_is) {
  make_topic();
  config_.declare[topic_].columns = {{"n", "int32"}};
  append({record(R"({"id":1})", R"({"id":1,"n":1})"), record(R"({"id":2})", R"({"id":2,"n":"many"})"),
          record(R"({"id":2})", R"({"id":2,"n":3})")});
  open();
  EXPECT_THAT(failure().message, AllOf(HasSubstr(topic_ + "[0] at 1"), HasSubstr("column n")));
  config_.declare[topic_].columns = {{"n", "string"}};
  close();
  read_all();
  EXPECT_EQ(rows_.changes, 3U);
  EXPECT_THAT(rows_.of(topic_), ElementsAre("id=1 n=1", "id=2 n=3"));
}

TEST_P(KafkaSourceTest, records_that_expired_before_they_were_read_are_lost_history) {
  make_topic();
  append({record(R"({"id":1})", R"({"id":1})")});
  read_all();
  append({record(R"({"id":2})", R"({"id":2})"), record(R"({"id":3})", R"({"id":3})")});
  stream_.reset();
  must(session().remove_before(topic_, 0, 2));
  const auto prepared = source_->prepare(position_);
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().code, Error::Code::lost_history);
  EXPECT_EQ(prepared.error().reason, "records_expired");
  EXPECT_THAT(prepared.error().message, HasSubstr(topic_ + "[0] begins at 2"));
}

TEST_P(KafkaSourceTest, a_topic_that_was_made_again_or_is_gone_is_lost_history_under_a_running_stream) {
  make_topic();
  append({record(R"({"id":1})", R"({"id":1})")});
  read_all();
  must(session().remove_topic(topic_));
  auto error = failure();
  EXPECT_EQ(error.reason, "topic_deleted") << error.message;
  make_topic();
  append({record(R"({"id":1})", R"({"id":1})"), record(R"({"id":2})", R"({"id":2})")});
  const auto again = source_->prepare(position_);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().reason, "topic_recreated") << again.error().message;
}

TEST_P(KafkaSourceTest, another_cluster_is_lost_history_by_name) {
  make_topic();
  read_all();
  auto place = must(LogPlace::parse(position_));
  place.cluster = "another";
  const auto prepared = source_->prepare(place.position());
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().reason, "other_server");
}

TEST_P(KafkaSourceTest, a_reading_that_begins_again_comes_by_every_place_that_something_refers_to) {
  make_topic(2);
  std::vector<KafkaRecord> some;
  for (int i = 0; i < 40; ++i)
    some.push_back(
        record(R"({"id":)" + std::to_string(i) + "}", R"({"id":)" + std::to_string(i) + "}", i % 2));
  append(some);
  open();
  const auto first = position_;
  // As another run may have read: all of one partition first, then some of the other.
  auto one = must(LogPlace::parse(first));
  one.topics.at(topic_).offsets = {20, 0};
  auto two = one;
  two.topics.at(topic_).offsets = {20, 7};
  close();
  source_ = std::make_unique<KafkaSource>(config_);
  for (const auto& place : {two, one}) must(source_->prepare(place.position()));
  must(source_->prepare(first));
  ends_.clear();
  read_all();
  EXPECT_EQ(rows_.changes, 40U);
  for (const auto& place : {one.position(), two.position()}) {
    EXPECT_THAT(ends_, ::testing::Contains(place));
    for (const auto& end : ends_)
      EXPECT_NE(source_->compare(end, place), std::partial_ordering::unordered) << source_->describe(end);
  }
}

TEST_P(KafkaSourceTest, it_starts_at_the_end_or_at_a_time_if_that_is_wanted) {
  make_topic();
  append({record(R"({"id":1})", R"({"id":1})")});
  config_.start = "latest";
  open();
  append({record(R"({"id":2})", R"({"id":2})")});
  read_all();
  EXPECT_EQ(rows_.changes, 1U);
  close();
  config_.start = "2001-01-01 00:00:00Z";
  position_ = {};
  read_all();
  EXPECT_EQ(rows_.changes, 3U);
}

TEST_P(KafkaSourceTest, topics_are_offered_as_the_tables_that_their_newest_records_show) {
  make_topic();
  append({record(R"({"id":1})", envelope("c", "null", R"({"id":1,"note":"a"})"))});
  KafkaSource source(config_);
  const auto tables = must(source.tables());
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(to_string(tables[0].schema->name), "public.orders");
  EXPECT_EQ(tables[0].schema->columns.size(), 2U);
  EXPECT_TRUE(tables[0].schema->columns[0].in_key);
  config_.topics = {"none.such"};
  const auto none = KafkaSource(config_).tables();
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, HasSubstr("no topic"));
}

TEST_P(KafkaSourceTest, avro_is_read_with_the_schema_that_it_was_written_with) {
  maia::testing::SchemaRegistry registry;
  make_topic();
  config_.registry.url = registry.url();
  auto shape = std::make_shared<TableSchema>();
  shape->name = {"public", "wide"};
  const std::pair<const char*, Type> columns[] = {
      {"id", Type::of(TypeId::int64)},        {"b", Type::of(TypeId::boolean)},
      {"f", Type::of(TypeId::float64)},       {"d", Type::of(TypeId::date)},
      {"t", Type::of(TypeId::time)},          {"ts", Type::of(TypeId::timestamp)},
      {"tz", Type::of(TypeId::timestamp_tz)}, {"u", Type::of(TypeId::uuid)},
      {"raw", Type::of(TypeId::bytes)}};
  for (const auto& [name, type] : columns) shape->columns.push_back({.name = name, .type = type});
  shape->columns[0].in_key = true;
  const SchemaRef schema = shape;
  const char* texts[] = {"7",
                         "t",
                         "-0.5",
                         "2026-11-23",
                         "24:00:00",
                         "1969-12-31 23:59:59.999999",
                         "2026-11-23 00:00:00+00",
                         "00112233-4455-6677-8899-aabbccddeeff",
                         "\\x00ff"};
  Batch batch(schema);
  batch.begin_row(Op::update, 0);
  for (std::size_t i = 0; i < 9; ++i)
    must(push_value_text(batch.mutable_after(i), schema->columns[i].type, texts[i]));
  batch.finish_row();
  AvroEncoder encoder(Format::debezium, "shop", {.url = registry.url()}, std::chrono::seconds(30));
  const TableTarget target{.name = schema->name, .schema = schema, .key = {0}};
  const Transaction transaction{.position = {"P"}, .id = "7"};
  append({record(must(encoder.key(topic_, target, batch, 0, KeyImage::after)),
                 must(encoder.value(topic_, target, batch, 0, transaction, 1)))});
  read_all();
  std::string types;
  for (const auto& column : rows_.shapes.at("public.wide")->columns) types += to_string(column.type) + " ";
  EXPECT_EQ(types, "int64 boolean float64 date time timestamp timestamp_tz uuid bytes ");
  EXPECT_THAT(rows_.of("public.wide"),
              ElementsAre("b=t d=2026-11-23 f=-0.5 id=7 raw=\\x00ff t=24:00:00 ts=1969-12-31 23:59:59.999999 "
                          "tz=2026-11-23 00:00:00+00 u=00112233-4455-6677-8899-aabbccddeeff"));
}

}  // namespace
}  // namespace maia::kafka
