// SPDX-License-Identifier: Apache-2.0
// What MAIA writes as Protocol Buffers, read back by their own library with the schema that MAIA has
// registered.
#include <gmock/gmock.h>

#include "maia/connectors/kafka/protobuf_encoder.h"
#include "maia/connectors/kafka/protobuf_parser.h"
#include "maia/connectors/kafka/protobuf_schema.h"
#include "maia/connectors/kafka/wide_row_fixture.h"
#include "maia/testing/schema_registry.h"

namespace maia::kafka {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Transaction kTransaction{.position = {"P"}, .id = "7", .committed_at = 2'000'000, .first_ordinal = 4};

TableTarget target_of(const SchemaRef& schema) {
  return {.name = schema->name, .schema = schema, .key = {0}};
}

/// The shape with these columns besides its key.
SchemaRef with(const std::vector<std::pair<std::string, Type>>& columns) {
  auto schema = std::make_shared<TableSchema>();
  schema->name = {"public", "shop"};
  schema->columns.push_back({.name = "id", .type = Type::of(TypeId::int64)});
  schema->columns[0].in_key = true;
  for (const auto& [name, type] : columns) schema->columns.push_back({.name = name, .type = type});
  return schema;
}

/// A row whose texts are the names of its columns, and its numbers their places.
Batch named_row(const SchemaRef& schema) {
  Batch batch(schema);
  batch.begin_row(Op::insert, 5);
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const auto& column = schema->columns[i];
    const auto text = column.type.id == TypeId::string ? column.name : std::to_string(i);
    EXPECT_TRUE(push_value_text(batch.mutable_after(i), column.type, text).ok());
  }
  batch.finish_row();
  return batch;
}

class ProtobufEncoderTest : public ::testing::Test {
 protected:
  ProtobufEncoder encoder(Format format) {
    return ProtobufEncoder(format, "shop", {.url = registry_.url()}, std::chrono::seconds(30));
  }
  std::string bytes(const Batch& batch, Format format) {
    auto encoded =
        encoder(format).value("shop.wide", target_of(batch.schema()), batch, 0, kTransaction, 3'000'000);
    EXPECT_TRUE(encoded.ok()) << encoded.error().message;
    return std::move(encoded).value();
  }
  std::string decoded(const std::string& record) {
    const auto text = registry_.decoded(record);
    EXPECT_TRUE(text.ok()) << text.error().message;
    return text.value();
  }
  std::string value(const Batch& batch, Format format) { return decoded(bytes(batch, format)); }

  maia::testing::SchemaRegistry registry_;
};

TEST_F(ProtobufEncoderTest, every_type_arrives_as_it_was) {
  const auto text = value(one_row(wide()), Format::flat);
  for (const auto* part :
       {R"("id":"-9223372036854775808")", R"("b":true)", R"("i2":-32768)", R"("i4":2147483647)",
        R"("f4":0.5)", R"("f8":-1e+300)", R"("n":"-12.50")", R"("d":20780)", R"("t":"86400000000")",
        R"("ts":"-1")", R"("tz":"1795392000000000")", R"("u":"00112233-4455-6677-8899-aabbccddeeff")",
        R"("j":"{\"x\":1}")", R"("a":"[1,null]")", R"("iv":"P1M")", R"("odd name":"")",
        R"("__op":"c","__table":"public.wide")", R"("__source_ts_ms":"2000","__operation":"P/1")"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, HasSubstr("\"text\":\"a\\\"\\n\xc3\x9f\""));
}

TEST_F(ProtobufEncoderTest, the_envelope_has_both_images_and_what_was_not_sent) {
  const auto text = value(update_of_the_key(), Format::debezium);
  EXPECT_THAT(text, StartsWith(R"({"before":{"id":"2"},"after":{"id":"1"},"source":{)"));
  EXPECT_THAT(text, HasSubstr(R"("op":"u","ts_ms":"3000","transaction":{"id":"7","total_order":"2"})"));
  EXPECT_THAT(text, HasSubstr(R"("maia":{"operation":"P/1","unchanged":["text"]})"));
}

TEST_F(ProtobufEncoderTest, a_snapshot_row_a_delete_and_a_truncate_are_told_apart) {
  EXPECT_THAT(
      value(one_row(wide(), Op::read), Format::debezium),
      AllOf(HasSubstr(R"("snapshot":true,"schema":"public","table":"wide")"), Not(HasSubstr("txId"))));
  Batch gone(wide());
  gone.begin_row(Op::remove, 5);
  gone.mutable_before(0).push_fixed(std::int64_t{2});
  gone.finish_row();
  EXPECT_THAT(value(gone, Format::debezium), AllOf(HasSubstr(R"("op":"d")"), Not(HasSubstr("after"))));
  for (const auto format : {Format::debezium, Format::flat}) {
    const auto truncated = encoder(format).truncate("t", target_of(wide()), 1).value();
    EXPECT_THAT(decoded(truncated), HasSubstr(R"("t")"));
  }
}

TEST_F(ProtobufEncoderTest, a_number_never_means_another_field_whatever_columns_come_and_go) {
  const auto text = Type::text();
  const auto whole = Type::of(TypeId::int32);
  // The registry refuses a number with another meaning.
  const std::vector<SchemaRef> shapes{with({{"a", text}, {"b", text}, {"c", whole}}),
                                      with({{"a", text}, {"c", whole}}),
                                      with({{"c", whole}, {"new", whole}, {"a", text}}),
                                      with({{"b", whole}, {"c", text}, {"new", whole}, {"a", text}}),
                                      with({}),
                                      with({{"message", text}, {"optional", text}, {"Value", whole}})};
  for (const auto format : {Format::debezium, Format::flat}) {
    const auto topic = format == Format::flat ? "flat" : "envelope";
    std::vector<std::string> records;
    for (const auto& shape : shapes) {
      // Each time by a run that knows nothing of the one before it.
      auto record = encoder(format).value(topic, target_of(shape), named_row(shape), 0, kTransaction, 1);
      ASSERT_TRUE(record.ok()) << record.error().message;
      const auto again = encoder(format).value(topic, target_of(shape), named_row(shape), 0, kTransaction, 1);
      EXPECT_EQ(*record, *again) << "the same shape has got another schema";
      records.push_back(*std::move(record));
    }
    EXPECT_THAT(decoded(records[0]), HasSubstr(R"("a":"a","b":"b","c":3)"));
    EXPECT_THAT(decoded(records[1]), HasSubstr(R"("a":"a","c":2)"));
    EXPECT_THAT(decoded(records[3]), HasSubstr(R"("c":"c")"));
    EXPECT_THAT(decoded(records[5]), HasSubstr(R"("message":"message","optional":"optional","Value":3)"));
  }
}

TEST_F(ProtobufEncoderTest, a_key_stays_the_same_bytes_while_other_columns_come_and_go) {
  const auto before = with({{"a", Type::text()}});
  const auto after = with({{"b", Type::text()}});
  auto encoder = this->encoder(Format::debezium);
  const auto first = encoder.key("t", target_of(before), named_row(before), 0, KeyImage::after);
  const auto second = encoder.key("t", target_of(after), named_row(after), 0, KeyImage::after);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(decoded(*first), R"({"id":"0"})");
}

TEST_F(ProtobufEncoderTest, a_subject_of_another_kind_or_hand_is_refused_by_name) {
  const auto schema = with({});
  const auto make = [&](const std::string& subject, SchemaKind kind, const std::string& text) {
    EXPECT_TRUE(
        register_schema({.url = registry_.url()}, {subject, kind}, text, std::chrono::seconds(9)).ok());
  };
  make("avro-key", SchemaKind::avro, R"("string")");
  make("foreign-key", SchemaKind::protobuf, "syntax = \"proto3\"; message Other { int32 a = 1; }");
  const auto error_of = [&](const std::string& topic) {
    return encoder(Format::flat).key(topic, target_of(schema), named_row(schema), 0, KeyImage::after).error();
  };
  EXPECT_EQ(error_of("avro").message, "the schemas of avro-key are AVRO");
  EXPECT_THAT(error_of("foreign").message, HasSubstr("the message Key cannot be read"));
}

TEST(ProtobufMessage, is_read_in_whatever_form_a_registry_writes_it) {
  const auto read = parse_protobuf_message(
      "// message Value {}\nsyntax='proto3';package a.b;message Other{message Deep{int32 a=1;}}\n"
      "message Envelope { Value before = 1; message Value { option deprecated = true; /* } */ reserved 2, 5 "
      "to 7,\n"
      "'old'; optional int64 id=1[json_name=\"i;}\\\"d\", deprecated = false]; enum E { A = 0; } repeated\n"
      "string __unchanged = 9 ; }}",
      "Value");
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->fields.size(), 2u);
  EXPECT_EQ(read->fields[0].type + read->fields[0].name, "optional int64id");
  EXPECT_EQ(read->fields[1].type + read->fields[1].name, "repeated string__unchanged");
  EXPECT_EQ(read->fields[1].number, 9);
  EXPECT_THAT(read->gone, ::testing::ElementsAre(std::pair(2, 2), std::pair(5, 7)));
}

TEST(ProtobufMessage, that_is_none_is_refused) {
  for (const auto* text :
       {"", "message", "message V", "message V {", "message V { int32 a = 0; }", "message V { int32 a = 1",
        "message V { reserved 5 to 2; }", "message V { int32 a = 99999999999; }", "message V { \"", "/*",
        "message V { int32 a 1; }", "message message V"}) {
    EXPECT_FALSE(parse_protobuf_message(text, "V").ok()) << text;
  }
}

TEST(ProtobufMessage, leaves_out_the_numbers_that_protocol_buffers_keep_and_ends_with_the_last) {
  ProtobufMessage last{.fields = {{"old", "int32", "old", 18'999}}, .gone = {}};
  ProtobufMessage next{.fields = {{"new", "int32", "new", 0}}, .gone = {}};
  ASSERT_TRUE(number_fields(next, last).ok());
  EXPECT_EQ(next.fields[0].number, 20'000);
  EXPECT_THAT(next.gone, ::testing::ElementsAre(std::pair(18'999, 18'999)));
  last.gone = {{1, (1 << 29) - 1}};
  next.fields[0].number = 0;
  EXPECT_FALSE(number_fields(next, last).ok());
}

}  // namespace
}  // namespace maia::kafka
