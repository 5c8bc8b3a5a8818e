// SPDX-License-Identifier: Apache-2.0
// What records say, without a broker: values, hostile bytes, and the order of places.
#include "maia/connectors/kafka/record_decoder.h"

#include <gmock/gmock.h>

#include "maia/connectors/kafka/json_reader.h"
#include "maia/connectors/kafka/log_place.h"
#include "maia/connectors/kafka/log_tables.h"
#include "maia/testing/must.h"

namespace maia::kafka {
namespace {

using maia::testing::must;
using ::testing::HasSubstr;

RecordDecoder decoder(std::string schema = {}) {
  return RecordDecoder([schema = std::move(schema)](std::int32_t) -> Result<RegisteredSchema> {
    return RegisteredSchema{.kind = SchemaKind::avro, .text = schema};
  });
}

std::string why_not(const std::string& key, const std::string& value) {
  const auto decoded = decoder("\"nothing\"").decode(key, value);
  return decoded.ok() ? "it can be read" : decoded.error().message;
}

TEST(RecordDecoder, what_is_wrong_with_a_record_is_told) {
  EXPECT_THAT(why_not("{}", "{"), HasSubstr("the value: it is no JSON"));
  EXPECT_THAT(why_not("{}", "7"), HasSubstr("no row"));
  EXPECT_THAT(why_not("{}", R"({"op":"x","after":{}})"), HasSubstr("the operation 'x' is not known"));
  EXPECT_THAT(why_not("{}", R"({"op":"c","after":null,"before":null})"), HasSubstr("has no `after`"));
  EXPECT_THAT(why_not("{}", std::string("\0\0", 2)), HasSubstr("no schema's number follows"));
  EXPECT_THAT(why_not("{}", std::string("\0\0\0\0\1x", 6)), HasSubstr("names a type nothing"));
  EXPECT_THAT(why_not("{}", R"({"schema":{"type":"odd"},"payload":1})"), HasSubstr("the type odd"));
  EXPECT_THAT(
      why_not("{}", R"({"schema":{"type":"struct","fields":[{"field":"a","type":"int32"}]},"payload":)"
                    R"({"a":"text"}})"),
      HasSubstr("no int32"));
  EXPECT_THAT(why_not("{}", std::string(500, '[') + std::string(500, ']')), HasSubstr("nested too deep"));
}

TEST(RecordDecoder, avro_that_lies_about_its_lengths_is_refused) {
  const std::string array = R"({"type":"array","items":"null"})";
  const std::string mark("\0\0\0\0\1", 5);
  for (const auto* bytes : {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // more items than there are
                            "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x04", "\x01"}) {
    EXPECT_FALSE(decoder(array).decode(std::nullopt, mark + bytes).ok());
  }
  EXPECT_FALSE(decoder("\"string\"").decode(std::nullopt, mark + "\x50short").ok());
  EXPECT_FALSE(decoder(R"(["null","long"])").decode(std::nullopt, mark + "\x08").ok());
  EXPECT_FALSE(decoder(R"({"type":"record","name":"R","fields":[{"name":"r","type":"R"}]})")
                   .decode(std::nullopt, mark)
                   .ok());
}

TEST(RecordDecoder, a_decimal_is_what_its_bytes_say) {
  EXPECT_EQ(decimal_text(std::string("\xfb\x1e", 2), 2), "-12.50");
  EXPECT_EQ(decimal_text(std::string("\x00", 1), 2), "0.00");
  EXPECT_EQ(decimal_text("", 0), "0");
  EXPECT_EQ(decimal_text("\x01", -3), "1000");
  EXPECT_EQ(decimal_text("\xff", 3), "-0.001");
  EXPECT_EQ(decimal_text(std::string("\x80\0\0\0\0\0\0\0", 8), 0), "-9223372036854775808");
  EXPECT_EQ(decimal_text(std::string("\x01\0\0\0\0\0\0\0\0", 9), 0), "18446744073709551616");
}

TEST(RecordDecoder, a_type_that_holds_two_others_loses_nothing) {
  const auto of = [](TypeId id) { return Type::of(id); };
  EXPECT_EQ(wider(of(TypeId::int16), of(TypeId::int64)), of(TypeId::int64));
  EXPECT_EQ(wider(of(TypeId::int64), of(TypeId::float32)), of(TypeId::float64));
  EXPECT_EQ(wider(Type::decimal(10, 2), Type::decimal(6, 4)), Type::decimal(12, 4));
  EXPECT_EQ(wider(Type::decimal(38, 0), Type::decimal(38, 38)), Type::decimal(0, 0));
  EXPECT_EQ(wider(of(TypeId::boolean), of(TypeId::int64)), Type::text());
  ColumnVector column(Physical::f64);
  EXPECT_TRUE(push(column, of(TypeId::float64), Datum::of(std::int64_t{1} << 53)).ok());
  EXPECT_FALSE(push(column, of(TypeId::float64), Datum::of((std::int64_t{1} << 53) + 1)).ok());
}

TEST(LogTables, rows_that_lack_their_key_or_have_another_one_are_refused_and_leave_nothing) {
  SourceConfig config;
  LogTables tables(config, {});
  sql::WindowBuilder window;
  std::uint64_t ordinal = 0;
  auto reader = decoder();
  const auto add = [&](const char* key, const char* value) {
    SourceRecord record;
    record.topic = "t";
    auto decoded = must(reader.decode(key ? std::optional<std::string>(key) : std::nullopt, value));
    return tables.add(record, std::move(decoded), window, ordinal);
  };
  EXPECT_TRUE(add(R"({"id":1})", R"({"id":1,"n":1})").ok());
  EXPECT_THAT(add(nullptr, R"({"id":2})").error().message, HasSubstr("its key is ()"));
  EXPECT_THAT(add(R"({"id":null})", R"({"n":2})").error().message,
              HasSubstr("no value for the key column id"));
  EXPECT_THAT(add(R"({"id":3})", R"({"op":"c","before":null,"after":{"n":"__debezium_unavailable_value"}})")
                  .error()
                  .message,
              HasSubstr("column n"));
  EXPECT_TRUE(add(R"({"id":4})", R"({"op":"d","before":null,"after":null})").ok());
  std::size_t rows = 0;
  for (const auto& item : window.take()) {
    if (const auto* batch = std::get_if<Batch>(&item)) rows += batch->rows();
  }
  EXPECT_EQ(rows, 2U);
}

TEST(LogPlace, places_are_ordered_where_one_has_all_of_the_other) {
  const auto order = [](const char* a, const char* b) { return compare(Position{a}, Position{b}); };
  EXPECT_TRUE(order("kafka:c;t=I,1,2", "kafka:c;t=I,1,3") < 0);
  EXPECT_TRUE(order("kafka:c;t=I,1", "kafka:c;t=I,1,0") < 0) << "the partition was added";
  EXPECT_TRUE(order("kafka:c;t=I,1", "kafka:c;t=I,1;u=J,0") < 0);
  EXPECT_TRUE(order("", "kafka:c") < 0);
  EXPECT_TRUE(order("kafka:c;t=I,5", "kafka:c;t=I,5") == 0);
  for (const auto* other : {"kafka:c;t=I,2,1", "kafka:d;t=I,1,2", "kafka:c;t=J,1,2", "mysql:c", "kafka:c;t"})
    EXPECT_EQ(order("kafka:c;t=I,1,2", other), std::partial_ordering::unordered) << other;
}

}  // namespace
}  // namespace maia::kafka
