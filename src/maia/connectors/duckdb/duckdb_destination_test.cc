// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/duckdb_destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/connectors/duckdb/destination_fixture.h"

namespace maia::duckdb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DuckDbDestinationTest : public DestinationTest {
 protected:
  static TableTarget people(TableName name = {"s", "people"}) {
    return target(schema({{.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true},
                          {.name = "name", .type = Type::text()}},
                         std::move(name)));
  }
};

TEST_F(DuckDbDestinationTest, rows_and_checkpoint_are_there_after_reopening) {
  const auto table = people();
  prepare(table);
  Batch batch(table.schema);
  push(batch, Op::insert, {"1", "Ada"});
  push(batch, Op::insert, {"2", std::nullopt});
  must(destination().begin());
  must(write(table, batch));
  must(destination().commit(
      {.sequence = {7}, .position = {"a\0b"}, .facts = {{"s.people", "done"}, {"x", "y"}}}));
  open();
  EXPECT_EQ(opened_.epoch.value, 2U);
  EXPECT_EQ(opened_.checkpoint.sequence.value, 7U);
  EXPECT_EQ(opened_.checkpoint.position.token, "a\0b");
  EXPECT_EQ(opened_.checkpoint.facts.at("s.people"), "done");
  must(in_commit([&] { return destination().prepare(table); }));
  EXPECT_THAT(query("SELECT * FROM people ORDER BY id"),
              ElementsAre(ElementsAre("1", "Ada"), ElementsAre("2", std::nullopt)));
}

TEST_F(DuckDbDestinationTest, rolled_back_rows_are_gone_and_the_next_commit_works) {
  const auto table = people();
  prepare(table);
  Batch batch(table.schema);
  push(batch, Op::insert, {"1", "Ada"});
  must(destination().begin());
  must(write(table, batch));
  destination().rollback();
  EXPECT_THAT(query("SELECT * FROM people"), ElementsAre());
  write_and_commit(table, batch);
  EXPECT_THAT(query("SELECT count(*) FROM people"), ElementsAre(ElementsAre("1")));
}

}  // namespace
}  // namespace maia::duckdb
