// SPDX-License-Identifier: Apache-2.0
#include "maia/types/column_vector.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <optional>

namespace maia {
namespace {

TEST(ColumnVectorTest, null_and_unchanged_are_told_apart) {
  ColumnVector column(Physical::i32);
  column.push_fixed(std::int32_t{7});
  column.push_null();
  EXPECT_FALSE(column.any_unchanged());
  column.push_unchanged();
  column.push_fixed(std::int32_t{8});
  ASSERT_EQ(column.size(), 4u);
  EXPECT_EQ(column.presence(0), Presence::value);
  EXPECT_EQ(column.presence(1), Presence::null);
  EXPECT_EQ(column.presence(2), Presence::unchanged);
  EXPECT_EQ(column.presence(3), Presence::value);
  EXPECT_EQ(column.fixed<std::int32_t>(0), 7);
  EXPECT_EQ(column.fixed<std::int32_t>(3), 8);
}

TEST(ColumnVectorTest, text_lies_end_to_end_around_absent_values) {
  ColumnVector column(Physical::varlen);
  column.push_unchanged();
  column.push_text("ab");
  column.push_text("");
  column.push_null();
  column.push_text(std::string_view("c\0d", 3));
  EXPECT_EQ(column.text(1), "ab");
  EXPECT_EQ(column.text(2), "");
  EXPECT_EQ(column.text(4), std::string_view("c\0d", 3));
  EXPECT_EQ(column.chars().size(), 5u);
  EXPECT_EQ(column.ends(), (std::vector<std::uint32_t>{0, 2, 2, 2, 5}));
}

TEST(ColumnVectorTest, truncate_keeps_the_first_rows_and_pushing_goes_on_from_there) {
  ColumnVector column(Physical::varlen);
  column.push_text("one");
  column.push_text("two");
  column.push_unchanged();
  column.truncate(1);
  column.push_null();
  column.push_text("three");
  ASSERT_EQ(column.size(), 3u);
  EXPECT_EQ(column.text(0), "one");
  EXPECT_EQ(column.presence(1), Presence::null);
  EXPECT_EQ(column.text(2), "three");
  column.truncate(0);
  EXPECT_EQ(column.size(), 0u);
  EXPECT_EQ(column.chars().size(), 0u);
}

TEST(ColumnVectorTest, a_cleared_vector_is_as_new) {
  ColumnVector column(Physical::i64);
  column.push_unchanged();
  column.push_fixed(std::int64_t{5});
  column.clear();
  EXPECT_EQ(column.size(), 0u);
  EXPECT_FALSE(column.any_unchanged());
  column.push_fixed(std::int64_t{6});
  EXPECT_EQ(column.fixed<std::int64_t>(0), 6);
}

TEST(ColumnVectorTest, assembling_from_raw_memory_gives_the_same_column) {
  ColumnVector column(Physical::i16);
  column.push_fixed(std::int16_t{1});
  column.push_unchanged();
  column.push_null();
  const auto copy =
      ColumnVector::assemble(Physical::i16, column.fixed_bytes(), {}, {}, column.valid(), column.unchanged());
  ASSERT_EQ(copy.size(), 3u);
  EXPECT_EQ(copy.fixed<std::int16_t>(0), 1);
  EXPECT_EQ(copy.presence(1), Presence::unchanged);
  EXPECT_EQ(copy.presence(2), Presence::null);
}

RC_GTEST_PROP(ColumnVectorTest, copying_value_by_value_keeps_every_value_and_presence,
              (const std::vector<std::pair<std::uint8_t, std::string>>& rows)) {
  ColumnVector column(Physical::varlen);
  for (const auto& [kind, text] : rows) {
    if (kind % 3 == 0) column.push_text(text);
    if (kind % 3 == 1) column.push_null();
    if (kind % 3 == 2) column.push_unchanged();
  }
  ColumnVector copy(Physical::varlen);
  for (std::size_t row = 0; row < column.size(); ++row) copy.push_from(column, row);
  RC_ASSERT(copy.size() == rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const Presence expected[] = {Presence::value, Presence::null, Presence::unchanged};
    RC_ASSERT(copy.presence(row) == expected[rows[row].first % 3]);
    if (copy.has_value(row)) RC_ASSERT(copy.text(row) == rows[row].second);
  }
}

}  // namespace
}  // namespace maia
