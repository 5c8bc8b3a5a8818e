// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/type_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/testing/mysql_server.h"

namespace maia::mysql {
namespace {

using testing::MysqlProduct;

Type mapped(std::string_view spelled, Fidelity fidelity = Fidelity::exact) {
  const auto native = parse_native_type(spelled);
  EXPECT_TRUE(native.ok()) << spelled;
  const auto result = map_type(*native);
  EXPECT_EQ(result.fidelity, fidelity) << spelled;
  return result.type;
}

TEST(MysqlTypeMap, keeps_every_value_of_a_type_in_a_canonical_one) {
  EXPECT_EQ(mapped("tinyint(1)", Fidelity::widened), Type::of(TypeId::int16));
  EXPECT_EQ(mapped("int(11)"), Type::of(TypeId::int32));
  EXPECT_EQ(mapped("int(10) unsigned", Fidelity::widened), Type::of(TypeId::int64));
  EXPECT_EQ(mapped("int unsigned zerofill", Fidelity::widened), Type::of(TypeId::int64));
  EXPECT_EQ(mapped("bigint unsigned", Fidelity::widened), Type::decimal(20, 0));
  EXPECT_EQ(mapped("decimal(10,2) unsigned"), Type::decimal(10, 2));
  EXPECT_EQ(mapped("decimal(65,30)", Fidelity::widened), Type::decimal(0, 0));
  EXPECT_EQ(mapped("timestamp(3)"), Type::of(TypeId::timestamp_tz));
  EXPECT_EQ(mapped("datetime"), Type::of(TypeId::timestamp));
  EXPECT_EQ(mapped("varchar(255)").precision, 255);
  EXPECT_EQ(mapped("bit(8)").precision, 8);
  EXPECT_EQ(mapped("point", Fidelity::widened), Type::of(TypeId::bytes));
  EXPECT_EQ(map_type(parse_native_type("somethingnew(3)").value()).fidelity, Fidelity::unsupported);
  EXPECT_FALSE(parse_native_type("enum('a").ok());
  EXPECT_FALSE(parse_native_type("decimal(10;2)").ok());
  EXPECT_FALSE(parse_native_type("").ok());
}

class MysqlCatalogue : public ::testing::TestWithParam<MysqlProduct> {};
INSTANTIATE_TEST_SUITE_P(Products, MysqlCatalogue,
                         ::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(MysqlCatalogue, spells_labels_as_we_read_them) {
  auto& server = testing::shared_mysql(GetParam());
  const auto database = server.make_database().value();
  ASSERT_TRUE(server
                  .execute(R"(create table t (e enum('a', 'it''s', 'b,c)', 'back\\slash', 'line\nend', '水')
                  character set utf8mb4, s set('x', 'y')))",
                           database)
                  .ok());
  const auto rows = server.query("select column_type from information_schema.columns where table_schema = '" +
                                 database + "' order by ordinal_position");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  const auto type = parse_native_type(*(*rows)[0][0]);
  ASSERT_TRUE(type.ok()) << type.error().message;
  EXPECT_THAT(type->labels, ::testing::ElementsAre("a", "it's", "b,c)", "back\\slash", "line\nend", "水"));
  EXPECT_THAT(parse_native_type(*(*rows)[1][0])->labels, ::testing::ElementsAre("x", "y"));
}

}  // namespace
}  // namespace maia::mysql
