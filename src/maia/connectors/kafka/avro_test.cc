// SPDX-License-Identifier: Apache-2.0
// What MAIA writes as Avro, read back by Avro's own library with the schema that MAIA has registered.
#include <gmock/gmock.h>

#include "maia/connectors/kafka/avro_encoder.h"
#include "maia/connectors/kafka/field_name.h"
#include "maia/connectors/kafka/wide_row_fixture.h"
#include "maia/testing/schema_registry.h"

namespace maia::kafka {
namespace {

using ::testing::HasSubstr;

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
  const auto text = value(update_of_the_key(), Format::debezium);
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

TEST(FieldNames, are_letters_digits_and_underscores_and_never_the_same) {
  EXPECT_EQ(field_name("1st \xc3\x9f"), "_1st___");
  auto schema = std::make_shared<TableSchema>();
  schema->columns = {{.name = "a b"}, {.name = "a_b"}};
  const auto clash = verify_field_names(*schema);
  ASSERT_FALSE(clash.ok());
  EXPECT_THAT(clash.error().message, HasSubstr("'a b' and 'a_b'"));
}

}  // namespace
}  // namespace maia::kafka
