// SPDX-License-Identifier: Apache-2.0
#include "maia/codec/json_writer.h"

#include <gmock/gmock.h>
#include <simdjson.h>

#include "maia/base/version.h"

namespace maia::codec {
namespace {

using simdjson::dom::element;

constexpr WallMicros kCommitted = 1'700'000'000'123'456;
constexpr WallMicros kWritten = 1'700'000'001'000'000;

SchemaRef orders() {
  auto schema = std::make_shared<TableSchema>();
  schema->name = {"public", "orders"};
  schema->columns = {{.name = "id", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true},
                     {.name = "total", .type = Type::decimal(10, 2)},
                     {.name = "no\"te", .type = Type::text()}};
  return schema;
}

const Transaction kTransaction{
    .position = {"P/10"}, .id = "743", .committed_at = kCommitted, .first_ordinal = 100};

/// Parses what the writer gives for one row; checks that it is one line of valid JSON.
class JsonWriterTest : public testing::Test {
 protected:
  element row(const Batch& batch, std::size_t row, JsonForm form = JsonForm::debezium,
              const Transaction& transaction = kTransaction) {
    const JsonWriter writer(form, {"postgres", "shop", "shopdb"}, orders()->name, *orders());
    json_.clear();
    writer.append_row(json_, batch, row, transaction, kWritten);
    return parsed();
  }
  element parsed() {
    EXPECT_EQ(json_.find('\n'), json_.npos);
    element document;
    EXPECT_EQ(parser_.parse(json_).get(document), simdjson::SUCCESS) << json_;
    return document;
  }
  static std::string text(element object, std::string_view pointer) {
    return simdjson::minify(object.at_pointer(pointer));
  }

  std::string json_;
  simdjson::dom::parser parser_;
};

Batch one_insert(Op op = Op::insert) {
  Batch batch(orders());
  batch.begin_row(op, 102);
  batch.mutable_after(0).push_fixed(std::int32_t{7});
  batch.mutable_after(1).push_fixed(int128{1250});
  batch.mutable_after(2).push_null();
  batch.finish_row();
  return batch;
}

TEST_F(JsonWriterTest, an_insert_has_the_whole_envelope) {
  row(one_insert(), 0);
  EXPECT_EQ(
      json_,
      R"({"before":null,"after":{"id":7,"total":"12.50","no\"te":null},"source":{"version":"0.1.0",)"
      R"("connector":"postgres","name":"shop","ts_ms":1700000000123,"ts_us":1700000000123456,)"
      R"("ts_ns":1700000000123456000,"snapshot":"false","db":"shopdb","sequence":null,"schema":"public",)"
      R"("table":"orders","txId":743,"position":"P/10"},"op":"c","ts_ms":1700000001000,)"
      R"("ts_us":1700000001000000,"ts_ns":1700000001000000000,"transaction":{"id":"743","total_order":3},)"
      R"("maia":{"operation":"P/10/2"}})");
}

TEST_F(JsonWriterTest, a_row_of_a_snapshot_is_read_outside_any_transaction) {
  const auto change = row(one_insert(Op::read), 0, JsonForm::debezium,
                          {.position = {"P/9"}, .id = "snapshot", .committed_at = kCommitted});
  EXPECT_EQ(text(change, "/op"), "\"r\"");
  EXPECT_EQ(text(change, "/source/snapshot"), "\"true\"");
  EXPECT_EQ(text(change, "/source/txId"), "null");
  EXPECT_EQ(text(change, "/source/position"), "\"P/9\"");
  EXPECT_EQ(text(change, "/transaction"), "null");
  EXPECT_EQ(text(change, "/maia/operation"), "\"P/9/102\"");
}

TEST_F(JsonWriterTest, an_update_marks_values_that_were_not_sent) {
  Batch batch(orders());
  batch.begin_row(Op::update, 100);
  batch.mutable_after(0).push_fixed(std::int32_t{7});
  batch.mutable_after(1).push_fixed(int128{1});
  batch.mutable_after(2).push_unchanged();
  batch.finish_row();
  const auto change = row(batch, 0);
  EXPECT_EQ(text(change, "/before"), "null");
  EXPECT_EQ(text(change, "/after"), R"({"id":7,"total":"0.01","no\"te":"__debezium_unavailable_value"})");
  EXPECT_EQ(text(change, "/op"), "\"u\"");
}

TEST_F(JsonWriterTest, a_before_image_has_only_the_columns_that_were_sent) {
  Batch batch(orders());
  batch.begin_row(Op::remove, 100);
  batch.mutable_before(0).push_fixed(std::int32_t{7});
  batch.finish_row();
  const auto change = row(batch, 0);
  EXPECT_EQ(text(change, "/before"), R"({"id":7})");
  EXPECT_EQ(text(change, "/after"), "null");
  EXPECT_EQ(text(change, "/op"), "\"d\"");
}

TEST_F(JsonWriterTest, an_update_next_to_a_delete_still_has_no_before_image) {
  Batch batch(orders());
  batch.begin_row(Op::remove, 100);
  batch.mutable_before(0).push_fixed(std::int32_t{7});
  batch.finish_row();
  batch.begin_row(Op::insert, 101);
  batch.mutable_after(0).push_fixed(std::int32_t{8});
  batch.mutable_after(1).push_null();
  batch.mutable_after(2).push_text("x");
  batch.finish_row();
  EXPECT_EQ(text(row(batch, 1), "/before"), "null");
}

TEST_F(JsonWriterTest, a_transaction_name_that_is_no_number_is_a_string) {
  for (const auto& [id, json] :
       {std::pair{"gtid:5", "\"gtid:5\""}, {"", "\"\""}, {"007", "\"007\""}, {"0", "0"}}) {
    EXPECT_EQ(text(row(one_insert(), 0, JsonForm::debezium, {.position = {"P"}, .id = id}), "/source/txId"),
              json);
  }
}

TEST_F(JsonWriterTest, the_flat_form_is_the_row_with_its_origin_beside_it) {
  row(one_insert(), 0, JsonForm::flat);
  EXPECT_EQ(
      json_,
      R"({"id":7,"total":"12.50","no\"te":null,"__op":"c","__table":"public.orders","__deleted":"false",)"
      R"("__source_ts_ms":1700000000123,"__operation":"P/10/2"})");
  Batch batch(orders());
  batch.begin_row(Op::remove, 100);
  batch.mutable_before(0).push_fixed(std::int32_t{7});
  batch.finish_row();
  row(batch, 0, JsonForm::flat);
  EXPECT_THAT(json_,
              testing::StartsWith(R"({"id":7,"__op":"d","__table":"public.orders","__deleted":"true")"));
}

TEST_F(JsonWriterTest, truncate_names_the_table) {
  for (const auto form : {JsonForm::debezium, JsonForm::flat}) {
    const JsonWriter writer(form, {"postgres", "shop", "shopdb"}, orders()->name, *orders());
    json_.clear();
    writer.append_truncate(json_, kWritten);
    const auto change = parsed();
    EXPECT_EQ(text(change, form == JsonForm::flat ? "/__op" : "/op"), "\"t\"");
    EXPECT_EQ(text(change, form == JsonForm::flat ? "/__table" : "/source/table"),
              form == JsonForm::flat ? "\"public.orders\"" : "\"orders\"");
  }
}

}  // namespace
}  // namespace maia::codec
