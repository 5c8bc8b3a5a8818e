// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/connectors/duckdb/destination_fixture.h"

namespace maia::duckdb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = ColumnChange::Kind;

class AlterTest : public DestinationTest {
 protected:
  AlterTest() {
    before_ =
        target(schema({{.name = "id", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true},
                       {.name = "a", .type = Type::of(TypeId::int32)},
                       {.name = "b", .type = Type::text()}}));
    prepare(before_);
    Batch batch(before_.schema);
    push(batch, Op::insert, {"1", "10", "x"});
    push(batch, Op::insert, {"2", std::nullopt, "20"});
    write_and_commit(before_, batch);
  }
  static ColumnChange step(Kind kind, std::string column, std::string old_name = {},
                           std::optional<std::string> existing_rows = {}) {
    return {.kind = kind,
            .column = std::move(column),
            .old_name = std::move(old_name),
            .existing_rows = std::move(existing_rows)};
  }
  Status alter(std::vector<Column> columns, std::vector<ColumnChange> steps, TableName name = {"s", "t"}) {
    after_ = target(schema(std::move(columns), std::move(name)));
    const SchemaChange change{.before = before_.schema, .after = after_.schema, .columns = std::move(steps)};
    return in_commit([&]() -> Status {
      auto altered = destination().alter(before_, after_, change);
      // Rows that follow in the same transaction must find the new shape.
      if (!altered.ok()) return altered;
      Batch batch(after_.schema);
      std::vector<Value> values(after_.schema->columns.size(), std::nullopt);
      values[0] = "1";
      push(batch, Op::remove, {}, values);
      return write(after_, batch);
    });
  }
  Rows rows(const std::string& table = "t") { return query("SELECT * FROM " + table + " ORDER BY id"); }
  static Column id() {
    return {.name = "id", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true};
  }
  static Column a() { return {.name = "a", .type = Type::of(TypeId::int32)}; }
  static Column b() { return {.name = "b", .type = Type::text()}; }

  TableTarget before_;
  TableTarget after_;
};

TEST_F(AlterTest, an_added_column_gives_existing_rows_their_value) {
  const std::pair<Type, const char*> values[] = {
      {Type::text(), "it's \"q\" \\ ünï"},
      {Type::of(TypeId::timestamp_tz), "2026-11-23 22:29:50.5+00"},
      {Type::of(TypeId::date), "0044-03-15 BC"},
      {Type::of(TypeId::interval), "P1Y2M-3DT4H5M6.5S"},
      {Type::of(TypeId::bytes), "\\x00ff27"},
      {Type::of(TypeId::uuid), "ffffffff-ffff-4fff-bfff-ffffffffffff"},
      {Type::decimal(38, 2), "-123456789012345678901234567890123456.78"},
      {Type::array_of(Type::text()), "{\"a,'b\",NULL}"},
      {Type::of(TypeId::json), "{\"a\": 1}"},
      {Type::of(TypeId::boolean), "t"},
      {Type::of(TypeId::float64), "-Infinity"}};
  int number = 0;
  for (const auto& [type, text] : values) {
    auto columns = before_.schema->columns;
    columns.push_back({.name = "n" + std::to_string(number++), .type = type, .nullable = false});
    must(alter(columns, {step(Kind::add, columns.back().name, "", text)}));
    // The same value by the way of rows.
    Batch batch(after_.schema);
    std::vector<Value> row(columns.size(), kUnchanged);
    row[0] = "3";
    row[1] = row[2] = std::nullopt;
    for (std::size_t i = 3; i < columns.size(); ++i) row[i] = values[i - 3].second;
    push(batch, Op::insert, row);
    write_and_commit(after_, batch);
    before_ = after_;
    EXPECT_EQ(query("SELECT count(DISTINCT CAST(" + columns.back().name + " AS VARCHAR)) FROM t"),
              (Rows{{"1"}}))
        << text;
  }
  EXPECT_EQ(rows().size(), 2U);
}

TEST_F(AlterTest, columns_are_dropped_added_renamed_and_swapped) {
  must(alter({id(), {.name = "c", .type = Type::of(TypeId::int32)}, {.name = "a", .type = Type::text()}, b()},
             {step(Kind::rename, "c", "a"), step(Kind::rename, "a", "b"), step(Kind::add, "b")}));
  EXPECT_EQ(rows(), (Rows{{"2", std::nullopt, "20", std::nullopt}}));
  EXPECT_EQ(query("SELECT column_name FROM (DESCRIBE t)"), (Rows{{"id"}, {"c"}, {"a"}, {"b"}}));
  prepare(after_);
}

TEST_F(AlterTest, two_columns_swap_their_names) {
  must(alter({id(), {.name = "b", .type = Type::of(TypeId::int32)}, {.name = "a", .type = Type::text()}},
             {step(Kind::rename, "b", "a"), step(Kind::rename, "a", "b")}));
  EXPECT_EQ(query("SELECT id, a, b FROM t"), (Rows{{"2", "20", std::nullopt}}));
}

TEST_F(AlterTest, a_dropped_column_makes_room_for_another_of_its_name) {
  must(alter({id(), b(), {.name = "a", .type = Type::text()}},
             {step(Kind::drop, "a"), step(Kind::add, "a", "", "new")}));
  EXPECT_EQ(query("SELECT id, b, a FROM t"), (Rows{{"2", "20", "new"}}));
}

TEST_F(AlterTest, types_change_with_the_rows_that_are_there) {
  must(alter({id(), {.name = "a", .type = Type::decimal(12, 2)}, b()}, {step(Kind::retype, "a")}));
  before_ = after_;
  must(alter({id(), {.name = "a", .type = Type::text()}, b()}, {step(Kind::retype, "a")}));
  EXPECT_EQ(query("SELECT column_type FROM (DESCRIBE t)"), (Rows{{"INTEGER"}, {"VARCHAR"}, {"VARCHAR"}}));
  prepare(after_);
}

TEST_F(AlterTest, values_that_cannot_be_turned_are_refused_by_column_and_nothing_changes) {
  const auto altered =
      alter({id(), a(), {.name = "b", .type = Type::of(TypeId::int32)}}, {step(Kind::retype, "b")});
  ASSERT_FALSE(altered.ok());
  EXPECT_EQ(altered.error().code, Error::Code::data);
  EXPECT_THAT(altered.error().message,
              HasSubstr("column b: some rows that are there do not fit into INTEGER"));
  EXPECT_THAT(altered.error().hint, HasSubstr("Resync"));
  EXPECT_EQ(rows().size(), 2U);
  prepare(before_);
}

TEST_F(AlterTest, a_cast_that_would_spell_values_differently_is_refused) {
  must(alter({id(), {.name = "a", .type = Type::of(TypeId::float64)}, b()}, {step(Kind::retype, "a")}));
  before_ = after_;
  const auto altered = alter({id(), {.name = "a", .type = Type::text()}, b()}, {step(Kind::retype, "a")});
  ASSERT_FALSE(altered.ok());
  EXPECT_EQ(altered.error().code, Error::Code::unsupported);
  EXPECT_THAT(altered.error().message, HasSubstr("column a"));
}

TEST_F(AlterTest, nullability_changes_if_the_rows_allow_it) {
  auto strict = b();
  strict.nullable = false;
  must(alter({id(), a(), strict}, {step(Kind::nullability, "b")}));
  EXPECT_EQ(query("SELECT \"null\" FROM (DESCRIBE t)"), (Rows{{"NO"}, {"YES"}, {"NO"}}));
  before_ = after_;
  must(alter({id(), a(), b()}, {step(Kind::nullability, "b")}));
  before_ = after_;
  auto refused = a();
  refused.nullable = false;
  const auto altered = alter({id(), refused, b()}, {step(Kind::nullability, "a")});
  ASSERT_FALSE(altered.ok());
  EXPECT_THAT(altered.error().message, HasSubstr("column a"));
}

TEST_F(AlterTest, a_table_is_renamed_within_and_across_schemas_and_in_case) {
  const std::vector<Column> columns = before_.schema->columns;
  for (const TableName& name :
       {TableName{"s", "u"}, TableName{"s", "U"}, TableName{"other", "v"}, TableName{"", "w"}}) {
    must(alter(columns, {}, name));
    before_ = after_;
    prepare(after_);
    const auto schema = name.schema.empty() ? "main" : name.schema;
    EXPECT_EQ(query("SELECT count(*) FROM duckdb_tables() WHERE schema_name = '" + schema +
                    "' AND table_name = '" + name.table + "'"),
              (Rows{{"1"}}));
    EXPECT_EQ(rows(schema + "." + name.table), (Rows{{"2", std::nullopt, "20"}}));
    EXPECT_EQ(query("SELECT \"null\" FROM (DESCRIBE " + schema + "." + name.table + ")"),
              (Rows{{"NO"}, {"YES"}, {"YES"}}));
  }
}

TEST_F(AlterTest, a_rename_onto_another_table_is_refused) {
  prepare(target(schema({id()}, {"s", "taken"})));
  const auto altered = alter(before_.schema->columns, {}, {"s", "taken"});
  ASSERT_FALSE(altered.ok());
  EXPECT_THAT(altered.error().message, HasSubstr("there already"));
}

TEST_F(AlterTest, the_key_changes_with_its_column) {
  must(alter({id(),
              {.name = "a", .type = Type::of(TypeId::int32)},
              {.name = "b", .type = Type::text(), .in_key = true}},
             {step(Kind::key, "b")}));
  prepare(after_);
  EXPECT_EQ(query("SELECT key_columns FROM maia.tables"), (Rows{{"\"id\",\"b\""}}));
}

TEST_F(AlterTest, an_index_made_by_hand_is_named_as_the_obstacle) {
  destination_.reset();
  {
    const auto database = Database::open(config_);
    ASSERT_TRUE(database.ok());
    auto connection = (*database)->connect();
    must(connection->run("CREATE INDEX by_a ON s.t (a)", "by hand"));
  }
  const auto altered = alter({id(), a()}, {step(Kind::drop, "b")});
  ASSERT_FALSE(altered.ok());
  EXPECT_THAT(altered.error().hint, HasSubstr("index"));
}

/// Rows and shape change in one transaction, in every order; DuckDB refuses some of them when done plainly.
class AlterAmidChanges : public AlterTest {
 protected:
  /// Does one step on the table that is at `target_`; values are (id, x1, x2 ...) by id.
  Status change(int kind) {
    auto shape = *target_.schema;
    SchemaChange change{.before = target_.schema};
    switch (kind) {
      case 0: return rows(Op::insert, "9");
      case 1: return rows(Op::update, "2");
      case 2: return rows(Op::remove, "1");
      case 3:
        shape.columns.push_back(
            {.name = "n" + std::to_string(number_++), .type = Type::text(), .nullable = number_ % 2 == 0});
        change.columns = {step(Kind::add, shape.columns.back().name, "", "default")};
        for (auto& [id, values] : model_) values.push_back("default");
        break;
      case 4:
        shape.columns.erase(shape.columns.begin() + 1);
        change.columns = {step(Kind::drop, target_.schema->columns[1].name)};
        for (auto& [id, values] : model_) values.erase(values.begin());
        break;
      case 5: {
        const auto old_name = shape.columns.back().name;
        shape.columns.back().name = "r" + std::to_string(number_++);
        change.columns = {step(Kind::rename, shape.columns.back().name, old_name)};
        break;
      }
      case 6:
        shape.columns[0].type =
            shape.columns[0].type.id == TypeId::int32 ? Type::of(TypeId::int64) : Type::of(TypeId::int32);
        change.columns = {step(Kind::retype, "id")};
        break;
      case 7: shape.name.table = "t" + std::to_string(number_++); break;
      default: return {};
    }
    const auto before = target_;
    target_ = target(std::make_shared<const TableSchema>(std::move(shape)));
    change.after = target_.schema;
    return destination().alter(before, target_, change);
  }
  Status rows(Op op, const std::string& id) {
    Batch batch(target_.schema);
    std::vector<Value> row(target_.schema->columns.size(), "v" + std::to_string(number_++));
    row[0] = id;
    if (op == Op::update && row.size() > 2) row.back() = kUnchanged;
    push(batch, op, op == Op::remove ? std::vector<Value>{} : row,
         op == Op::remove ? row : std::vector<Value>{});
    if (op == Op::remove) {
      model_.erase(id);
    } else if (op == Op::insert || model_.contains(id)) {
      auto& values = model_[id];
      values.resize(row.size() - 1);
      for (std::size_t i = 1; i < row.size(); ++i) {
        if (row[i] != kUnchanged) values[i - 1] = row[i];
      }
    }
    return write(target_, batch);
  }

  void forget() {
    const auto database = Database::open(config_);
    ASSERT_TRUE(database.ok());
    auto connection = (*database)->connect();
    must(connection->run("DROP TABLE s.\"" + target_.name.table + "\"; DELETE FROM maia.tables", "forget"));
  }

  TableTarget target_;
  std::map<std::string, std::vector<Value>> model_;
  int number_ = 0;
};

TEST_F(AlterAmidChanges, rows_and_shape_change_in_any_order_within_a_transaction) {
  for (int sequence = 0; sequence < 8 * 8 * 8; ++sequence) {
    const int kinds[] = {sequence % 8, sequence / 8 % 8, sequence / 64};
    // Rows change with one of 0 to 2. What matters is a shape that changes after rows, or between them.
    const bool shape_after_rows = kinds[0] <= 2 && kinds[1] > 2;
    const bool rows_between_shapes = kinds[0] > 2 && kinds[1] <= 2 && kinds[2] > 2;
    if (!shape_after_rows && !rows_between_shapes) continue;
    const auto name = TableName{"s", "x" + std::to_string(sequence)};
    target_ = target(schema({id(),
                             {.name = "p", .type = Type::text()},
                             {.name = "q", .type = Type::text()},
                             {.name = "z", .type = Type::text()},
                             {.name = "y", .type = Type::text()}},
                            name));
    model_ = {{"1", {"a", "b", "c", "d"}}, {"2", {"e", "f", "g", "h"}}};
    prepare(target_);
    Batch first(target_.schema);
    for (const auto& [id, v] : model_) push(first, Op::insert, {id, v[0], v[1], v[2], v[3]});
    write_and_commit(target_, first);
    const auto done = in_commit([&]() -> Status {
      for (const int kind : kinds) {
        auto changed = change(kind);
        if (!changed.ok()) return changed;
      }
      return {};
    });
    ASSERT_TRUE(done.ok()) << done.error().message << " in " << kinds[0] << kinds[1] << kinds[2];
    std::string columns;
    for (const auto& column : target_.schema->columns)
      columns += (columns.empty() ? "\"" : ", \"") + column.name + "\"";
    Rows expected;
    for (const auto& [id, values] : model_) {
      expected.push_back({id});
      expected.back().insert(expected.back().end(), values.begin(), values.end());
    }
    ASSERT_EQ(query("SELECT " + columns + " FROM s.\"" + target_.name.table + "\" ORDER BY id"), expected)
        << kinds[0] << kinds[1] << kinds[2];
    forget();
  }
}

}  // namespace
}  // namespace maia::duckdb
