// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/connectors/duckdb/destination_fixture.h"
#include "maia/connectors/duckdb/type_map.h"

namespace maia::duckdb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A type with values in canonical text and what DuckDB says to each as text.
struct TypeCase {
  std::string name;
  Type type;
  std::string native;
  std::vector<std::pair<std::string, std::string>> values;
};

void PrintTo(const TypeCase& type, std::ostream* out) { *out << type.name; }

Type of(TypeId id) { return Type::of(id); }

std::vector<TypeCase> numbers_and_texts() {
  const std::string nines(38, '9');
  const std::string long_text(5000, 'x');
  return {
      {"boolean", of(TypeId::boolean), "BOOLEAN", {{"t", "true"}, {"f", "false"}}},
      {"int16", of(TypeId::int16), "SMALLINT", {{"-32768", "-32768"}, {"32767", "32767"}}},
      {"int32", of(TypeId::int32), "INTEGER", {{"-2147483648", "-2147483648"}, {"0", "0"}}},
      {"int64", of(TypeId::int64), "BIGINT", {{"-9223372036854775808", "-9223372036854775808"}}},
      {"float32", of(TypeId::float32), "FLOAT", {{"1.5", "1.5"}, {"NaN", "nan"}, {"-Infinity", "-inf"}}},
      {"float64", of(TypeId::float64), "DOUBLE", {{"5e-324", "5e-324"}, {"Infinity", "inf"}, {"-0", "-0.0"}}},
      {"decimal4", Type::decimal(4, 2), "DECIMAL(4,2)", {{"-99.99", "-99.99"}, {"0.01", "0.01"}}},
      {"decimal9", Type::decimal(9, 0), "DECIMAL(9,0)", {{"999999999", "999999999"}}},
      {"decimal18",
       Type::decimal(18, 18),
       "DECIMAL(18,18)",
       {{"-0.999999999999999999", "-.999999999999999999"}}},
      {"decimal38", Type::decimal(38, 0), "DECIMAL(38,0)", {{nines, nines}, {"-" + nines, "-" + nines}}},
      {"decimal_small", Type::decimal(3, 5), "DECIMAL(5,5)", {{"0.00999", ".00999"}}},
      {"numeric",
       Type::decimal(0, 0),
       "VARCHAR",
       {{"1" + nines + ".10", "1" + nines + ".10"}, {"NaN", "NaN"}}},
      {"string",
       Type::text(),
       "VARCHAR",
       {{"", ""},
        {"a'b\"c\\\n\t", "a'b\"c\\\n\t"},
        {"żółć 💧", "żółć 💧"},
        {"NULL", "NULL"},
        {long_text, long_text},
        {"exactly12byt", "exactly12byt"}}},
      {"inet", Type::text("inet"), "VARCHAR", {{"::1/128", "::1/128"}}},
      {"bytes", of(TypeId::bytes), "BLOB", {{"\\x00ff61", "\\x00\\xFFa"}, {"\\x", ""}}},
  };
}

std::vector<TypeCase> times() {
  return {
      {"date",
       of(TypeId::date),
       "DATE",
       {{"0044-03-15 BC", "0044-03-15 (BC)"},
        {"infinity", "infinity"},
        {"-infinity", "-infinity"},
        {"5874897-12-31", "5874897-12-31"},
        {"4713-01-01 BC", "4713-01-01 (BC)"}}},
      {"time",
       of(TypeId::time),
       "TIME",
       {{"00:00:00", "00:00:00"}, {"24:00:00", "24:00:00"}, {"23:59:59.999999", "23:59:59.999999"}}},
      {"timestamp",
       of(TypeId::timestamp),
       "TIMESTAMP",
       {{"2026-11-23 22:29:50.5", "2026-11-23 22:29:50.5"},
        {"infinity", "infinity"},
        {"-infinity", "-infinity"},
        {"4713-01-01 00:00:00 BC", "4713-01-01 (BC) 00:00:00"},
        {"294246-12-31 23:59:59.999999", "294246-12-31 23:59:59.999999"}}},
      {"timestamp_tz",
       of(TypeId::timestamp_tz),
       "TIMESTAMP WITH TIME ZONE",
       {{"2026-11-23 22:29:50.123456+00", "2026-11-23 22:29:50.123456+00"},
        {"infinity", "infinity"},
        {"-infinity", "-infinity"}}},
      {"interval",
       of(TypeId::interval),
       "INTERVAL",
       {{"P1Y2M-3DT4H5M6.5S", "1 year 2 months -3 days 04:05:06.5"},
        {"PT0S", "00:00:00"},
        {"P30D", "30 days"}}},
  };
}

std::vector<TypeCase> documents_and_arrays() {
  return {
      {"uuid",
       of(TypeId::uuid),
       "UUID",
       {{"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"},
        {"ffffffff-ffff-4fff-bfff-ffffffffffff", "ffffffff-ffff-4fff-bfff-ffffffffffff"},
        {"80000000-0000-0000-0000-000000000001", "80000000-0000-0000-0000-000000000001"}}},
      {"json", of(TypeId::json), "JSON", {{"{\"a\": [1, null]}", "{\"a\": [1, null]}"}, {"null", "null"}}},
      {"int_array",
       Type::array_of(of(TypeId::int32)),
       "INTEGER[]",
       {{"{1,NULL,-3}", "[1, NULL, -3]"}, {"{}", "[]"}}},
      {"text_array",
       Type::array_of(Type::text()),
       "VARCHAR[]",
       {{"{\"a,b\",NULL,\"NULL\",\"\"}", "['a,b', NULL, 'NULL', '']"}}},
      {"numeric_array",
       Type::array_of(Type::decimal(10, 2)),
       "DECIMAL(10,2)[]",
       {{"{1.50,-2.00}", "[1.50, -2.00]"}}},
      {"date_array",
       Type::array_of(of(TypeId::date)),
       "DATE[]",
       {{"{2020-02-29,infinity}", "[2020-02-29, infinity]"}}},
      {"matrix", Type::array_of(of(TypeId::int32), 2), "VARCHAR", {{"{{1,2},{3,4}}", "{{1,2},{3,4}}"}}},
  };
}

std::vector<TypeCase> cases() {
  auto all = numbers_and_texts();
  for (auto* more : {&times, &documents_and_arrays}) {
    for (auto& type : more()) all.push_back(std::move(type));
  }
  return all;
}

class TypeMatrix : public DestinationTest, public testing::WithParamInterface<TypeCase> {
 protected:
  TypeMatrix() {
    // The name of a parameterised test has slashes.
    folder_ = std::filesystem::temp_directory_path() / ("maia_duckdb_" + GetParam().name);
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    config_.path = (folder_ / "types.duckdb").string();
  }
  TableTarget table(bool keyed) {
    return target(schema({{.name = "n", .type = Type::of(TypeId::int32), .nullable = false, .in_key = keyed},
                          {.name = "v", .type = GetParam().type}}));
  }
  Rows expected() {
    Rows rows;
    for (const auto& [canonical, native] : GetParam().values) rows.push_back({native});
    rows.push_back({std::nullopt});
    return rows;
  }
  /// One row for each value, and one with NULL.
  Batch batch(const TableTarget& target, Op op) {
    Batch batch(target.schema);
    int n = 0;
    for (const auto& [canonical, native] : GetParam().values)
      push(batch, op, {std::to_string(n++), canonical});
    push(batch, op, {std::to_string(n), std::nullopt});
    return batch;
  }
  Rows stored() { return query("SELECT v FROM t ORDER BY n"); }
};

TEST_P(TypeMatrix, appended_values_are_stored_exactly_in_the_planned_type) {
  const auto keyed = table(true);
  prepare(keyed);
  write_and_commit(keyed, batch(keyed, Op::read), true);
  EXPECT_EQ(stored(), expected());
  EXPECT_EQ(query("SELECT column_type FROM (DESCRIBE t) WHERE column_name = 'v'"),
            (Rows{{GetParam().native}}));
  EXPECT_EQ(destination().plan(*keyed.schema)[1].native_type, GetParam().native);
  open();
  must(in_commit([&] { return destination().prepare(keyed); }));
  EXPECT_EQ(stored(), expected());
}

TEST_P(TypeMatrix, replaced_and_updated_and_moved_values_are_the_same) {
  const auto keyed = table(true);
  prepare(keyed);
  write_and_commit(keyed, batch(keyed, Op::insert));
  write_and_commit(keyed, batch(keyed, Op::update));
  EXPECT_EQ(stored(), expected()) << "by replacing";
  Batch moves(keyed.schema);
  const auto count = static_cast<int>(expected().size());
  for (int n = 0; n < count; ++n) {
    push(moves, Op::update, {std::to_string(n + count), kUnchanged}, {std::to_string(n), kUnchanged});
  }
  write_and_commit(keyed, moves);
  EXPECT_EQ(stored(), expected()) << "by moving";
}

TEST_P(TypeMatrix, values_of_partial_updates_are_the_same) {
  auto columns = table(true).schema->columns;
  columns.push_back({.name = "large", .type = Type::text()});
  const auto keyed = target(schema(columns));
  prepare(keyed);
  Batch rows(keyed.schema);
  for (std::size_t n = 0; n < expected().size(); ++n)
    push(rows, Op::insert, {std::to_string(n), std::nullopt, "kept"});
  write_and_commit(keyed, rows);
  Batch updates(keyed.schema);
  std::size_t n = 0;
  for (const auto& [canonical, native] : GetParam().values) {
    push(updates, Op::update, {std::to_string(n++), canonical, kUnchanged});
  }
  write_and_commit(keyed, updates);
  EXPECT_EQ(stored(), expected());
  EXPECT_EQ(query("SELECT count(*) FROM t WHERE large = 'kept'"),
            (Rows{{std::to_string(expected().size())}}));
}

TEST_P(TypeMatrix, rows_without_a_key_are_found_by_each_value) {
  const auto keyless = table(false);
  prepare(keyless);
  const auto rows = batch(keyless, Op::insert);
  write_and_commit(keyless, rows);
  write_and_commit(keyless, rows);
  Batch removals(keyless.schema);
  int n = 0;
  for (const auto& [canonical, native] : GetParam().values)
    push(removals, Op::remove, {}, {std::to_string(n++), canonical});
  push(removals, Op::remove, {}, {std::to_string(n), std::nullopt});
  write_and_commit(keyless, removals);
  EXPECT_EQ(stored(), expected()) << "one of two equal rows goes for each removal";
}

INSTANTIATE_TEST_SUITE_P(all, TypeMatrix, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

/// A value that must be refused with the column's name and a hint.
struct Refusal {
  std::string name;
  Type type;
  std::string value;
  std::string says;
};
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class RefusedValues : public DestinationTest, public testing::WithParamInterface<Refusal> {
 protected:
  RefusedValues() {
    folder_ = std::filesystem::temp_directory_path() / ("maia_duckdb_refused_" + GetParam().name);
    std::filesystem::create_directories(folder_);
    config_.path = (folder_ / "types.duckdb").string();
  }
};

TEST_P(RefusedValues, stop_with_table_and_column) {
  const auto table = target(schema({{.name = "n", .type = Type::of(TypeId::int32), .in_key = true},
                                    {.name = "v", .type = GetParam().type}}));
  prepare(table);
  Batch batch(table.schema);
  push(batch, Op::insert, {"1", GetParam().value});
  const auto written = in_commit([&] { return write(table, batch); });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, Error::Code::data);
  EXPECT_THAT(written.error().message, HasSubstr("table s.t: column v: " + GetParam().says));
  EXPECT_EQ(query("SELECT count(*) FROM t"), (Rows{{"0"}}));
}

INSTANTIATE_TEST_SUITE_P(
    all, RefusedValues,
    testing::Values(
        Refusal{"nan", Type::decimal(10, 2), "NaN", "DuckDB's DECIMAL(10,2) has no NaN"},
        Refusal{"matrix", Type::array_of(Type::of(TypeId::int32)), "{{1},{2}}", "an array has several"},
        Refusal{"bounds", Type::array_of(Type::of(TypeId::int32)), "[0:0]={1}", "an array has several"},
        Refusal{"no_array", Type::array_of(Type::of(TypeId::int32)), "{1", "a text is no array"},
        Refusal{"utf8", Type::text(), "a\xff", "a text is not valid UTF-8"},
        Refusal{"interval", Type::of(TypeId::interval), "infinity", "DuckDB's INTERVAL has no infinity"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace maia::duckdb
