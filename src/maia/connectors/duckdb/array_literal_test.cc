// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/array_literal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace maia::duckdb {
namespace {

using Shape = ArrayLiteral::Shape;
using testing::ElementsAre;

std::vector<std::string> elements(std::string_view text, Shape* shape = nullptr, char delimiter = ',') {
  ArrayLiteral literal(text, delimiter);
  std::vector<std::string> elements;
  while (literal.next()) elements.push_back(literal.is_null() ? "<null>" : std::string(literal.element()));
  if (shape) *shape = literal.shape();
  return elements;
}

Shape shape_of(std::string_view text) {
  auto shape = Shape::list;
  elements(text, &shape);
  return shape;
}

TEST(array_literal, elements_come_unquoted_and_null_is_told_from_its_text) {
  EXPECT_THAT(elements("{1,NULL,\"a b\",\"NULL\",\"x\\\"y\\\\z\",\"\"}"),
              ElementsAre("1", "<null>", "a b", "NULL", "x\"y\\z", ""));
  EXPECT_THAT(elements("{}"), ElementsAre());
  EXPECT_EQ(shape_of("{}"), Shape::list);
  EXPECT_THAT(elements("{(1,1),(0,0);(2,2),(1,1)}", nullptr, ';'), ElementsAre("(1,1),(0,0)", "(2,2),(1,1)"));
}

TEST(array_literal, more_dimensions_and_other_bounds_are_no_list) {
  EXPECT_EQ(shape_of("{{1,2},{3,4}}"), Shape::other);
  EXPECT_EQ(shape_of("[0:1]={1,2}"), Shape::other);
}

TEST(array_literal, every_truncation_of_a_literal_is_malformed) {
  const std::string_view text = "{1,NULL,\"a \\\" b\",x}";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(shape_of(text.substr(0, size)), Shape::malformed) << text.substr(0, size);
  }
  for (const auto* bad : {"{1,}", "{,}", "{1,2}}", "{1 ", "1", "{\"a\"b}", "{a\"b\"}", "[1:2"}) {
    EXPECT_EQ(shape_of(bad), Shape::malformed) << bad;
  }
}

}  // namespace
}  // namespace maia::duckdb
