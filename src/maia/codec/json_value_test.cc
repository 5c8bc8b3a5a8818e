// SPDX-License-Identifier: Apache-2.0
#include "maia/codec/json_value.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <simdjson.h>

#include "maia/codec/array_json.h"
#include "maia/types/value_text.h"

namespace maia::codec {
namespace {

/// The JSON of the value with this canonical text.
std::string json_of(const Type& type, std::string_view text) {
  ColumnVector column(physical(type));
  EXPECT_TRUE(push_value_text(column, type, text).ok()) << text;
  std::string out;
  append_json_value(out, type, column, 0);
  return out;
}

TEST(JsonValueTest, every_type_has_its_form) {
  const auto of = [](TypeId id) { return Type::of(id); };
  const std::tuple<Type, const char*, const char*> cases[] = {
      {of(TypeId::boolean), "t", "true"},
      {of(TypeId::boolean), "f", "false"},
      {of(TypeId::int16), "-32768", "-32768"},
      {of(TypeId::int64), "9223372036854775807", "9223372036854775807"},
      {of(TypeId::float64), "1e+20", "1e+20"},
      {of(TypeId::float64), "-0", "-0.0"},
      {of(TypeId::float64), "NaN", "\"NaN\""},
      {of(TypeId::float32), "-Infinity", "\"-Infinity\""},
      {Type::decimal(10, 2), "-12.50", "\"-12.50\""},
      {Type::decimal(0, 0), "1000000000000000000000000000000000000000000",
       "\"1000000000000000000000000000000000000000000\""},
      {Type::text(), "a\"b\n", "\"a\\\"b\\n\""},
      {of(TypeId::bytes), "\\x", "\"\""},
      {of(TypeId::bytes), "\\x66", "\"Zg==\""},
      {of(TypeId::bytes), "\\x666f", "\"Zm8=\""},
      {of(TypeId::bytes), "\\x666f6f", "\"Zm9v\""},
      {of(TypeId::bytes), "\\xfbff", "\"+/8=\""},
      {of(TypeId::date), "0044-03-15 BC", "\"-0043-03-15\""},
      {of(TypeId::time), "24:00:00", "\"24:00:00\""},
      {of(TypeId::timestamp), "2026-11-23 22:29:50.5", "\"2026-11-23T22:29:50.5\""},
      {of(TypeId::timestamp_tz), "2026-11-23 22:29:50.5+00", "\"2026-11-23T22:29:50.5Z\""},
      {of(TypeId::timestamp_tz), "infinity", "\"infinity\""},
      {of(TypeId::interval), "P1Y2M-3DT4H5M6.5S", "\"P1Y2M-3DT4H5M6.5S\""},
      {of(TypeId::uuid), "00112233-4455-6677-8899-aabbccddeeff", "\"00112233-4455-6677-8899-aabbccddeeff\""},
      {of(TypeId::json), "{\"a\":\n1}", "\"{\\\"a\\\":\\n1}\""},
      {Type::array_of(of(TypeId::int32)), "{1,NULL,3}", "[1,null,3]"},
  };
  for (const auto& [type, text, json] : cases) EXPECT_EQ(json_of(type, text), json) << to_string(type);
}

std::string array_json(std::string_view literal, const Type& element) {
  std::string out;
  append_array_json(out, literal, element);
  return out;
}

TEST(ArrayJsonTest, literals_become_nested_arrays) {
  const auto text = Type::text();
  EXPECT_EQ(array_json("{}", text), "[]");
  EXPECT_EQ(array_json("{a,\"b c\",NULL,\"NULL\",\"\"}", text), R"(["a","b c",null,"NULL",""])");
  EXPECT_EQ(array_json(R"({"a\"b","c\\d","e,f","{g}"})", text), R"(["a\"b","c\\d","e,f","{g}"])");
  EXPECT_EQ(array_json("{{1,2},{3,4}}", Type::of(TypeId::int32)), "[[1,2],[3,4]]");
  EXPECT_EQ(array_json("[0:1]={1,2}", Type::of(TypeId::int64)), "\"[0:1]={1,2}\"");
  EXPECT_EQ(array_json("{1.50,NaN}", Type::decimal(4, 2)), R"(["1.50","NaN"])");
  EXPECT_EQ(array_json("{t,f}", Type::of(TypeId::boolean)), "[true,false]");
  EXPECT_EQ(array_json("{\"2026-11-23 10:00:00\"}", Type::of(TypeId::timestamp)),
            R"(["2026-11-23T10:00:00"])");
  EXPECT_EQ(array_json("{(1,1),(0,0);(2,2),(1,1)}", Type::text("box")), R"j(["(1,1),(0,0)","(2,2),(1,1)"])j");
}

TEST(ArrayJsonTest, a_text_that_is_no_literal_stays_as_a_string) {
  for (const auto* literal :
       {"", "{", "}", "{1", "{1,}", "{,1}", "{1}}", "{{1}", "1,2", "[0:1]{1}", "{\"a}", "{\"a\\"}) {
    const auto json = array_json(literal, Type::text());
    EXPECT_EQ(json.front(), '"') << literal << " gave " << json;
  }
  EXPECT_EQ(array_json("{x}", Type::of(TypeId::int32)), "[\"x\"]");
  EXPECT_EQ(array_json(std::string(1000, '{'), Type::text()).front(), '"');
}

RC_GTEST_PROP(ArrayJsonTest, any_literal_gives_json_that_parses, (const std::string& literal)) {
  simdjson::dom::parser parser;
  for (const auto& text : {literal, "{" + literal + "}", "{\"" + literal + "\"}"}) {
    const auto json = array_json(text, Type::text());
    RC_ASSERT(parser.parse(json).error() == simdjson::SUCCESS);
    RC_ASSERT(json.find('\n') == json.npos);
  }
}

RC_GTEST_PROP(JsonValueTest, any_bytes_in_a_string_give_one_line_of_json_that_parses,
              (const std::string& bytes)) {
  ColumnVector column(Physical::varlen);
  column.push_text(bytes);
  std::string json;
  append_json_value(json, Type::text(), column, 0);
  simdjson::dom::parser parser;
  RC_ASSERT(parser.parse(json).error() == simdjson::SUCCESS);
  RC_ASSERT(json.find('\n') == json.npos);
}

}  // namespace
}  // namespace maia::codec
