// SPDX-License-Identifier: Apache-2.0
#include "maia/base/json_text.h"

#include <gmock/gmock.h>

namespace maia {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonTextTest, what_json_reserves_is_escaped) {
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("plain / text"), "\"plain / text\"");
  EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(quoted("\n\r\t\b\f"), R"("\n\r\t\u0008\u000c")");
  EXPECT_EQ(quoted(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
}

TEST(JsonTextTest, characters_of_every_length_stay_as_they_are) {
  EXPECT_EQ(quoted("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf"),
            "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf\"");
}

TEST(JsonTextTest, bytes_that_are_not_utf8_become_the_replacement_character) {
  const std::string replacement = "\xef\xbf\xbd";
  EXPECT_EQ(quoted("a\xff"
                   "b"),
            "\"a" + replacement + "b\"");
  EXPECT_EQ(quoted("\xc3"), "\"" + replacement + "\"");
  EXPECT_EQ(quoted("\xc0\xaf"), "\"" + replacement + replacement + "\"");
  EXPECT_EQ(quoted("\xed\xa0\x80"), "\"" + replacement + replacement + replacement + "\"");
  EXPECT_EQ(quoted("\xe0\x80\x80"), "\"" + replacement + replacement + replacement + "\"");
  EXPECT_EQ(quoted("\xf4\x90\x80\x80"), "\"" + replacement + replacement + replacement + replacement + "\"");
  EXPECT_EQ(quoted("\xe2\x82"), "\"" + replacement + replacement + "\"");
}

}  // namespace
}  // namespace maia
