// SPDX-License-Identifier: Apache-2.0
#include "maia/types/value_text.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace maia {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What `text` becomes after a way into a column and out again; "refused" if it is no value of the type.
std::string there_and_back(const Type& type, std::string_view text) {
  ColumnVector column(physical(type));
  if (!push_value_text(column, type, text).ok()) {
    EXPECT_EQ(column.size(), 0u) << "a refused text must leave nothing behind";
    return "refused";
  }
  EXPECT_EQ(column.size(), 1u);
  std::string out;
  append_value_text(out, type, column, 0);
  return out;
}

struct Case {
  Type type;
  std::vector<std::string> canonical;
  std::vector<std::string> refused;
};

std::vector<Case> cases() {
  const auto of = [](TypeId id) { return Type::of(id); };
  const std::string nines(38, '9');
  return {
      {of(TypeId::boolean), {"t", "f"}, {"", "T", "1", "yes", "true "}},
      {of(TypeId::int16), {"0", "-32768", "32767"}, {"32768", "-32769", "+1", "1.0", "", " 1", "1 "}},
      {of(TypeId::int32), {"-2147483648", "2147483647"}, {"2147483648", "0x1", "--1", "-"}},
      {of(TypeId::int64), {"-9223372036854775808", "9223372036854775807"}, {"9223372036854775808", "1e3"}},
      {of(TypeId::float32), {"-0", "1e+20", "0.1", "NaN", "-Infinity"}, {"1e39", "nan", ""}},
      {of(TypeId::float64), {"-0", "1e+20", "5e-324", "NaN", "Infinity"}, {"1e309", "inf", "1.x"}},
      {Type::decimal(10, 2),
       {"-12.50", "0.00", "99999999.99", "NaN", "Infinity", "-Infinity"},
       {"100000000.00", "1.234", "", "-", "1,5", "1e+-5", "abc"}},
      {Type::decimal(38, 0), {nines, "-" + nines}, {"1" + std::string(38, '0'), "0.5"}},
      {Type::decimal(0, 0),
       {"1" + std::string(500, '0') + ".000", "-0.1", "NaN", "-Infinity"},
       {"", "-", ".5", "5.", "1e5", "1.2.3", "+1", "nan"}},
      {Type::text(), {"", "any text", "gr\xc3\xbc\xc3\x9f"}, {}},
      {of(TypeId::bytes), {"\\x", "\\x00ff6d61"}, {"", "\\x0", "\\xzz", "x00", "\\X00", "\\x0 0"}},
      {of(TypeId::date), {"2026-11-23", "0044-03-15 BC", "infinity", "-infinity"}, {"2026-02-29"}},
      {of(TypeId::time), {"00:00:00", "24:00:00", "23:59:59.123456"}, {"24:00:01"}},
      {of(TypeId::timestamp), {"2026-11-23 22:29:50.5", "infinity"}, {"2026-11-23 22:29:50+00"}},
      {of(TypeId::timestamp_tz), {"0001-01-01 00:00:00+00 BC", "-infinity"}, {"2026-11-23 22:29:50"}},
      {of(TypeId::interval), {"P1Y2M-3DT4H5M6.5S", "PT0S", "PT-0.5S"}, {"1 day"}},
      {of(TypeId::uuid),
       {"00112233-4455-6677-8899-aabbccddeeff"},
       {"", "00112233445566778899aabbccddeeff", "00112233-4455-6677-8899-aabbccddeefg",
        "00112233-4455-6677-8899-aabbccddeeff0", "001122334-455-6677-8899-aabbccddeeff"}},
      {of(TypeId::json), {"{\"a\": [1, null]}", "null"}, {}},
      {Type::array_of(of(TypeId::int32)), {"{1,NULL,3}", "[0:1]={1,2}"}, {}},
  };
}

TEST(ValueTextTest, canonical_text_of_every_type_goes_there_and_back) {
  for (const auto& each : cases()) {
    for (const auto& text : each.canonical)
      EXPECT_EQ(there_and_back(each.type, text), text) << to_string(each.type);
  }
}

TEST(ValueTextTest, text_that_is_not_of_the_type_is_refused_and_leaves_nothing_behind) {
  for (const auto& each : cases()) {
    for (const auto& text : each.refused) {
      EXPECT_EQ(there_and_back(each.type, text), "refused")
          << to_string(each.type) << " from '" << text << "'";
    }
  }
}

TEST(ValueTextTest, other_spellings_are_brought_to_the_canonical_one) {
  EXPECT_EQ(there_and_back(Type::of(TypeId::boolean), "true"), "t");
  EXPECT_EQ(there_and_back(Type::of(TypeId::boolean), "false"), "f");
  EXPECT_EQ(there_and_back(Type::decimal(10, 2), "1.5"), "1.50");
  EXPECT_EQ(there_and_back(Type::of(TypeId::timestamp_tz), "2026-11-23 22:29:50+05:30"),
            "2026-11-23 16:59:50+00");
  EXPECT_EQ(there_and_back(Type::of(TypeId::uuid), "00112233-4455-6677-8899-AABBCCDDEEFF"),
            "00112233-4455-6677-8899-aabbccddeeff");
}

TEST(ValueTextTest, the_error_names_the_type_but_never_the_value) {
  ColumnVector column(Physical::i32);
  const auto status = push_value_text(column, Type::of(TypeId::int32), "s3cret");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Error::Code::data);
  EXPECT_THAT(status.error().message, HasSubstr("int32"));
  EXPECT_THAT(status.error().message, Not(HasSubstr("s3cret")));
}

TEST(ValueTextTest, text_is_appended_behind_what_is_there) {
  ColumnVector column(Physical::i64);
  ASSERT_TRUE(push_value_text(column, Type::of(TypeId::int64), "-7").ok());
  std::string out = "x=";
  append_value_text(out, Type::of(TypeId::int64), column, 0);
  EXPECT_EQ(out, "x=-7");
}

RC_GTEST_PROP(ValueTextTest, any_bytes_read_back, (const std::string& bytes)) {
  const auto type = Type::of(TypeId::bytes);
  ColumnVector column(Physical::varlen);
  column.push_text(bytes);
  std::string text;
  append_value_text(text, type, column, 0);
  RC_ASSERT(push_value_text(column, type, text).ok());
  RC_ASSERT(column.text(1) == bytes);
}

RC_GTEST_PROP(ValueTextTest, any_integer_reads_back, (std::int64_t value)) {
  const auto text = std::to_string(value);
  RC_ASSERT(there_and_back(Type::of(TypeId::int64), text) == text);
}

RC_GTEST_PROP(ValueTextTest, any_text_is_taken_or_refused_without_harm, (const std::string& text)) {
  for (const auto& each : cases()) there_and_back(each.type, text);
}

}  // namespace
}  // namespace maia
