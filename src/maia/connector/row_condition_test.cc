// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/row_condition.h"

#include <gtest/gtest.h>

namespace maia {
namespace {

using Compare = RowCondition::Compare;

TEST(RowCondition, comparisons_joined_by_and_are_read_in_order) {
  const auto read = parse_row_condition("  id>=10 AND id < -20.5 and \"Odd \"\"Name\" = 'it''s'  ");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const RowCondition expected{.all = {{"id", Compare::at_least, {"10"}},
                                      {"id", Compare::less, {"-20.5"}},
                                      {"Odd \"Name", Compare::equal, {"it's"}}}};
  EXPECT_EQ(*read, expected);
}

TEST(RowCondition, every_comparison_and_lists_are_read) {
  const auto read = parse_row_condition("a = 1 and b <= 2 and c > 3 and d in ('x', 'y',5) and android = 7");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const RowCondition expected{.all = {{"a", Compare::equal, {"1"}},
                                      {"b", Compare::at_most, {"2"}},
                                      {"c", Compare::greater, {"3"}},
                                      {"d", Compare::one_of, {"x", "y", "5"}},
                                      {"android", Compare::equal, {"7"}}}};
  EXPECT_EQ(*read, expected);
}

TEST(RowCondition, an_empty_text_is_every_row) {
  EXPECT_TRUE(parse_row_condition("").value().all.empty());
  EXPECT_TRUE(parse_row_condition("  ").value().all.empty());
}

TEST(RowCondition, anything_else_is_refused_with_what_was_expected) {
  for (const char* text :
       {"id", "id =", "id = now()", "id = 1 or id = 2", "id = 1;", "1 = 1", "id in ()", "id in (1", "id = 'x",
        "\"id = 1", "id <> 1", "id = 1 and", "id = 1 -- x", "id = 10 andid = 2", "id = - 1", "lower(id) = 1",
        "id = 1 2", "\"\" = 1", "id = 1and id = 2"}) {
    const auto read = parse_row_condition(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, Error::Code::invalid_config);
    EXPECT_NE(read.error().message.find("expected"), std::string::npos) << text;
    EXPECT_FALSE(read.error().hint.empty());
  }
}

}  // namespace
}  // namespace maia
