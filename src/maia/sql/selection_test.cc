// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/selection.h"

#include <gtest/gtest.h>

namespace maia::sql {
namespace {

TEST(SelectionTest, globs_match_any_characters) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*c", "abbbc"));
  EXPECT_TRUE(matches_glob("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(matches_glob("?b?", "abc"));
  EXPECT_FALSE(matches_glob("?", ""));
  EXPECT_FALSE(matches_glob("a*c", "abcd"));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_TRUE(matches_glob(std::string(20, '*') + "x", std::string(2000, 'a') + "x"));
}

TEST(SelectionTest, quoted_parts_are_literal) {
  const auto selection = Selection::parse({"\"a.b\".\"*\"", "s.\"say \"\"hi\"\"\""}, {"public"});
  ASSERT_TRUE(selection.ok());
  EXPECT_TRUE(selection->includes({"a.b", "*"}));
  EXPECT_FALSE(selection->includes({"a.b", "x"}));
  EXPECT_TRUE(selection->includes({"s", "say \"hi\""}));
  EXPECT_EQ(selection->named().size(), 2u);
}

TEST(SelectionTest, exclusions_win_and_alone_leave_the_rest) {
  const auto selection = Selection::parse({"!audit.*", "!tmp_?"}, {"public", "app"});
  ASSERT_TRUE(selection.ok());
  EXPECT_TRUE(selection->includes({"any", "thing"}));
  EXPECT_FALSE(selection->includes({"audit", "log"}));
  EXPECT_FALSE(selection->includes({"app", "tmp_1"}));
  EXPECT_TRUE(selection->includes({"other", "tmp_1"})) << "a bare name means the search path";
}

}  // namespace
}  // namespace maia::sql
