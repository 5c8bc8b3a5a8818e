// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/table_fact.h"

#include <gtest/gtest.h>

namespace maia::engine {
namespace {

TableFact sample() {
  TableSchema schema;
  schema.id = "16384";
  schema.name = {"we\"ird", "tab\\le\n"};
  schema.identity = Identity::full;
  schema.version = 7;
  Column column;
  column.name = "\xC3\xA9 \"x\"";
  column.type = Type::array_of(Type::decimal(10, 2), 2);
  column.native_type = "numeric(10,2)[][]";
  column.id = "3";
  column.nullable = false;
  column.in_key = true;
  schema.columns = {column, column};
  schema.columns[1].type = Type::text("inet");
  TableFact fact;
  fact.state = TableState::snapshot;
  fact.source = fact.target = std::make_shared<const TableSchema>(schema);
  fact.snapshot = {"token \"1\"", {0, 1, 2, 5, 7, 8}};
  fact.chunks = 9;
  fact.rows = 1'000'000'000'000;
  fact.converge_until = Position{"1/2/3"};
  fact.had_until = Position{"1/2/2"};
  fact.held = Held{Sequence{77}, Position{"0/9"}};
  fact.resync = "id >= 'a \"b\"'";
  fact.reason = "value \"x\" does not fit\n";
  fact.hint = "widen it";
  fact.left_at = 1'790'000'000'000'000;
  fact.schema_changes = 3;
  fact.last_schema_change = "added \"x\"";
  return fact;
}

TEST(TableFact, comes_back_from_json_as_it_was) {
  const auto fact = sample();
  const auto back = table_fact_from_json(to_json(fact));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->state, fact.state);
  EXPECT_EQ(*back->source, *fact.source);
  EXPECT_EQ(*back->target, *fact.target);
  EXPECT_EQ(back->snapshot.token, fact.snapshot.token);
  EXPECT_EQ(back->snapshot.done, fact.snapshot.done);
  EXPECT_EQ(back->chunks, 9u);
  EXPECT_EQ(back->rows, fact.rows);
  EXPECT_FALSE(back->skip_until.has_value());
  EXPECT_EQ(back->converge_until->token, "1/2/3");
  EXPECT_EQ(back->had_until->token, "1/2/2");
  EXPECT_EQ(back->held, fact.held);
  EXPECT_EQ(back->resync, fact.resync);
  EXPECT_EQ(back->reason, fact.reason);
  EXPECT_EQ(back->hint, fact.hint);
  EXPECT_EQ(back->left_at, fact.left_at);
  EXPECT_EQ(back->schema_changes, 3u);
  EXPECT_EQ(back->last_schema_change, fact.last_schema_change);
  EXPECT_FALSE(back->copied);
}

TEST(TableFact, every_state_comes_back_and_an_unknown_one_is_called_damaged) {
  auto fact = sample();
  for (const auto state : kTableStates) {
    fact.state = state;
    EXPECT_EQ(table_fact_from_json(to_json(fact))->state, state);
  }
  auto json = to_json(fact);
  json.replace(json.find("\"state\":") + 8, 1, "7");
  const auto unknown = table_fact_from_json(json);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, Error::Code::corruption);
}

TEST(TableFact, a_fact_of_an_earlier_version_is_understood) {
  auto fact = sample();
  fact.state = TableState::streaming;
  auto json = to_json(fact);
  json = json.substr(0, json.find(",\"copied\"")) + "}";
  const auto back = table_fact_from_json(json);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(back->copied);
  EXPECT_FALSE(back->held.has_value());
}

TEST(TableFact, any_cut_of_the_json_is_called_damaged) {
  const auto json = to_json(sample());
  for (std::size_t size = 0; size < json.size(); ++size) {
    const auto back = table_fact_from_json(std::string_view(json).substr(0, size));
    ASSERT_FALSE(back.ok()) << size;
    EXPECT_EQ(back.error().code, Error::Code::corruption);
  }
}

TEST(TableFact, the_key_of_a_fact_names_its_table) {
  EXPECT_EQ(table_of_fact(fact_key("16384")), "16384");
  EXPECT_FALSE(table_of_fact("other/16384").has_value());
}

}  // namespace
}  // namespace maia::engine
