// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "maia/connectors/mysql/source_fixture.h"

namespace maia::mysql {
namespace {

/// Columns and rows of one family of types.
struct Family {
  std::string columns;
  std::vector<std::string> rows;
};

/// What both products have.
std::vector<Family> families() {
  return {
      {"a tinyint, b tinyint unsigned, c smallint, d smallint unsigned, e mediumint, f mediumint unsigned, g "
       "int, h int "
       "unsigned, i bigint, j bigint unsigned, k year, l boolean",
       {"-128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 1901, false",
        "127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, "
        "18446744073709551615, "
        "2155, true",
        "-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, 0, null"}},
      {"a decimal(10,2), b decimal(65,30), c decimal(5,0), d decimal(30,30), e decimal(38,10) unsigned, f "
       "decimal(9,9), g "
       "decimal(18,9)",
       {"-12345678.90, -12345678901234567890123456789012345.123456789012345678901234567891, -99999, -0.1, 0, "
        "-0.000000001, -123456789.000000001",
        "99999999.99, 99999999999999999999999999999999999.999999999999999999999999999999, 0, "
        "0.999999999999999999999999999999, 9999999999999999999999999999.9999999999, 0.999999999, "
        "999999999.999999999",
        "0, 0.5, 7, 0, 1, 0, 1.5"}},
      {"a float, b double, c float unsigned, d double unsigned",
       {"1.1, 1.1, 0.1, 0.1", "-3.4028234e38, -1.7976931348623157e308, 3.4028234e38, 1e308",
        "16777216, 0.1e-300, 1.17549435e-38, 123456789.123456789", "0, -0.0, 0, 0"}},
      {"a date, b datetime, c datetime(3), d datetime(6), e timestamp null, f timestamp(1) null, g "
       "timestamp(6) null, h "
       "time, i time(6), j time(2)",
       {"'1000-01-01', '1000-01-01 00:00:00', '1000-01-01 00:00:00.001', '1000-01-01 00:00:00.000001', "
        "'1970-01-01 "
        "00:00:01', '1970-01-01 00:00:01.1', '1970-01-01 00:00:01.000001', '00:00:00', '00:00:00.000001', "
        "'00:00:00.01'",
        "'9999-12-31', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999', "
        "'2038-01-19 "
        "03:14:07', '2038-01-19 03:14:07.9', '2038-01-19 03:14:07.999999', '23:59:59', '23:59:59.999999', "
        "'24:00:00'",
        "'2024-02-29', '2024-02-29 12:34:56', '2024-02-29 12:34:56.700', '2024-02-29 12:34:56.789012', "
        "'2024-02-29 "
        "12:34:56', '2024-02-29 12:34:56', '2024-02-29 12:34:56.5', '01:02:03', '01:02:03.04', "
        "'01:02:03.99'"}},
      {"a char(5), b varchar(300), c varchar(10) character set latin1, d text character set utf16, e "
       "char(10) character "
       "set gbk, f longtext, g varchar(9) character set cp1251, h char(200) character set utf8mb4",
       {"'a b  ', 'x', '\xc3\xa9\xe2\x82\xac', '\xe6\xb0\xb4\xf0\x9f\x98\x80', '\xe6\xb0\xb4', "
        "repeat('long', 20000), "
        "'\xd1\x8f', repeat('\xe6\xb0\xb4', 200)",
        "'', '', '', '', '', '', '', ''", "' ', ' ', '\\0', 'tab\\tend', 'nul', 'it''s', '\"', '\\\\'"}},
      {"a binary(4), b varbinary(300), c tinyblob, d blob, e mediumblob, f longblob, g bit(1), h bit(12), i "
       "bit(64)",
       {"x'00', x'00ff00', x'', x'0102', x'deadbeef', repeat(x'ab', 70000), b'1', b'101010101010', b'1'",
        "x'01020304', x'', x'00', x'', x'', x'', b'0', b'0', ~0",
        "x'01000000', x'20', x'20', x'20', x'20', x'20', b'1', b'1', 0"}},
      {"a enum('small', 'it''s', '\xe6\xb0\xb4'), b set('x', 'y', 'z', '\xe6\xb0\xb4'), c enum('q') not null",
       {"'small', 'x,z', 'q'", "'it''s', '', 'q'", "'\xe6\xb0\xb4', 'x,y,z,\xe6\xb0\xb4', 'q'"}},
      {"a geometry, b point, c polygon",
       {"st_geomfromtext('POINT(1 2)'), st_geomfromtext('POINT(-1.5 2.25)'), st_geomfromtext('POLYGON((0 0,1 "
        "0,1 1,0 "
        "0))')",
        "st_geomfromtext('LINESTRING(0 0, 1 1)'), null, null"}},
  };
}

std::vector<Family> families_of_mariadb() {
  return {
      {"a uuid, b inet6, c inet4, d json",
       {"'123e4567-e89b-12d3-a456-426614174000', '2001:db8::ff00:42:8329', '192.0.2.1', '{\"a\": [1, 2.50]}'",
        "'00000000-0000-0000-0000-000000000000', '::', '0.0.0.0', '[]'",
        "'018f5e6c-1d2e-7a3b-8c4d-5e6f7a8b9c00', '::ffff:192.0.2.128', '255.255.255.255', 'null'",
        "'f47ac10b-58cc-4372-a567-0e02b2c3d400', '::1', '10.0.0.0', '1'",
        "'ffffffff-ffff-ffff-ffff-ffffffffffff', 'fe80::', '1.0.0.0', '\"x\"'"}}};
}

std::vector<Family> families_of_mysql() {
  return {{"a json",
           {R"('{"b": 1, "a": [true, false, null, "x", 1.5, -1, 18446744073709551615, {"d": {}}], "": {}}')",
            R"('"quote \\" back \\\\ slash / \\n \\t \\u0001 \\u6c34 \\ud83d\\ude00"')", "'[]'", "'{}'",
            "'null'", "'-9223372036854775808'",
            "json_array(1e0, 1.5e10, 1e15, 1e16, 1e-5, 1e-16, 123456789012345.0e0, 1.7976931348623157e308, "
            "0.1e0, -0.0e0, 100e0, 5e-324)",
            "json_array(cast(1.10 as decimal(5,2)), cast(-12345678901234567890.5 as decimal(30,5)), 0.00)",
            "json_array(cast('2024-02-29' as date), cast('2024-02-29 12:34:56.5' as datetime(6)), "
            "cast('-12:34:56.78' as "
            "time(6)), cast('2024-01-01' as datetime))",
            "json_array(x'00ff10', b'101', st_geomfromtext('POINT(1 2)'))",
            "json_object('k', repeat('v', 70000), 'n', 40000, 'm', -40000, 'l', 3000000000)",
            "json_array(32767, 32768, -32768, -32769, 65535, 65536, 2147483647, 2147483648, 4294967295, "
            "4294967296)"}},
          {"a vector(3), b vector(2048)", {"string_to_vector('[1,-2.5,3e10]'), null"}}};
}

class MysqlTypes : public MysqlSourceTest {
 protected:
  std::vector<Family> all() const {
    auto out = families();
    for (auto& family : mariadb() ? families_of_mariadb() : families_of_mysql()) out.push_back(family);
    return out;
  }
  void create() {
    int number = 0;
    for (const auto& family : all())
      sql(fmt::format("create table f{} (id int primary key auto_increment, {})", number++, family.columns));
  }
  void fill() {
    int number = 0;
    for (const auto& family : all()) {
      for (const auto& row : family.rows) sql(fmt::format("insert into f{} values (null, {})", number, row));
      ++number;
    }
  }
};
MAIA_MYSQL_TESTS(MysqlTypes);

TEST_P(MysqlTypes, every_value_is_the_same_in_a_snapshot_and_in_the_stream) {
  create();
  fill();
  open();
  begin();
  const auto before = rows_of("f0").size();
  ASSERT_GT(before, 0U);
  fill();
  catch_up();
  EXPECT_EQ(rows_of("f0").size(), 2 * before);
  expect_equal();
}

TEST_P(MysqlTypes, every_value_can_be_changed_to_any_other_and_to_null) {
  create();
  open();
  begin();
  fill();
  const auto count = static_cast<int>(all().size());
  for (int number = 0; number < count; ++number) {
    sql(fmt::format("update f{0} x join (select * from f{0}) y on y.id = x.id + 1 set x.a = y.a", number));
    sql(fmt::format("update f{} set a = null where id = 2", number));
    sql(fmt::format("delete from f{} where id = 1", number));
  }
  catch_up();
  expect_equal();
}

TEST_P(MysqlTypes, values_are_what_the_server_says) {
  sql("create table t (id int primary key, u bigint unsigned, d decimal(10,2), f float, ts timestamp(3) "
      "null, b bit(4), "
      "e enum('x','y'), l varchar(5) character set latin1)");
  open();
  begin();
  sql("insert into t values (1, 18446744073709551615, -0.50, 0.1, '2024-02-29 12:00:00.250', b'0101', 'y', "
      "'é€')");
  catch_up();
  const auto rows = rows_of("t");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0], (Replica::Row{"1", "18446744073709551615", "-0.50", "0.1", "2024-02-29 12:00:00.25+00",
                                   "0101", "y", "é€"}));
  expect_equal();
}

TEST_P(MysqlTypes, zero_dates_are_refused_by_name_or_become_null) {
  sql("create table t (id int primary key, d date, n datetime not null)");
  open();
  begin();
  sql("set session sql_mode = ''; insert into t values (1, '0000-00-00', '2024-00-10 00:00:00')");
  const auto refused = try_catch_up();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::data);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("column d"));
  stream_.reset();
  replica_ = {};
  auto with = config();
  with.zero_dates = ZeroDates::null;
  open(with);
  begin();
  sql("set session sql_mode = ''; insert into t values (2, '2024-02-31', '0000-00-00 00:00:00')");
  catch_up();
  const std::optional<std::string> null;
  EXPECT_THAT(rows_of("t"),
              ::testing::ElementsAre(Replica::Row{"1", null, null}, Replica::Row{"2", null, null}));
}

}  // namespace
}  // namespace maia::mysql
