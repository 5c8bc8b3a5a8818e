// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/edge_values.h"

namespace maia::testing {

const std::string_view kEdgeTypesSetup = R"sql(
CREATE SCHEMA edge;
CREATE TYPE edge.mood AS ENUM ('sad', 'it''s ok', 'very "happy"', '', 'a,b{c}', E'back\\slash', 'frÖhlich');
CREATE DOMAIN edge.cents AS numeric(12,2) CHECK (VALUE >= 0);
CREATE DOMAIN edge.price AS edge.cents NOT NULL DEFAULT 0;
CREATE DOMAIN edge.feeling AS edge.mood;
CREATE DOMAIN edge.tags AS text[];
CREATE TYPE edge.address AS (street text, "Zip code" varchar(10), "at" point, since date);
CREATE TYPE edge.customer AS (name text, home edge.address, visits int[]);
CREATE TYPE edge.floatrange AS RANGE (subtype = float8);
)sql";

namespace {

std::vector<EdgeType> numbers() {
  return {
      {"bool", "boolean", {"true", "false"}},
      {"int2", "smallint", {"-32768", "-1", "0", "1", "32767"}},
      {"int4", "integer", {"-2147483648", "-1", "0", "1", "2147483647"}},
      {"int8", "bigint", {"'-9223372036854775808'", "-1", "0", "1", "'9223372036854775807'"}},
      {"float4",
       "real",
       {"0", "'-0'", "'NaN'", "'Infinity'", "'-Infinity'", "3.4028235e38", "-3.4028235e38", "1.17549435e-38",
        "1.4e-45", "0.1", "1e6", "123456.7", "16777216", "16777217"}},
      {"float8",
       "double precision",
       {"0", "'-0'", "'NaN'", "'Infinity'", "'-Infinity'", "1.7976931348623157e308",
        "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "0.1", "1e15", "1e16",
        "123456789.123456789", "9007199254740993"}},
      {"numeric_any",
       "numeric",
       {"0", "0.00", "-12.50", "1e100", "1e-100", "'NaN'", "'Infinity'", "'-Infinity'", "9999", "10000",
        "0.0001", "0.00001", "-0.12345678901234567890123456789012345678901",
        "99999999999999999999999999999999999999999", "repeat('9', 131072)",
        "'0.' || repeat('0', 16382) || '1'", "'-' || repeat('1', 1000) || '.' || repeat('7', 999)"}},
      {"numeric_10_2",
       "numeric(10,2)",
       {"0", "0.01", "-0.01", "99999999.99", "-99999999.99", "100", "'NaN'"}},
      {"numeric_18_0", "numeric(18)", {"0", "999999999999999999", "-999999999999999999", "10000", "'NaN'"}},
      {"numeric_38_0",
       "numeric(38,0)",
       {"0", "99999999999999999999999999999999999999", "-99999999999999999999999999999999999999",
        "10000000000000000000000000000000000000", "'NaN'"}},
      {"numeric_38_38",
       "numeric(38,38)",
       {"0", "0.99999999999999999999999999999999999999", "-0.99999999999999999999999999999999999999",
        "0.00000000000000000000000000000000000001", "0.1"}},
      {"numeric_38_3",
       "numeric(38,3)",
       {"0.001", "99999999999999999999999999999999999.999", "-1000000", "0.5"}},
      {"numeric_39_2", "numeric(39,2)", {"0", "9999999999999999999999999999999999999.99", "-0.01", "'NaN'"}},
      {"numeric_5_minus_2", "numeric(5,-2)", {"0", "100", "-9999900", "149"}},
      {"numeric_3_5", "numeric(3,5)", {"0", "0.00999", "-0.00001"}},
      {"numeric_1000_500",
       "numeric(1000,500)",
       {"0", "repeat('9', 500) || '.' || repeat('9', 500)", "-1e-500"}},
      {"money",
       "money",
       {"0", "'-92233720368547758.08'", "'92233720368547758.07'", "'-0.01'", "'1234.56'", "'-999.99'"}},
      {"oid", "oid", {"0", "'4294967295'", "1"}},
      {"xid8", "xid8", {"'0'", "'18446744073709551615'"}},
  };
}

std::vector<EdgeType> texts() {
  return {
      {"text",
       "text",
       {"''", "' '", "'NULL'", R"('\N')", R"('\.')", R"(E'tab\tline\nreturn\rback\\slash\b\f\v')",
        "'it''s \"quoted\"'", "'{curly,(round)}'", "E'\\u00e9 e\\u0301'", "'Ωmega 漢字 😀'", "E'\\x01\\x7f'",
        "E'\\uFEFFbom'", "repeat('x', 100000)",
        "(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 6000) i)"}},
      {"varchar_any", "varchar", {"''", "'abc'"}},
      {"varchar_5", "varchar(5)", {"''", "'abc  '", "'ééééé'", "'😀😀😀😀😀'"}},
      {"varchar_100000", "varchar(100000)", {"''", "repeat('é', 100000)"}},
      {"bpchar_5", "character(5)", {"''", "'abc'", "'éé'", "'     '", "'abcde'"}},
      {"bpchar_any", "bpchar", {"''", "'abc  '"}},
      {"name", "name", {"''", "'pg_class'", "repeat('n', 63)"}},
      {"character", "\"char\"", {"'a'", "''", "'é'::text::\"char\"", "-1", "127", "'\\'"}},
      {"bytea",
       "bytea",
       {"''", "'\\x00'", "'\\x00ff5c0a0d09'", "decode(repeat('deadbeef', 20000), 'hex')", "'\\x5c78'"}},
      {"bit_1", "bit", {"'0'", "'1'"}},
      {"bit_12", "bit(12)", {"'000000000000'", "'111111111111'", "'101010101010'"}},
      {"varbit_any", "bit varying", {"''", "'1'", "'10000000'", "'100000001'", "repeat('10', 5000)::varbit"}},
      {"varbit_9", "bit varying(9)", {"''", "'101'", "'111111111'"}},
      {"uuid",
       "uuid",
       {"'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"}},
      {"json",
       "json",
       {"'null'", "'{}'", "' { \"b\" : 1, \"a\":2, \"a\":3 } '", "'\"\\u0000\"'", "'1e400'", "'\"x\\ty\"'",
        "'123456789012345678901234567890.123'", "'[1, [2, {\"k\": \"😀\"}]]'"}},
      {"jsonb",
       "jsonb",
       {"'null'", "'{}'", "'{\"b\":1,\"a\":2,\"a\":3}'", "'123456789012345678901234567890.123'",
        "'\"\\u00e9\"'", "'1e20'", "'[1, [2, {\"k\": \"x\\ty\"}]]'",
        "jsonb_build_object('big', repeat('y', 50000))"}},
      {"xml",
       "xml",
       {"'<a/>'", "'<?xml version=\"1.0\"?><a>é</a>'", "'text only'", "'<a b=\"&lt;\"/>'"},
       "xml"},
  };
}

std::vector<EdgeType> times() {
  return {
      {"date",
       "date",
       {"'4714-11-24 BC'", "'0044-03-15 BC'", "'0001-12-31 BC'", "'0001-01-01'", "'1582-10-10'",
        "'1969-12-31'", "'1970-01-01'", "'1999-12-31'", "'2000-01-01'", "'2000-02-29'", "'9999-12-31'",
        "'10000-01-01'", "'5874897-12-31'", "'infinity'", "'-infinity'"}},
      {"time", "time", {"'00:00'", "'24:00'", "'23:59:59.999999'", "'12:34:56.7'", "'00:00:00.000001'"}},
      {"time_0", "time(0)", {"'00:00'", "'24:00'", "'23:59:59'"}},
      {"timetz",
       "time with time zone",
       {"'00:00+00'", "'24:00-08'", "'23:59:59.999999+05:30'", "'04:05:06.789-15:59:59'", "'12:00+15:59'",
        "'01:02:03.4+00:00:01'"}},
      {"timestamp",
       "timestamp",
       {"'4714-11-24 00:00 BC'", "'0044-03-15 12:00 BC'", "'0001-01-01 00:00'", "'1582-10-10 10:10'",
        "'1969-12-31 23:59:59.999999'", "'1970-01-01'", "'2000-01-01'", "'1999-12-31 23:59:59.999999'",
        "'2026-11-23 22:29:50.5'", "'9999-12-31 23:59:59.999999'", "'10000-01-01'",
        "'294247-01-10 04:00:54.775806'", "'infinity'", "'-infinity'"}},
      {"timestamp_3", "timestamp(3)", {"'2026-11-23 22:29:50.5'", "'2026-11-23 22:29:50.9999'"}},
      {"timestamptz",
       "timestamptz",
       {"'4714-11-24 00:00+00 BC'", "'0044-03-15 12:00+00 BC'", "'0001-01-01 00:00+00'",
        "'1900-01-01 00:00+01:12'", "'1969-12-31 23:59:59.999999+00'", "'2000-01-01+00'",
        "'2026-11-23 22:29:50.5-08'", "'10000-01-01+00'", "'294247-01-10 04:00:54.775806+00'", "'infinity'",
        "'-infinity'"}},
      {"interval",
       "interval",
       {"'0'", "'1 year 2 mons -3 days 04:05:06.5'", "'-1 year -2 mons 3 days -04:05:06.5'", "'-0.000001 s'",
        "'100 hours'", "'24 hours'", "'1 day'", "'13 mons'", "'2147483647 months'", "'-2147483648 months'",
        "'2147483647 days'", "'2562047788 hours 54.775807 s'", "'-2562047788 hours -54.775808 s'"}},
      {"interval_day_to_second", "interval day to second(3)", {"'0'", "'3 days 04:05:06.7891'"}},
      {"interval_infinite", "interval", {"'infinity'", "'-infinity'"}, {}, 17},
  };
}

std::vector<EdgeType> networks() {
  return {
      {"inet",
       "inet",
       {"'0.0.0.0'", "'255.255.255.255'", "'192.168.0.1/24'", "'10.1.2.3/32'", "'::'", "'::1'",
        "'2001:db8::ff00:42:8329/64'", "'::ffff:1.2.3.4'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'",
        "'1:0:0:2:0:0:0:3/17'", "'0.0.0.0/0'"}},
      {"cidr",
       "cidr",
       {"'0.0.0.0/0'", "'192.168.0.0/24'", "'10.1.2.3/32'", "'2001:db8::/32'", "'::1/128'", "'::/0'"}},
      {"macaddr", "macaddr", {"'00:00:00:00:00:00'", "'FF:ff:ff:ff:ff:ff'", "'08002b:010203'"}},
      {"macaddr8", "macaddr8", {"'00:00:00:00:00:00:00:00'", "'08:00:2b:01:02:03:04:ff'"}},
  };
}

std::vector<EdgeType> shapes() {
  return {
      {"point", "point", {"'(0,0)'", "'(-1.5,1e300)'", "'(NaN,Infinity)'", "'(0.1,-0)'"}},
      {"line", "line", {"'{1,2,3}'", "'[(0,0),(1,1)]'"}},
      {"lseg", "lseg", {"'[(0,0),(1,1)]'", "'[(-1e-9,2),(3,4)]'"}},
      {"box", "box", {"'((1,1),(0,0))'", "'(0.1,0.2),(0.3,0.4)'"}},
      {"path", "path", {"'((0,0),(1,1),(2,0))'", "'[(0,0),(1,1)]'"}},
      {"polygon", "polygon", {"'((0,0),(1,1),(2,0))'"}},
      {"circle", "circle", {"'<(1,2),3>'", "'<(0,0),0>'"}},
  };
}

std::vector<EdgeType> ranges() {
  return {
      {"int4range", "int4range", {"'empty'", "'[1,10]'", "'(,)'", "'[,5)'", "'[-2147483648,2147483647)'"}},
      {"int8range", "int8range", {"'empty'", "'[1,9223372036854775807)'"}},
      {"numrange", "numrange", {"'empty'", "'[1.10,2.200]'", "'(-Infinity,NaN]'", "'(,0)'"}},
      {"tsrange",
       "tsrange",
       {"'empty'", "'[2026-01-01 00:00,2026-01-02 12:30:00.5)'", "'[-infinity,infinity]'"}},
      {"tstzrange", "tstzrange", {"'empty'", "'[2026-01-01 00:00+02,2026-01-02 00:00-08)'", "'(,)'"}},
      {"daterange", "daterange", {"'empty'", "'[2026-01-01,2026-01-31]'", "'[0044-03-15 BC,infinity)'"}},
      {"int4multirange", "int4multirange", {"'{}'", "'{[1,3),[5,7)}'", "'{(,)}'"}},
      {"tstzmultirange", "tstzmultirange", {"'{}'", "'{[2026-01-01 00:00+00,2026-01-02 00:00+00)}'"}},
      {"floatrange", "edge.floatrange", {"'empty'", "'[0.1,1e300)'"}},
  };
}

std::vector<EdgeType> user_defined() {
  return {
      {"enum",
       "edge.mood",
       {"'sad'", "'it''s ok'", "'very \"happy\"'", "''", "'a,b{c}'", R"('back\slash')", "'frÖhlich'"}},
      {"domain_numeric", "edge.cents", {"0", "9999999999.99"}},
      {"domain_of_domain", "edge.price", {"0.01", "1"}},
      {"domain_of_enum", "edge.feeling", {"'sad'", "''"}},
      {"domain_of_array", "edge.tags", {"'{}'", "'{a,NULL,\"b c\"}'"}},
      {"citext", "citext", {"''", "'MiXed Case'"}, "citext"},
  };
}

std::vector<EdgeType> arrays() {
  return {
      {"int4_array",
       "integer[]",
       {"'{}'", "'{NULL}'", "'{1,NULL,-2147483648}'", "'{{1,2},{3,4}}'", "'[0:2]={1,2,3}'",
        "'[-1:0][2:3]={{1,2},{3,4}}'", "'{{{1},{2}},{{3},{4}}}'"}},
      {"text_array",
       "text[]",
       {"'{}'", R"('{"",NULL,"NULL",null}')", R"('{"a,b","c\"d","e\\f","{g}"," h ","i j"}')",
        "ARRAY[E'tab\\tline\\n', '漢字 😀']"}},
      {"bool_array", "boolean[]", {"'{t,f,NULL}'"}},
      {"numeric_array", "numeric(10,2)[]", {"'{0,1.5,NULL,NaN,-99999999.99}'"}},
      {"float8_array", "float8[]", {"'{0.1,-0,NaN,Infinity,1e300}'"}},
      {"timestamptz_array",
       "timestamptz[]",
       {"'{2026-11-23 22:29:50.5-08,infinity,0044-03-15 12:00+00 BC}'"}},
      {"date_array", "date[]", {"'{2026-11-23,infinity,0044-03-15 BC}'"}},
      {"interval_array", "interval[]", {"'{1 day,-3 mons,04:05:06.5}'"}},
      {"bytea_array", "bytea[]", {R"('{"\\x00ff",""}')"}},
      {"uuid_array", "uuid[]", {"'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'"}},
      {"jsonb_array", "jsonb[]", {R"('{"{\"a\": 1}",null,"[1, 2]"}')"}},
      {"enum_array", "edge.mood[]", {R"('{sad,"it''s ok","very \"happy\"",""}')"}},
      {"domain_array", "edge.cents[]", {"'{1.00,NULL,2.5}'"}},
      {"inet_array", "inet[]", {"'{10.0.0.1,::1/64}'"}},
  };
}

/// What has no group above: structures that MAIA carries as their text.
std::vector<EdgeType> structures() {
  return {
      {"pg_lsn", "pg_lsn", {"'0/0'", "'FFFFFFFF/FFFFFFFF'", "'16/B374D848'"}},
      {"jsonpath", "jsonpath", {"'$.a[*] ? (@ > 1)'", "'lax $'"}},
      {"tsvector",
       "tsvector",
       {"''", "'a fat cat sat'", "'''quoted '''' lexeme'':1A,2B fat:3'", "'back\\\\slash'"}},
      {"tsquery", "tsquery", {"''", "'fat & (rat | !cat)'", "'a <-> b:*A'"}},
      {"composite",
       "edge.address",
       {"ROW('Main \"St\", 1', 'é', '(1,2)', '2026-01-01')", "ROW(NULL, '', NULL, 'infinity')",
        "ROW(NULL, NULL, NULL, NULL)"}},
      {"composite_nested",
       "edge.customer",
       {"ROW('x', ROW(E'a\\\\b', '1', NULL, NULL)::edge.address, '{1,NULL,3}')", "ROW(NULL, NULL, '{}')"}},
      {"hstore", "hstore", {"''", "'a=>1, b=>NULL'", R"('"a b"=>"x\"y\\z", ""=>"NULL"')"}, "hstore"},
      {"composite_array",
       "edge.address[]",
       {"ARRAY[ROW('a \"b\"', 'c', '(1,2)', '2026-01-01')::edge.address, NULL]"}},
      {"box_array", "box[]", {"'{(1,1),(0,0);(2,2),(1,1)}'"}},
      {"range_array", "int4range[]", {"'{\"[1,3)\",empty}'"}},
      {"int2vector", "int2vector", {"'1 2 3'", "''"}},
  };
}

}  // namespace

std::span<const EdgeType> edge_types() {
  static const auto kAll = [] {
    std::vector<EdgeType> all;
    for (const auto& group : {numbers(), texts(), times(), networks(), user_defined(), arrays()}) {
      all.insert(all.end(), group.begin(), group.end());
    }
    for (auto group : {shapes(), ranges(), structures()}) {
      for (auto& type : group) type.text_only = true;
      all.insert(all.end(), group.begin(), group.end());
    }
    return all;
  }();
  return kAll;
}

}  // namespace maia::testing
