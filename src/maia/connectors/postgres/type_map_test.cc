// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/type_map.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "maia/connectors/postgres/builtin_types.h"
#include "maia/connectors/postgres/value_binary.h"

namespace maia::postgres {
namespace {

using ::testing::HasSubstr;

constexpr std::int32_t numeric_modifier(int precision, int scale) {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}

NativeType builtin(Oid oid, std::int32_t typmod = -1) {
  return {.oid = oid, .typmod = typmod, .schema = "pg_catalog", .name = "built-in", .spelled = "built-in"};
}

NativeType array_of(NativeType element) {
  return {.oid = 90'000,
          .schema = "public",
          .name = "_element",
          .spelled = element.spelled + "[]",
          .kind = TypeKind::array,
          .inner = std::make_shared<const NativeType>(std::move(element))};
}

TEST(TypeMapTest, numerics_within_38_digits_are_decimals_and_all_others_have_no_limit) {
  const auto mapped = [](int precision, int scale) {
    return map_type(builtin(oid::kNumeric, numeric_modifier(precision, scale)));
  };
  EXPECT_EQ(mapped(10, 2).type, Type::decimal(10, 2));
  EXPECT_EQ(mapped(38, 38).type, Type::decimal(38, 38));
  EXPECT_EQ(mapped(38, 0).fidelity, Fidelity::exact);
  for (const auto& [precision, scale] : {std::pair{39, 0}, {5, -2}, {3, 5}, {1000, 500}}) {
    EXPECT_EQ(mapped(precision, scale).type, Type::decimal(0, 0)) << precision << "," << scale;
    EXPECT_EQ(mapped(precision, scale).fidelity, Fidelity::widened);
    EXPECT_THAT(mapped(precision, scale).note, HasSubstr(fmt::format("numeric({},{})", precision, scale)));
  }
  EXPECT_EQ(map_type(builtin(oid::kNumeric)).type, Type::decimal(0, 0));
  EXPECT_EQ(map_type(builtin(oid::kNumeric)).fidelity, Fidelity::exact);
}

TEST(TypeMapTest, lengths_are_carried_where_they_fit) {
  EXPECT_EQ(map_type(builtin(oid::kVarchar, 20 + 4)).type.precision, 20);
  EXPECT_EQ(map_type(builtin(oid::kVarchar, 100'000 + 4)).type.precision, 0);
  EXPECT_EQ(map_type(builtin(oid::kVarchar, 100'000 + 4)).fidelity, Fidelity::widened);
  EXPECT_EQ(map_type(builtin(oid::kBpchar, 5 + 4)).type.form, "bpchar");
  EXPECT_EQ(map_type(builtin(oid::kBit, 12)).type.form, "bit");
  EXPECT_EQ(map_type(builtin(oid::kBit, 12)).type.precision, 12);
  EXPECT_EQ(map_type(builtin(oid::kBit, 70'000)).type.form, "varbit");
  EXPECT_EQ(map_type(builtin(oid::kBit)).type.form, "varbit");
}

TEST(TypeMapTest, arrays_carry_their_element_and_dimensions) {
  const auto mapped = map_type(array_of(builtin(oid::kNumeric, numeric_modifier(10, 2))), 2);
  EXPECT_EQ(mapped.type, Type::array_of(Type::decimal(10, 2), 2));
  EXPECT_EQ(mapped.fidelity, Fidelity::exact);
  EXPECT_TRUE(mapped.has_binary);
  EXPECT_FALSE(map_type(array_of(builtin(600))).has_binary);
  auto box = builtin(603);
  box.delimiter = ';';
  EXPECT_EQ(map_type(array_of(box)).type, Type::text());
  EXPECT_THAT(map_type(array_of(box)).note, HasSubstr("';'"));
}

TEST(TypeMapTest, domains_map_as_what_they_stand_for_and_keep_their_own_oid) {
  NativeType domain{.oid = 91'000,
                    .schema = "public",
                    .name = "cents",
                    .spelled = "public.cents",
                    .kind = TypeKind::domain};
  domain.inner = std::make_shared<const NativeType>(builtin(oid::kNumeric, numeric_modifier(12, 2)));
  const auto mapped = map_type(domain);
  EXPECT_EQ(mapped.type, Type::decimal(12, 2));
  EXPECT_EQ(mapped.native_oid, 91'000u);
  EXPECT_EQ(mapped.decoded_oid, oid::kNumeric);
  EXPECT_TRUE(mapped.has_binary);
  EXPECT_EQ(mapped.fidelity, Fidelity::widened);
}

TEST(TypeMapTest, types_of_no_known_form_become_their_output_text_and_say_so) {
  const auto geometry =
      map_type({.oid = 92'000, .schema = "public", .name = "geometry", .spelled = "geometry"});
  EXPECT_EQ(geometry.type, Type::text());
  EXPECT_EQ(geometry.fidelity, Fidelity::as_text);
  EXPECT_THAT(geometry.note, HasSubstr("public.geometry"));
  EXPECT_FALSE(geometry.has_binary);
  const auto range = map_type({.oid = 3906,
                               .schema = "pg_catalog",
                               .name = "numrange",
                               .spelled = "numrange",
                               .kind = TypeKind::range});
  EXPECT_EQ(range.type, Type::text("numrange"));
  const auto own_range = map_type({.oid = 93'000,
                                   .schema = "public",
                                   .name = "numrange",
                                   .spelled = "public.numrange",
                                   .kind = TypeKind::range});
  EXPECT_EQ(own_range.type, Type::text());
}

TEST(TypeMapTest, whatever_promises_a_binary_form_has_a_decoder_for_it) {
  for (Oid oid = 1; oid < 10'000; ++oid) {
    const auto* known = find_builtin(oid);
    if (known == nullptr) continue;
    EXPECT_EQ(known->has_binary, binary_function(map_type(builtin(oid))) != nullptr) << oid;
  }
}

TEST(TypeCatalogueTest, domains_over_domains_are_resolved_with_the_modifier_of_the_last) {
  using Row = std::vector<std::optional<std::string_view>>;
  TypeCatalogue catalogue;
  for (const Row& row : {Row{"1700", "pg_catalog", "numeric", "b", "0", "-1", {}, ",", {}},
                         Row{"501", "public", "cents", "d", "1700", "786438", "numeric(12,2)", ",", {}},
                         Row{"502", "public", "price", "d", "501", "-1", "public.cents", ",", {}}}) {
    ASSERT_TRUE(catalogue.add_row(row).ok());
  }
  const auto type = catalogue.resolve(502, -1, "public.price");
  ASSERT_TRUE(type.ok());
  EXPECT_EQ(map_type(*type).type, Type::decimal(12, 2));
  EXPECT_FALSE(catalogue.resolve(503, -1, "public.gone").ok());
}

TEST(TypeCatalogueTest, rows_that_do_not_follow_the_query_are_refused) {
  TypeCatalogue catalogue;
  using Row = std::vector<std::optional<std::string_view>>;
  for (const Row& row :
       {Row{"1"}, Row{"x", "s", "t", "b", "0", "-1", {}, ",", {}},
        Row{"1", {}, "t", "b", "0", "-1", {}, ",", {}}, Row{"1", "s", "t", "?", "0", "-1", {}, ",", {}}}) {
    EXPECT_FALSE(catalogue.add_row(row).ok());
  }
  // A type that rests on itself ends with an error, not with the stack.
  ASSERT_TRUE(catalogue.add_row(Row{"7", "s", "loop", "d", "7", "-1", "s.loop", ",", {}}).ok());
  EXPECT_FALSE(catalogue.resolve(7, -1, "s.loop").ok());
}

}  // namespace
}  // namespace maia::postgres
