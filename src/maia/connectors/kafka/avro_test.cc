// SPDX-License-Identifier: Apache-2.0
// What MAIA writes as Avro, read back by Avro's own library with the schema that MAIA has registered.
#include <gmock/gmock.h>

#include "maia/connectors/kafka/avro_encoder.h"
#include "maia/connectors/kafka/avro_schema.h"
#include "maia/testing/schema_registry.h"
#include "maia/types/value_text.h"

namespace maia::kafka {
namespace {

using ::testing::HasSubstr;

SchemaRef wide() {
  auto schema = std::make_shared<TableSchema>();
  schema->name = {"public", "wide"};
  const auto add = [&](std::string name, Type type) {
    schema->columns.push_back({.name = std::move(name), .type = std::move(type)});
  };
  add("id", Type::of(TypeId::int64));
  schema->columns[0].in_key = true;
  add("b", Type::of(TypeId::boolean));
  add("i2", Type::of(TypeId::int16));
  add("i4", Type::of(TypeId::int32));
  add("f4", Type::of(TypeId::float32));
  add("f8", Type::of(TypeId::float64));
  add("n", Type::decimal(10, 2));
  add("text", Type::text());
  add("d", Type::of(TypeId::date));
  add("t", Type::of(TypeId::time));
  add("ts", Type::of(TypeId::timestamp));
  add("tz", Type::of(TypeId::timestamp_tz));
  add("u", Type::of(TypeId::uuid));
  add("j", Type::of(TypeId::json));
  add("a", Type::array_of(Type::of(TypeId::int32)));
  add("iv", Type::of(TypeId::interval));
  add("odd name", Type::text());
  return schema;
}

const std::vector<const char*> kTexts = {"-9223372036854775808",
                                         "t",
                                         "-32768",
                                         "2147483647",
                                         "0.5",
                                         "-1e+300",
                                         "-12.50",
                                         "a\"\n\xc3\x9f",
                                         "2026-11-23",
                                         "24:00:00",
                                         "1969-12-31 23:59:59.999999",
                                         "2026-11-23 00:00:00+00",
                                         "00112233-4455-6677-8899-aabbccddeeff",
                                         "{\"x\":1}",
                                         "{1,NULL}",
                                         "P1M",
                                         ""};

Batch one_row(const SchemaRef& schema, Op op = Op::insert) {
  Batch batch(schema);
  batch.begin_row(op, 5);
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    EXPECT_TRUE(push_value_text(batch.mutable_after(i), schema->columns[i].type, kTexts[i]).ok()) << i;
  }
  batch.finish_row();
  return batch;
}

class AvroEncoderTest : public ::testing::Test {
 protected:
  AvroEncoder encoder(Format format) {
    return AvroEncoder(format, "shop", {.url = registry_.url()}, std::chrono::seconds(30));
  }
  std::string value(const Batch& batch, Format format) {
    const TableTarget target{.name = batch.schema()->name, .schema = batch.schema(), .key = {0}};
    const Transaction transaction{
        .position = {"P"}, .id = "7", .committed_at = 2'000'000, .first_ordinal = 4};
    const auto bytes = encoder(format).value("shop.wide", target, batch, 0, transaction, 3'000'000);
    EXPECT_TRUE(bytes.ok()) << bytes.error().message;
    const auto text = registry_.decoded(bytes.value());
    EXPECT_TRUE(text.ok()) << text.error().message;
    return text.value();
  }
  maia::testing::SchemaRegistry registry_;
};

TEST_F(AvroEncoderTest, every_type_arrives_as_it_was) {
  const auto text = value(one_row(wide()), Format::flat);
  for (const auto* part :
       {R"("id": {"long": -9223372036854775808})", R"("b": {"boolean": true})", R"("i2": {"int": -32768})",
        R"("i4": {"int": 2147483647})", R"("f4": {"float": 0.5})", R"("n": {"string": "-12.50"})",
        R"("text": {"string": "a\"\n\u00DF"})", R"("d": {"int": 20780})", R"("t": {"long": 86400000000})",
        R"("ts": {"long": -1})", R"("tz": {"long": 1795392000000000})",
        R"("u": {"string": "00112233-4455-6677-8899-aabbccddeeff"})", R"("j": {"string": "{\"x\":1}"})",
        R"("a": {"string": "[1,null]"})", R"("iv": {"string": "P1M"})", R"("odd_name": {"string": ""})",
        R"("__op": "c", "__table": "public.wide", "__deleted": false, "__source_ts_ms": 2000)",
        R"("__operation": {"string": "P/1"}, "__unchanged": [])"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST_F(AvroEncoderTest, the_envelope_has_both_images_and_what_was_not_sent) {
  const auto schema = wide();
  Batch batch(schema);
  batch.begin_row(Op::update, 5);
  batch.mutable_after(0).push_fixed(std::int64_t{1});
  batch.mutable_before(0).push_fixed(std::int64_t{2});
  for (std::size_t i = 1; i < batch.columns(); ++i) {
    i == 7 ? batch.mutable_after(i).push_unchanged() : batch.mutable_after(i).push_null();
  }
  batch.finish_row();
  const auto text = value(batch, Format::debezium);
  EXPECT_THAT(text, HasSubstr(R"("before": {"Value": {"id": {"long": 2}, "b": null)"));
  EXPECT_THAT(text, HasSubstr(R"("after": {"Value": {"id": {"long": 1}, "b": null)"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"("op": "u", "ts_ms": 3000, "transaction": {"Transaction": {"id": "7", "total_order": 2}})"));
  EXPECT_THAT(text, HasSubstr(R"("operation": {"string": "P/1"}, "unchanged": ["text"])"));
}

TEST_F(AvroEncoderTest, a_snapshot_row_a_delete_and_a_truncate_are_told_apart) {
  EXPECT_THAT(value(one_row(wide(), Op::read), Format::debezium),
              HasSubstr(R"("snapshot": true, "schema": "public", "table": "wide", "txId": null)"));
  Batch gone(wide());
  gone.begin_row(Op::remove, 5);
  gone.mutable_before(0).push_fixed(std::int64_t{2});
  gone.finish_row();
  EXPECT_THAT(value(gone, Format::debezium), HasSubstr(R"("after": null)"));
  const TableTarget target{.name = {"public", "wide"}, .schema = wide(), .key = {0}};
  for (const auto format : {Format::debezium, Format::flat}) {
    const auto truncated = encoder(format).truncate("shop.wide", target, 1).value();
    EXPECT_THAT(registry_.decoded(truncated).value(), HasSubstr(R"("t")"));
  }
}

TEST_F(AvroEncoderTest, a_registry_that_refuses_is_named_and_keeps_no_secret) {
  const TableTarget target{.name = {"public", "wide"}, .schema = wide(), .key = {0}};
  const auto batch = one_row(wide());
  const auto key = [&](RegistryConfig config) {
    AvroEncoder encoder(Format::flat, "shop", std::move(config), std::chrono::seconds(30));
    return encoder.key("t", target, batch, 0, KeyImage::after);
  };
  registry_.require("maia:secret");
  const auto stranger = key({.url = registry_.url(), .user = "maia", .password = Secret("guess")});
  ASSERT_FALSE(stranger.ok());
  EXPECT_EQ(stranger.error().reason, "credentials_refused");
  EXPECT_THAT(stranger.error().message, ::testing::Not(HasSubstr("guess")));
  const RegistryConfig good{.url = registry_.url(), .user = "maia", .password = Secret("secret")};
  ASSERT_TRUE(key(good).ok());
  registry_.freeze();
  auto other = std::make_shared<TableSchema>(*wide());
  other->columns.pop_back();
  const TableTarget changed{.name = other->name, .schema = other, .key = {0}};
  AvroEncoder encoder(Format::flat, "shop", good, std::chrono::seconds(30));
  const auto refused = encoder.key("t", changed, batch, 0, KeyImage::after);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::check_failed);
  EXPECT_THAT(refused.error().message, HasSubstr("409 for t-value: Schema being registered is incompatible"));
  const auto nobody = key({.url = "http://127.0.0.1:1"});
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().recovery, Recovery::reconnect);
}

TEST(AvroNames, are_letters_digits_and_underscores_and_never_the_same) {
  EXPECT_EQ(avro_name("1st \xc3\x9f"), "_1st___");
  auto schema = std::make_shared<TableSchema>();
  schema->columns = {{.name = "a b"}, {.name = "a_b"}};
  const auto clash = verify_avro_names(*schema);
  ASSERT_FALSE(clash.ok());
  EXPECT_THAT(clash.error().message, HasSubstr("'a b' and 'a_b'"));
}

}  // namespace
}  // namespace maia::kafka
