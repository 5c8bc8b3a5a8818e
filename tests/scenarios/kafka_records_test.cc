// SPDX-License-Identifier: Apache-2.0
// PostgreSQL into Kafka in its other forms, while the table changes its shape and a row is too large: what a
// reader makes of the records is the source.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <map>
#include <set>

#include "maia/testing/compare.h"
#include "maia/testing/kafka_broker.h"
#include "maia/testing/kafka_session.h"
#include "maia/testing/postgres_server.h"
#include "maia/testing/schema_registry.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using simdjson::dom::element;
using ::testing::HasSubstr;

class KafkaRecords : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    execute(
        "create table orders (id bigint primary key, note text, amount numeric(10,2));"
        "insert into orders select i, 'row ' || i, i / 4.0 from generate_series(1, 200) i");
  }
  void execute(const std::string& sql) {
    const auto executed = source->execute(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  void mirror(const std::string& topic, const std::string& more) {
    auto made = Mirror::make(
        fmt::format("type: postgres\nurl: {}\ntables: [orders]\n", source->uri()),
        fmt::format(
            "type: kafka\nbrokers: [\"{}\"]\ntopic: {}\ntransactional_id: {}\nmax_record_size: 20000\n{}",
            testing::shared_kafka().address(), topic, topic, more));
    ASSERT_TRUE(made.ok()) << made.error().message;
    maia.emplace(std::move(*made));
  }
  std::vector<testing::KafkaRecord> records(const std::string& topic) {
    auto records = testing::KafkaSession(testing::shared_kafka().address()).committed(topic);
    EXPECT_TRUE(records.ok()) << records.error().message;
    return records.ok() ? std::move(*records) : std::vector<testing::KafkaRecord>();
  }
  void catch_up(int code = 0) {
    const auto ended =
        maia->command({"run", maia->file(), "--state", maia->state(), "--until-caught-up"}, code);
    ASSERT_TRUE(ended.ok()) << ended.error().message;
  }
  /// All kinds of changes, with a change of shape among them.
  void work() {
    execute(
        "begin; update orders set note = note || '!' where id % 3 = 0; delete from orders where id % 7 = 0; "
        "alter table orders add column state text not null default 'new'; insert into orders values (500, "
        "'with a state', 1, 'sent'); update orders set id = id + 1000 where id = 5; commit; "
        "alter table orders drop column amount; update orders set state = 'late' where id % 10 = 1");
  }
  /// "note state" of each row.
  std::map<std::string, std::string> rows() {
    std::map<std::string, std::string> rows;
    for (const auto& row : source->query("select id::text, note || ' ' || state from orders").value())
      rows[*row[0]] = *row[1];
    return rows;
  }
  /// The same of the images that a reader has seen last. Numbers may be written as texts.
  static void fold(std::map<std::string, std::string>& rows, element envelope) {
    const auto text = [](element image, const char* name, const char* otherwise) {
      element value;
      if (image[name].get(value) != simdjson::SUCCESS) return std::string(otherwise);
      return value.is_string() ? std::string(std::string_view(value)) : simdjson::minify(value);
    };
    element image;
    if (envelope["before"].get(image) == simdjson::SUCCESS && image.is_object())
      rows.erase(text(image, "id", ""));
    if (envelope["after"].get(image) == simdjson::SUCCESS && image.is_object())
      rows[text(image, "id", "")] = text(image, "note", "") + " " + text(image, "state", "new");
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::optional<Mirror> maia;
};

TEST_F(KafkaRecords, cloud_events_are_whole_and_a_row_that_is_too_large_waits_as_a_dead_letter) {
  mirror("events", "format: cloudevents\n");
  ASSERT_NO_FATAL_FAILURE(catch_up());
  work();
  execute(
      "begin; insert into orders values (600, 'before it', 's'), (601, repeat('large', 6000), 's'), (602, "
      "'after it', 's'); commit");
  ASSERT_NO_FATAL_FAILURE(catch_up(4));
  const auto letters = maia->command({"dlq", "show", "1", "--state", maia->state()});
  ASSERT_TRUE(letters.ok()) << letters.error().message;
  EXPECT_THAT(*letters, HasSubstr("the row id=601 of public.orders is"));
  const auto edited = maia->command({"dlq", "edit", "1", "--set", "note=small", "--state", maia->state()});
  ASSERT_TRUE(edited.ok()) << edited.error().message;
  execute("update orders set note = 'small' where id = 601");
  ASSERT_TRUE(maia->start().ok());
  const auto replayed = maia->await({"dlq", "replay", "--all", "--state", maia->state()}, "replayed");
  ASSERT_TRUE(replayed.ok()) << replayed.error().message;
  EXPECT_EQ(maia->stop(), 0) << maia->log_tail();
  ASSERT_NO_FATAL_FAILURE(catch_up());
  std::map<std::string, std::string> folded;
  std::set<std::string> ids;
  simdjson::dom::parser parser;
  for (const auto& record : records("events")) {
    if (!record.value) continue;
    const element event = parser.parse(*record.value);
    EXPECT_EQ(std::string_view(event["specversion"]), "1.0");
    EXPECT_EQ(std::string_view(event["subject"]), "public.orders");
    EXPECT_THAT(std::string(std::string_view(event["type"])), ::testing::StartsWith("maia.row."));
    EXPECT_EQ(record.header("content-type"), "application/cloudevents+json; charset=UTF-8");
    // The two halves of a key that moved are of one change.
    if (std::string_view(event["type"]) != "maia.row.deleted") {
      EXPECT_TRUE(ids.insert(std::string(std::string_view(event["id"]))).second) << *record.value;
    }
    fold(folded, event["data"]);
  }
  EXPECT_EQ(folded, rows());
}

TEST_F(KafkaRecords, protobuf_is_read_with_the_registrys_schemas_before_and_after_a_change_of_shape) {
  const testing::SchemaRegistry registry;
  mirror("protobuf", fmt::format("encoding: protobuf\nregistry: {{url: \"{}\"}}\n", registry.url()));
  ASSERT_NO_FATAL_FAILURE(catch_up());
  work();
  ASSERT_NO_FATAL_FAILURE(catch_up());
  EXPECT_THAT(registry.subjects(), ::testing::ElementsAre("protobuf-key", "protobuf-value"));
  std::map<std::string, std::string> folded;
  simdjson::dom::parser parser;
  for (const auto& record : records("protobuf")) {
    const auto key = registry.decoded(record.key.value_or(""));
    ASSERT_TRUE(key.ok()) << key.error().message;
    if (!record.value) continue;
    const auto value = registry.decoded(*record.value);
    ASSERT_TRUE(value.ok()) << value.error().message;
    const element envelope = parser.parse(*value);
    EXPECT_EQ(std::string_view(envelope["source"]["table"]), "orders");
    fold(folded, envelope);
  }
  EXPECT_EQ(folded, rows());
}

/// A table of many types through a topic and back: only what Protocol Buffers have no type for is declared.
TEST_F(KafkaRecords, protobuf_becomes_the_same_table_again) {
  const testing::SchemaRegistry registry;
  execute(
      "drop table orders; create table orders (id bigint primary key, b boolean, i2 smallint, i4 int, f4 "
      "real, "
      "f8 double precision, n numeric(12,2), note text, d date, t time, ts timestamp, tz timestamptz, u "
      "uuid, j "
      "jsonb, raw bytea);"
      "insert into orders select i, i % 2 = 0, i, -i, i / 3.0, 1e300 / i, i / 7.0, 'row ' || i, "
      "'1969-12-25'::date "
      "+ i, '23:59:59.999999'::time - i * interval '1 minute', '1969-12-31 23:59:59.999999'::timestamp + i * "
      "interval '1 day', '2026-11-25 00:00:00+02'::timestamptz - i * interval '1 year', md5(i::text)::uuid, "
      "jsonb_build_object('i', i, 'list', array[i, null]), decode(md5(i::text), 'hex') from "
      "generate_series(1, "
      "300) i; insert into orders (id, note) values (1000, ''), (1001, repeat('long', 3000))");
  mirror("typed", fmt::format("encoding: protobuf\nregistry: {{url: \"{}\"}}\n", registry.url()));
  ASSERT_NO_FATAL_FAILURE(catch_up());
  auto started = testing::PostgresServer::start();
  ASSERT_TRUE(started.ok()) << started.error().message;
  auto back = Mirror::with_file(
      fmt::format("name: back\nsource: {{type: kafka, brokers: ['{}'], topics: [typed], registry: {{url: "
                  "'{}'}}, declare: "
                  "{{typed: {{columns: {{i2: int16, n: 'decimal(12,2)', d: date, t: time-micros, ts: "
                  "local-timestamp-micros, tz: timestamp-micros, u: uuid, j: json}}}}}}}}\ndestination: "
                  "{{type: postgres, url: "
                  "'{}'}}\n",
                  testing::shared_kafka().address(), registry.url(), (*started)->uri()));
  ASSERT_TRUE(back.ok()) << back.error().message;
  const auto begun = back->catch_up();
  ASSERT_TRUE(begun.ok()) << begun.error().message;
  execute(
      "update orders set note = null, d = null where id % 5 = 0; update orders set i4 = 7 where id >= 1000; "
      "delete from orders where id % 7 = 0; update orders set id = id + 5000 where id < 20; alter table "
      "orders "
      "add column more bigint; update orders set more = id, tz = 'infinity', d = '-infinity' where id % 11 = "
      "0");
  ASSERT_NO_FATAL_FAILURE(catch_up());
  const auto ended = back->catch_up();
  ASSERT_TRUE(ended.ok()) << ended.error().message;
  auto left = testing::compared_postgres(source->uri());
  auto right = testing::compared_postgres((*started)->uri());
  ASSERT_TRUE(left.ok() && right.ok());
  const testing::ComparedTable table{"public", "orders"};
  const auto compared = testing::compare(**left, **right, {.left = table, .right = table, .except = {}});
  ASSERT_TRUE(compared.ok()) << compared.error().message;
  EXPECT_TRUE(compared->equal()) << compared->report();
}

}  // namespace
}  // namespace maia::tests
