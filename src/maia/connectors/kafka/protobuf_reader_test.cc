// SPDX-License-Identifier: Apache-2.0
// Protocol Buffers as the source reads them: bytes that are written here by hand, or by our own destination.
#include "maia/connectors/kafka/protobuf_reader.h"

#include <gmock/gmock.h>

#include <bit>

#include "maia/connectors/kafka/protobuf_encoder.h"
#include "maia/connectors/kafka/protobuf_writer.h"
#include "maia/connectors/kafka/record_decoder.h"
#include "maia/connectors/kafka/wide_row_fixture.h"
#include "maia/testing/must.h"
#include "maia/testing/schema_registry.h"

namespace maia::kafka {
namespace {

using maia::testing::must;
using ::testing::HasSubstr;

constexpr std::string_view kFirst("\0", 1);

std::string json(const Datum& datum) {
  std::string out;
  append_json(out, datum);
  return out;
}

std::string read(const std::string& schema, const std::string& bytes,
                 const std::vector<std::string>& imports = {}) {
  const auto reader = ProtobufReader::parse(schema, imports);
  if (!reader.ok()) return reader.error().message;
  const auto datum = (*reader)->read(bytes);
  return datum.ok() ? json(*datum) : datum.error().message;
}

/// The bytes of a message.
template <class Write>
std::string message(Write write) {
  std::string out;
  ProtobufWriter writer(out);
  write(writer);
  return out;
}

TEST(ProtobufReader, what_is_absent_is_null_or_nothing_as_the_schema_has_it) {
  const std::string body =
      "{ string t = 1; optional string o = 2; repeated int32 l = 3; map<string, int64> m = 4; E e = 5;"
      " oneof one { bool a = 6; double b = 7; } Inner i = 8; uint64 u = 9; message Inner { int32 x = 1; }"
      " enum E { ZERO = 0; ONE = 1; } }";
  EXPECT_EQ(read("syntax = \"proto3\"; message M " + body, std::string(kFirst)),
            R"({"t":"","o":null,"l":[],"m":{},"e":"ZERO","a":null,"b":null,"i":null,"u":"0"})");
  EXPECT_EQ(read("message M { optional int32 a = 1; required string b = 2; }", std::string(kFirst)),
            R"({"a":null,"b":null})")
      << "in the second version of the language nothing has a default that is written nowhere";
}

TEST(ProtobufReader, values_are_those_that_were_written) {
  const std::string schema =
      "syntax = \"proto3\"; package p; message M { sint32 z = 1; repeated int32 packed = 2; repeated sint64 "
      "single = 3; map<int32, Inner> m = 4; E e = 5; fixed32 f = 6; uint32 u = 7; Inner i = 8; bytes raw = "
      "9; "
      "float g = 10; int32 negative = 11; message Inner { int32 x = 1; repeated .p.M.Inner deep = 2; } enum "
      "E "
      "{ ZERO = 0; MINUS = -1; } }";
  const auto inner = [](std::int64_t x) { return message([&](auto& to) { to.number(1, x); }); };
  const auto entry = [&](std::int64_t key, std::int64_t x) {
    return message([&](auto& to) {
      to.number(1, key);
      to.text(2, inner(x));
    });
  };
  const auto bytes = message([&](auto& to) {
    to.number(1, 3);  // zigzag of -2
    to.text(2, std::string("\x01\x96\x01", 3));
    to.number(3, 1);
    to.number(3, 2);
    to.text(4, entry(7, 1));
    to.text(4, entry(5, 2));
    to.text(4, entry(7, 3));
    to.number(5, -1);
    to.number(99, 1);  // of a later version
    to.floating(6, std::bit_cast<float>(0xfffffffeU));
    to.number(7, 0xffffffff);
    to.text(8, inner(1));
    to.text(8, message([&](auto& part) { part.text(2, inner(4)); }));
    to.text(9, std::string("\0\xff", 2));
    to.floating(10, 0.5F);
    to.number(11, -5);
  });
  EXPECT_EQ(read(schema, std::string(kFirst) + bytes),
            R"({"z":-2,"packed":[1,150],"single":[-1,1],"m":{"5":{"x":2,"deep":[]},"7":{"x":3,"deep":[]}},)"
            R"("e":"MINUS","f":4294967294,"u":4294967295,"i":{"x":1,"deep":[{"x":4,"deep":[]}]},)"
            R"("raw":"AP8=","g":0.5,"negative":-5})");
}

TEST(ProtobufReader, the_path_says_which_message_it_is_and_imports_say_what_others_are) {
  const std::string schema =
      "syntax = \"proto3\"; package shop; import \"other.proto\"; import \"google/protobuf/timestamp.proto\";"
      "message First { int32 a = 1; } message Second { message Inner { common.Money price = 1; "
      "google.protobuf.Timestamp at = 2; google.protobuf.StringValue note = 3; google.type.Date day = 4; "
      "confluent.type.Decimal total = 5; google.type.TimeOfDay time = 6; } }";
  const std::string common =
      "syntax = 'proto3'; package common; message Money { string currency = 1; Unit u = 2; "
      "enum Unit { CENT = 0; } }";
  const auto bytes = message([&](auto& to) {
    to.text(1, message([](auto& money) { money.text(1, "EUR"); }));
    to.text(2, message([](auto& at) {
              at.number(1, -1);
              at.number(2, 999'999'000);
            }));
    to.text(3, "");
    to.text(4, message([](auto& day) {
              day.number(1, 2026);
              day.number(2, 11);
              day.number(3, 23);
            }));
    to.text(5, message([](auto& total) {
              total.text(1, "\xfb\x1e");
              total.number(3, 2);
            }));
    to.text(6, message([](auto& time) {
              time.number(1, 23);
              time.number(4, 5000);
            }));
  });
  const std::string path("\x04\x02\x00", 3);  // of two places: the second message, and the first one within
  EXPECT_EQ(read(schema, path + bytes, {common}),
            R"({"price":{"currency":"EUR","u":"CENT"},"at":"1969-12-31T23:59:59.999999Z","note":"",)"
            R"("day":"2026-11-23","total":"-12.50","time":"23:00:00.000005"})");
  EXPECT_THAT(read(schema, path + bytes), HasSubstr("names a type common.Money"));
  EXPECT_THAT(read(schema, std::string("\x02\x04", 2), {common}), HasSubstr("no such message"));
}

TEST(ProtobufReader, bytes_that_lie_are_refused) {
  const std::string schema =
      "syntax = \"proto3\"; message M { string s = 1; M m = 2; repeated M many = 3; "
      "google.protobuf.Timestamp t "
      "= 4; google.type.Date d = 5; }";
  const auto why = [&](const std::string& bytes) { return read(schema, std::string(kFirst) + bytes); };
  EXPECT_THAT(read(schema, ""), HasSubstr("ends too early"));
  EXPECT_THAT(why("\x0a"), HasSubstr("ends too early"));
  EXPECT_THAT(why("\x0a\x05"
                  "abc"),
              HasSubstr("ends too early"));
  EXPECT_THAT(why("\x0b"), HasSubstr("a group")) << "wire type 3";
  EXPECT_THAT(why(std::string(10, '\xff')), HasSubstr("too long"));
  std::string deep;
  for (int i = 0; i < 200; ++i) deep = message([&](auto& to) { to.text(2, deep); });
  EXPECT_THAT(why(deep), HasSubstr("too deep"));
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += std::string("\x1a\0", 2);
  EXPECT_THAT(why(many), HasSubstr("too large"));
  EXPECT_THAT(why(message([](auto& to) { to.text(4, message([](auto& at) { at.number(1, INT64_MAX); })); })),
              HasSubstr("too large"));
  EXPECT_THAT(why(message([](auto& to) { to.text(5, message([](auto& day) { day.number(2, 13); })); })),
              HasSubstr("no google.type.Date"));
  EXPECT_THAT(read("message M { optional group G = 1 { } }", ""), HasSubstr("a group"));
  EXPECT_THAT(read("message M { Unknown u = 1; }", ""), HasSubstr("names a type Unknown"));
  EXPECT_THAT(read("message M {", ""), HasSubstr("ends too early"));
  EXPECT_THAT(read("syntax = 'proto3';", std::string(kFirst)), HasSubstr("no such message"));
}

TEST(SchemaRegistry, a_schema_comes_with_all_that_it_refers_to_in_their_order) {
  maia::testing::SchemaRegistry registry;
  const RegistryConfig config{.url = registry.url(), .user = {}, .password = {}, .tls_ca_file = {}};
  const auto reference = [](const std::string& subject) {
    return R"({"name":"n","subject":")" + subject + R"(","version":1})";
  };
  registry.hold("base/unit.proto", "PROTOBUF", "enum Unit { CENT = 0; }");
  registry.hold("money", "PROTOBUF", "message Money { Unit u = 1; }",
                "[" + reference("base/unit.proto") + "]");
  const auto id =
      registry.hold("price", "PROTOBUF", "message Price { optional Money m = 1; optional Unit u = 2; }",
                    "[" + reference("money") + "," + reference("base/unit.proto") + "]");
  const auto schema = must(schema_by_id(config, static_cast<std::int32_t>(id), std::chrono::seconds(30)));
  EXPECT_EQ(schema.kind, SchemaKind::protobuf);
  EXPECT_THAT(schema.imports, ::testing::ElementsAre(HasSubstr("enum Unit"), HasSubstr("message Money")));
  EXPECT_EQ(read(schema.text, std::string(kFirst) + std::string("\x0a\x02\x08\x00", 4), schema.imports),
            R"({"m":{"u":"CENT"},"u":null})");
  const auto list =
      registry.hold("list", "AVRO", R"({"type":"array","items":"Row"})", "[" + reference("row") + "]");
  registry.hold("row", "AVRO", R"({"type":"record","name":"Row","fields":[{"name":"id","type":"int"}]})");
  RecordDecoder decoder(
      [&](std::int32_t number) { return schema_by_id(config, number, std::chrono::seconds(30)); });
  const auto avro =
      must(decoder.decode(schema_mark(static_cast<std::int32_t>(list)) + "\x02\x0e" + '\0', std::nullopt));
  EXPECT_EQ(json(avro.key), R"([{"id":7}])");
  const auto plain = registry.hold("plain", "JSON", "{}");
  const auto row =
      must(decoder.decode(std::nullopt, schema_mark(static_cast<std::int32_t>(plain)) + R"({"id":7})"));
  EXPECT_EQ(json(row.change->after), R"({"id":7})");
  const auto odd = registry.hold("odd", "THRIFT", "");
  EXPECT_THAT(schema_by_id(config, static_cast<std::int32_t>(odd), std::chrono::seconds(30)).error().message,
              HasSubstr("THRIFT"));
}

/// What our destination writes, in either form, with the registry's own text of the schema.
TEST(ProtobufReader, what_maia_has_written_becomes_the_same_change) {
  const maia::testing::SchemaRegistry registry;
  const RegistryConfig config{.url = registry.url(), .user = {}, .password = {}, .tls_ca_file = {}};
  const std::chrono::seconds timeout(30);
  RecordDecoder decoder([&](std::int32_t id) { return schema_by_id(config, id, timeout); });
  const auto schema = wide();
  const TableTarget target{.name = schema->name, .schema = schema, .key = {0}};
  const Transaction transaction{.position = {"P"}, .id = "7", .committed_at = 2'000'000, .first_ordinal = 4};
  for (const auto format : {Format::debezium, Format::flat}) {
    const std::string topic = format == Format::flat ? "flat" : "debezium";
    ProtobufEncoder encoder(format, "shop", config, timeout);
    const auto decoded = [&](const Batch& batch) {
      return must(decoder.decode(must(encoder.key(topic, target, batch, 0, KeyImage::after)),
                                 must(encoder.value(topic, target, batch, 0, transaction, 1))));
    };
    const auto inserted = decoded(one_row(schema));
    EXPECT_EQ(json(inserted.key), R"({"id":-9223372036854775808})");
    EXPECT_EQ(inserted.change->kind, RowChange::Kind::insert);
    EXPECT_EQ(inserted.change->committed_at, 2'000'000);
    EXPECT_EQ(json(inserted.change->after),
              R"({"id":-9223372036854775808,"b":true,"i2":-32768,"i4":2147483647,"f4":0.5,"f8":-1e+300,)"
              R"("n":"-12.50","text":"a\"\n)"
              "\xc3\x9f"
              R"(","d":20780,"t":86400000000,"ts":-1,)"
              R"("tz":1795392000000000,"u":"00112233-4455-6677-8899-aabbccddeeff","j":"{\"x\":1}",)"
              R"("a":"[1,null]","iv":"P1M","odd_name":""})");
    const auto moved = decoded(update_of_the_key());
    EXPECT_EQ(moved.change->kind, RowChange::Kind::update);
    EXPECT_EQ(moved.change->after.text_of("text"), kNotSent);
    EXPECT_TRUE(moved.change->after.find("n")->is(Datum::Kind::null));
    if (format == Format::flat) continue;
    EXPECT_EQ(json(*moved.change->before.find("id")), "2");
    EXPECT_EQ(to_string(*inserted.change->table), "public.wide");
    EXPECT_EQ(inserted.change->transaction, "7");
  }
}

}  // namespace
}  // namespace maia::kafka
