// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/schema_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/engine/drift.h"

namespace maia::engine {
namespace {

using Kind = ColumnChange::Kind;

Column column(std::string name, std::string id, Type type = Type::text(), bool nullable = true,
              bool in_key = false) {
  Column column;
  column.name = std::move(name);
  column.id = std::move(id);
  column.type = std::move(type);
  column.nullable = nullable;
  column.in_key = in_key;
  return column;
}

TableSchema table(std::vector<Column> columns) {
  TableSchema schema;
  schema.id = "1";
  schema.name = {"public", "orders"};
  schema.columns = std::move(columns);
  return schema;
}

std::vector<std::pair<Kind, std::string>> steps(const std::vector<ColumnChange>& changes) {
  std::vector<std::pair<Kind, std::string>> steps;
  for (const auto& change : changes) steps.emplace_back(change.kind, change.column);
  return steps;
}

const auto kBefore = table({column("id", "1", Type::of(TypeId::int32), false, true),
                            column("name", "2", Type::text(), false), column("old", "3")});

TEST(SchemaDiff, the_same_shape_differs_in_nothing) { EXPECT_TRUE(diff_columns(kBefore, kBefore).empty()); }

TEST(SchemaDiff, a_column_with_the_same_id_and_another_name_is_renamed) {
  auto after = kBefore;
  after.columns[1].name = "title";
  const auto changes = diff_columns(kBefore, after);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, Kind::rename);
  EXPECT_EQ(changes[0].old_name, "name");
  EXPECT_EQ(changes[0].column, "title");
}

TEST(SchemaDiff, a_column_dropped_and_made_again_under_its_name_is_both) {
  auto after = kBefore;
  after.columns[2].id = "4";
  EXPECT_THAT(steps(diff_columns(kBefore, after)),
              testing::ElementsAre(std::pair(Kind::drop, "old"), std::pair(Kind::add, "old")));
}

TEST(SchemaDiff, types_nullability_and_key_are_changes_in_place) {
  auto after = kBefore;
  after.columns[0].type = Type::of(TypeId::int64);
  after.columns[1].nullable = true;
  after.columns[1].in_key = true;
  EXPECT_THAT(steps(diff_columns(kBefore, after)),
              testing::ElementsAre(std::pair(Kind::retype, "id"), std::pair(Kind::nullability, "name"),
                                   std::pair(Kind::key, "")));
}

TableSchema evolved() {
  return table({column("id", "1", Type::of(TypeId::int32), false, true),
                column("title", "2", Type::text(), false), column("new", "4")});
}

TEST(Drift, evolve_follows_everything) {
  const auto plan = plan_drift(kBefore, evolved(), {}, {});
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(steps(plan->changes),
              testing::ElementsAre(std::pair(Kind::rename, "title"), std::pair(Kind::drop, "old"),
                                   std::pair(Kind::add, "new")));
  EXPECT_TRUE(diff_columns(plan->target, evolved()).empty());
}

TEST(Drift, lenient_keeps_what_was_dropped_or_renamed_and_lets_it_be_null) {
  const auto plan = plan_drift(kBefore, evolved(), {.on_drift = Drift::lenient, .by_kind = {}}, {});
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(steps(plan->changes),
              testing::ElementsAre(std::pair(Kind::nullability, "name"), std::pair(Kind::add, "title"),
                                   std::pair(Kind::add, "new")));
  EXPECT_TRUE(plan->target.find("old").has_value());
  EXPECT_TRUE(plan->target.columns[*plan->target.find("name")].nullable);
}

TEST(Drift, ignore_changes_nothing_but_what_rows_without_values_need) {
  const auto plan = plan_drift(kBefore, evolved(), {.on_drift = Drift::ignore, .by_kind = {}}, {});
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(steps(plan->changes), testing::ElementsAre(std::pair(Kind::nullability, "name")));
  EXPECT_FALSE(plan->target.find("new").has_value());
  EXPECT_EQ(plan->kept_back.size(), 3u);
}

TEST(Drift, stop_names_the_table_and_the_change) {
  const auto plan = plan_drift(kBefore, evolved(), {.on_drift = Drift::stop, .by_kind = {}}, {});
  ASSERT_FALSE(plan.ok());
  EXPECT_THAT(plan.error().message, testing::HasSubstr("public.orders"));
  EXPECT_THAT(plan.error().message, testing::HasSubstr("rename column name to title"));
}

TEST(Drift, a_policy_for_one_kind_overrides_the_general_one) {
  const auto plan = plan_drift(kBefore, evolved(),
                               {.on_drift = Drift::evolve, .by_kind = {{Kind::drop, Drift::ignore}}}, {});
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->target.find("old").has_value());
  EXPECT_TRUE(plan->target.find("title").has_value());
}

TEST(Drift, what_the_destination_refused_is_left_out_the_next_time) {
  const auto plan =
      plan_drift(kBefore, evolved(), {.on_drift = Drift::try_evolve, .by_kind = {}}, {Kind::add});
  ASSERT_TRUE(plan.ok());
  EXPECT_FALSE(plan->target.find("new").has_value());
}

}  // namespace
}  // namespace maia::engine
