// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/destination_types.h"

#include <gmock/gmock.h>

#include "maia/connectors/postgres/destination_fixture.h"
#include "maia/connectors/postgres/session.h"

namespace maia::postgres {
namespace {

using ::testing::HasSubstr;

struct TypeCase {
  Type type;
  const char* native;
  std::vector<std::string> values;
  bool binary = true;
};

Type json_type(std::string form) {
  auto type = Type::of(TypeId::json);
  type.form = std::move(form);
  return type;
}
Type sized(Type type, std::uint16_t precision) {
  type.precision = precision;
  return type;
}

std::vector<TypeCase> type_cases() {
  const std::string long_text(100'000, 'x');
  const std::string nines(38, '9');
  std::vector<TypeCase> cases = {
      {Type::of(TypeId::boolean), "boolean", {"t", "f"}},
      {Type::of(TypeId::int16), "smallint", {"0", "32767", "-32768"}},
      {Type::of(TypeId::int32), "integer", {"0", "2147483647", "-2147483648"}},
      {Type::of(TypeId::int64), "bigint", {"0", "9223372036854775807", "-9223372036854775808"}},
      {Type::of(TypeId::float32), "real", {"0", "-0", "1.1754944e-38", "3.4028235e+38", "NaN", "-Infinity"}},
      {Type::of(TypeId::float64),
       "double precision",
       {"0", "-0", "5e-324", "1.7976931348623157e+308", "0.1", "NaN", "Infinity", "-Infinity"}},
      {Type::decimal(10, 2),
       "numeric(10,2)",
       {"0.00", "99999999.99", "-99999999.99", "0.01", "-0.10", "NaN"}},
      {Type::decimal(38, 0), "numeric(38,0)", {"0", nines, "-" + nines, "10000", "100000000"}},
      {Type::decimal(38, 38), "numeric(38,38)", {"0." + std::string(37, '0') + "1", "-0." + nines}},
      {Type::decimal(9, 5), "numeric(9,5)", {"0.00001", "1234.56789", "-1000.00000", "0.00000", "0.10000"}},
      {Type::decimal(7, 3), "numeric(7,3)", {"0.001", "1234.567", "-1000.000", "0.010"}},
      {Type::decimal(0, 0),
       "numeric",
       {"0", "0.000", "-0.5", "12345678901234567890123456789012345678901234567890.1234567890", "NaN",
        "Infinity", "-Infinity", "1" + std::string(1000, '0'), "0." + std::string(1000, '0') + "1", "10000",
        "-10000.0001"}},
      {Type::text(),
       "text",
       {"", " ", "\\N", "\\.", "a\tb\nc\rd\\e", "äöü 水 🦆", "'\"", "{}", "\x01\x7f", long_text}},
      {sized(Type::text(), 5), "character varying(5)", {"", "12345", "äöü水🦆", "a  "}},
      {sized(Type::text("bpchar"), 4), "character(4)", {"a   ", "abcd", "    "}},
      {Type::of(TypeId::bytes), "bytea", {"\\x", "\\x00", "\\x00ff5c0a27"}},
      {Type::of(TypeId::date),
       "date",
       {"1970-01-01", "2000-01-01", "0044-03-15 BC", "4713-01-01 BC", "5874897-12-31", "infinity",
        "-infinity"}},
      {Type::of(TypeId::time), "time without time zone", {"00:00:00", "23:59:59.999999", "24:00:00"}},
      {Type::of(TypeId::timestamp),
       "timestamp without time zone",
       {"1970-01-01 00:00:00", "2000-01-01 00:00:00.000001", "0044-03-15 12:00:00 BC",
        "294246-12-31 23:59:59.999999", "infinity", "-infinity"}},
      {Type::of(TypeId::timestamp_tz),
       "timestamp with time zone",
       {"1970-01-01 00:00:00+00", "1999-12-31 23:59:59.5+00", "0044-03-15 12:00:00+00 BC", "infinity",
        "-infinity"}},
      {Type::of(TypeId::interval),
       "interval",
       {"PT0S", "P1Y2M-3DT4H5M6.5S", "P-1Y-2M3DT-4H-5M-6.5S", "P178000000Y", "PT-0.000001S"}},
      {Type::of(TypeId::uuid),
       "uuid",
       {"00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}},
      {json_type(""), "json", {"{}", "{\"a\": 1,  \"a\":2}", "null", "[1, \"\\u00e4\\n\"]"}},
      {json_type("jsonb"), "jsonb", {"{}", "{\"a\": 1, \"b\": [null, true]}", "\"\\\\\"", "null"}},
  };
  const std::vector<std::pair<const char*, std::vector<std::string>>> forms = {
      {"inet", {"10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32"}},
      {"cidr", {"10.0.0.0/8", "2001:db8::/32"}},
      {"macaddr", {"08:00:2b:01:02:03"}},
      {"macaddr8", {"08:00:2b:01:02:03:04:05"}},
      {"money", {"$0.00", "-$92,233,720,368,547,758.08", "$92,233,720,368,547,758.07"}},
      {"xml", {"<a>b</a>", ""}},
      {"tsvector", {"'a':1A 'b':2", ""}},
      {"tsquery", {"'a' & !'b'"}},
      {"point", {"(1.5,-2)"}},
      {"line", {"{1,-1,0}"}},
      {"lseg", {"[(0,0),(1,1)]"}},
      {"box", {"(1,1),(0,0)"}},
      {"path", {"((0,0),(1,1))", "[(0,0),(1,1)]"}},
      {"polygon", {"((0,0),(1,1),(1,0))"}},
      {"circle", {"<(0,0),1>"}},
      {"int4range", {"empty", "[1,5)", "(,)", "[1,)"}},
      {"numrange", {"[1.5,2.50]", "(,3)"}},
      {"tstzrange", {"[\"2020-01-01 00:00:00+00\",)"}},
      {"daterange", {"[2020-01-01,2020-02-01)"}},
      {"int4multirange", {"{}", "{[1,3),[5,7)}"}},
      {"datemultirange", {"{[2020-01-01,2020-02-01)}"}},
  };
  for (const auto& [form, values] : forms) cases.push_back({Type::text(form), form, values, false});
  cases.push_back({Type::text("timetz"), "time with time zone", {"00:00:00+00", "24:00:00-15:59"}, false});
  cases.push_back({sized(Type::text("bit"), 3), "bit(3)", {"000", "101"}, false});
  cases.push_back({Type::text("varbit"), "bit varying", {"", "1", "0101010101"}, false});
  cases.push_back({sized(Type::text("varbit"), 8), "bit varying(8)", {"", "11111111"}, false});
  cases.push_back({Type::text("enum"), "text", {"sad", "it's"}});
  cases.push_back({Type::text("composite"), "text", {"(1,\"a b\")"}});
  cases.push_back({Type::array_of(Type::of(TypeId::int32)),
                   "integer[]",
                   {"{}", "{1,NULL,-3}", "{{1,2},{3,4}}", "[0:1]={1,2}"},
                   false});
  cases.push_back({Type::array_of(Type::text(), 2), "text[]", {"{{\"a b\",\"\\\"\"},{NULL,\"\"}}"}, false});
  cases.push_back({Type::array_of(Type::decimal(10, 2)), "numeric(10,2)[]", {"{1.50,NULL}"}, false});
  cases.push_back({Type::array_of(Type::of(TypeId::timestamp)),
                   "timestamp without time zone[]",
                   {"{\"2020-01-01 00:00:00\",infinity}"},
                   false});
  return cases;
}

/// A table with one column per case; row i has each case's i-th value, and NULL after its last.
struct TypeTable {
  std::vector<TypeCase> cases;
  TestTable table;
  std::size_t rows = 0;

  TypeTable(const std::string& name, std::vector<TypeCase> chosen)
      : cases(std::move(chosen)), table(make(name)) {
    for (const auto& each : cases) rows = std::max(rows, each.values.size() + 1);
  }
  TestTable make(const std::string& name) {
    std::vector<Column> columns = {column_of("id", Type::of(TypeId::int32))};
    for (std::size_t i = 0; i < cases.size(); ++i)
      columns.push_back(column_of("c" + std::to_string(i), cases[i].type));
    return TestTable({"public", name}, std::move(columns), {0});
  }
  std::optional<std::string> value(std::size_t row, std::size_t i) const {
    return row < cases[i].values.size() ? std::optional(cases[i].values[row]) : std::nullopt;
  }
  Texts texts(std::size_t row) const {
    Texts texts = {std::to_string(row)};
    for (std::size_t i = 0; i < cases.size(); ++i) texts.push_back(value(row, i));
    return texts;
  }
};

class PostgresTypesTest : public DestinationTest {
 protected:
  void expect_values(const TypeTable& types) {
    std::string sql = session_set_statements() + "select id";
    for (std::size_t i = 0; i < types.cases.size(); ++i) sql += ", c" + std::to_string(i);
    const auto found = server().query(
        sql + " from public." + types.table.target.name.table + " where id >= 0 order by id", database);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->size(), types.rows);
    for (std::size_t row = 0; row < types.rows; ++row) {
      for (std::size_t i = 0; i < types.cases.size(); ++i) {
        const auto& text = (*found)[row][i + 1];
        const auto expected = types.value(row, i);
        EXPECT_EQ(text, expected) << types.cases[i].native << " row " << row;
      }
    }
  }
  static std::vector<TypeCase> binary_cases() {
    auto cases = type_cases();
    std::erase_if(cases, [](const TypeCase& each) { return !each.binary; });
    return cases;
  }
  /// Every value through COPY, in arrays, through a staging table and row by row.
  void all_ways(const std::vector<TypeCase>& cases, bool binary) {
    TypeTable copied("copied", cases);
    prepare(copied.table);
    for (std::size_t row = 0; row < copied.rows; ++row) copied.table.insert(copied.texts(row));
    EXPECT_OK(write({copied.table.delivery({.fresh = true})}));
    expect_values(copied);

    for (const int filler : {200, 6000}) {
      TypeTable changed("changed_" + std::to_string(filler), cases);
      prepare(changed.table);
      Texts nulls(cases.size() + 1);
      for (int i = 1; i <= filler; ++i) {
        nulls[0] = std::to_string(-i);
        changed.table.insert(nulls);
      }
      for (std::size_t row = 0; row < changed.rows; ++row) changed.table.insert(changed.texts(row));
      EXPECT_OK(write({changed.table.delivery()}));
      expect_values(changed);
    }

    TypeTable small("small", cases);
    prepare(small.table);
    for (std::size_t row = 0; row < small.rows; ++row) small.table.insert(small.texts(row));
    EXPECT_OK(write({small.table.delivery()}));
    expect_values(small);

    const auto stored = WriteTarget::bind(copied.table.target, *stored_of("copied"), 1);
    EXPECT_EQ(stored->copy_sql().ends_with("(format binary)"), binary);
  }
  std::optional<StoredTable> stored_of(const std::string& name) {
    auto connection =
        Connection::open({.endpoint = config_for(server(), database).connection, .settings = {}});
    return *read_stored_table(**connection, {"public", name});
  }
};

TEST_F(PostgresTypesTest, values_of_types_with_a_binary_form_arrive_exactly) {
  all_ways(binary_cases(), true);
}

TEST_F(PostgresTypesTest, values_of_all_types_arrive_exactly) { all_ways(type_cases(), false); }

TEST_F(PostgresTypesTest, columns_have_their_native_types) {
  TypeTable types("types", type_cases());
  prepare(types.table);
  const auto stored = stored_of("types");
  ASSERT_TRUE(stored);
  for (std::size_t i = 0; i < types.cases.size(); ++i) {
    EXPECT_EQ(stored->columns[i + 1].declared, types.cases[i].native);
    EXPECT_TRUE(can_hold(stored->columns[i + 1].type, types.cases[i].type, {})) << types.cases[i].native;
  }
}

TEST_F(PostgresTypesTest, hstore_is_native_where_the_extension_is) {
  const auto type = Type::text("hstore");
  EXPECT_EQ(destination->plan(*TestTable({"", "t"}, {column_of("h", type)}, {}).target.schema)[0].native_type,
            "text");
  execute("create extension hstore");
  destination = open_destination();
  TypeTable types("types", {{type, "public.hstore", {"\"a\"=>\"1\", \"b\"=>NULL", ""}, false}});
  prepare(types.table);
  for (std::size_t row = 0; row < types.rows; ++row) types.table.insert(types.texts(row));
  EXPECT_OK(write({types.table.delivery()}));
  expect_values(types);
  EXPECT_EQ(stored_of("types")->columns[1].declared, "public.hstore");
}

TEST_F(PostgresTypesTest, enum_domain_and_composite_types_of_the_user_take_the_values) {
  execute(
      "create type mood as enum ('sad', 'happy'); create type pair as (a int, b text); "
      "create domain short as varchar(5) check (value <> 'bad'); create domain key as int not null; "
      "create table t (id key primary key, m mood, p pair, s short, ms mood[])");
  for (const int filler : {0, 200, 6000}) {
    TestTable table({"public", "t"},
                    {column_of("id", Type::of(TypeId::int32)), column_of("m", Type::text("enum")),
                     column_of("p", Type::text("composite")), column_of("s", sized(Type::text(), 5)),
                     column_of("ms", Type::array_of(Type::text("enum")))},
                    {0});
    prepare(table);
    for (int i = 0; i < filler; ++i) table.insert({std::to_string(100 + i), "sad", {}, {}, {}});
    table.insert({"1", "happy", "(1,\"a b\")", "abcde", "{sad,happy}"});
    table.insert({"2", "happy", {}, {}, {}});
    table.remove({"2", kSame, kSame, kSame, kSame});
    EXPECT_OK(write({table.delivery()}));
    EXPECT_EQ(rows("select * from t where id < 100"),
              std::vector<std::string>{"1|happy|(1,\"a b\")|abcde|{sad,happy}"});
    table.restart();
    for (int i = 0; i < filler; ++i) table.update({std::to_string(100 + i), "happy", {}, {}, {}});
    table.insert({"3", {}, {}, "bad", {}});
    const auto refused = write({table.delivery()});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Error::Code::data);
    EXPECT_THAT(refused.error().message, HasSubstr("table public.t"));
    EXPECT_THAT(refused.error().message, HasSubstr("short_check"));
    execute("truncate t");
  }
}

TEST_F(PostgresTypesTest, a_value_that_is_too_long_is_refused_and_never_cut) {
  execute(
      "create table t (id int primary key, v varchar(3), b varbit, c char(2), n numeric(4,1)); "
      "create table log (v varchar(3), b bit(3), c char(2))");
  for (const int filler : {0, 200, 6000}) {
    const auto refused = [&](std::size_t column, const char* value) {
      TestTable table({"public", "t"},
                      {column_of("id", Type::of(TypeId::int32)), column_of("v", Type::text()),
                       column_of("b", Type::text("varbit")), column_of("c", Type::text("bpchar")),
                       column_of("n", Type::decimal(0, 0))},
                      {0});
      for (int i = 0; i < filler; ++i) table.insert({std::to_string(100 + i), "abc", "101", "ab", "1"});
      Texts row = {"1", "abc", "101", "ab", "1"};
      row[column] = value;
      table.insert(row);
      const auto written = write({table.delivery()});
      return !written.ok() && written.error().code == Error::Code::data;
    };
    EXPECT_TRUE(refused(1, "abcd")) << filler;
    EXPECT_TRUE(refused(3, "abc")) << filler;
    EXPECT_TRUE(refused(4, "1000")) << filler;
    // Nor does a value that would have to be cut find another row.
    execute("truncate log; insert into log values ('abc', '101', 'ab')");
    TestTable log({"public", "log"},
                  {column_of("v", Type::text()), column_of("b", Type::text("bit")),
                   column_of("c", Type::text("bpchar"))},
                  {});
    for (int i = 0; i < filler; ++i) log.insert({"f", "000", "f "});
    log.remove({"abcd", "101", "ab"});
    EXPECT_FALSE(write({log.delivery()}).ok());
    log.restart();
    for (int i = 0; i < filler; ++i) log.insert({"f", "000", "f "});
    log.remove({"abc", "101", "ab"});
    EXPECT_OK(write({log.delivery()}));
    EXPECT_EQ(rows("select count(*) from log where v = 'abc'")[0], "0");
  }
}

TEST(PostgresTypes, a_column_with_less_room_does_not_hold_a_type) {
  const auto column = [](const char* name, const char* modifier = "", char kind = 'b') {
    return ColumnType{.name = name, .kind = kind, .modifier = modifier, .full = {}};
  };
  EXPECT_TRUE(can_hold(column("bigint"), Type::of(TypeId::int32), {}));
  EXPECT_FALSE(can_hold(column("integer"), Type::of(TypeId::int64), {}));
  EXPECT_TRUE(can_hold(column("numeric"), Type::of(TypeId::int64), {}));
  EXPECT_FALSE(can_hold(column("numeric", "(18,0)"), Type::of(TypeId::int64), {}));
  EXPECT_TRUE(can_hold(column("numeric", "(19,0)"), Type::of(TypeId::int64), {}));
  EXPECT_TRUE(can_hold(column("numeric", "(12,3)"), Type::decimal(10, 2), {}));
  EXPECT_FALSE(can_hold(column("numeric", "(10,3)"), Type::decimal(10, 2), {}));
  EXPECT_FALSE(can_hold(column("numeric", "(30,-3)"), Type::of(TypeId::int32), {}));
  EXPECT_FALSE(can_hold(column("numeric", "(38,10)"), Type::decimal(0, 0), {}));
  EXPECT_TRUE(can_hold(column("bigint"), Type::decimal(18, 0), {}));
  EXPECT_FALSE(can_hold(column("bigint"), Type::decimal(19, 0), {}));
  EXPECT_FALSE(can_hold(column("bigint"), Type::decimal(10, 2), {}));
  EXPECT_TRUE(can_hold(column("character varying", "(9)"), sized(Type::text(), 9), {}));
  EXPECT_FALSE(can_hold(column("character varying", "(8)"), sized(Type::text(), 9), {}));
  EXPECT_FALSE(can_hold(column("character varying", "(8)"), Type::text(), {}));
  EXPECT_FALSE(can_hold(column("character", "(9)"), sized(Type::text(), 9), {}));
  EXPECT_TRUE(can_hold(column("text"), Type::of(TypeId::uuid), {}));
  EXPECT_FALSE(can_hold(column("timestamp without time zone"), Type::of(TypeId::timestamp_tz), {}));
  EXPECT_FALSE(can_hold(column("timestamp without time zone", "(3)"), Type::of(TypeId::timestamp), {}));
  EXPECT_TRUE(can_hold(column("public.mood", "", 'e'), Type::text("enum"), {}));
  EXPECT_FALSE(can_hold(column("public.mood", "", 'e'), Type::text("inet"), {}));
  EXPECT_TRUE(can_hold(column("bigint[]"), Type::array_of(Type::of(TypeId::int32)), {}));
  EXPECT_FALSE(can_hold(column("bigint"), Type::array_of(Type::of(TypeId::int32)), {}));
}

}  // namespace
}  // namespace maia::postgres
