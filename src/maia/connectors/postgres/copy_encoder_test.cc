// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/copy_encoder.h"

#include <gtest/gtest.h>

#include <random>

#include "maia/connectors/postgres/copy_decoder.h"
#include "maia/connectors/postgres/destination_types.h"
#include "maia/connectors/postgres/wire.h"
#include "maia/types/value_text.h"

namespace maia::postgres {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
    text += digits;
  }
  return text;
}

/// The binary form of one value, in hex; "refused" if it has none.
std::string binary_of(const Type& type, const std::string& text) {
  ColumnVector column(physical(type));
  EXPECT_TRUE(push_value_text(column, type, text).ok()) << text;
  const auto encoder = binary_encoder(type, stored_type(type, {}).name);
  std::string out;
  return encoder(out, type, column, 0) ? hex(out) : "refused";
}

TEST(ValueEncoder, numerics_have_the_digits_that_the_server_sends) {
  // As `select numeric_send(...)` prints them.
  EXPECT_EQ(binary_of(Type::decimal(10, 2), "0.00"), "0000000000000002");
  EXPECT_EQ(binary_of(Type::decimal(10, 2), "12345.67"),
            "000300010000000200010929"
            "1a2c");
}

TEST(ValueEncoder, what_is_out_of_range_is_refused) {
  ColumnVector dates(Physical::i32);
  dates.push_fixed<std::int32_t>(INT32_MIN + 5);
  std::string out;
  const auto date = Type::of(TypeId::date);
  EXPECT_FALSE(binary_encoder(date, "date")(out, date, dates, 0));
  ColumnVector times(Physical::i64);
  times.push_fixed<std::int64_t>(INT64_MIN + 5);
  const auto timestamp = Type::of(TypeId::timestamp);
  EXPECT_FALSE(binary_encoder(timestamp, "timestamp without time zone")(out, timestamp, times, 0));
  ColumnVector texts(Physical::varlen);
  texts.push_text(std::string_view("a\0b", 3));
  EXPECT_FALSE(binary_encoder(Type::text(), "text")(out, Type::text(), texts, 0));
  EXPECT_TRUE(binary_encoder(Type::of(TypeId::bytes), "bytea")(out, Type::of(TypeId::bytes), texts, 0));
}

TEST(ValueEncoder, types_that_meet_another_type_have_no_binary_form) {
  EXPECT_EQ(binary_encoder(Type::of(TypeId::int32), "bigint"), nullptr);
  EXPECT_EQ(binary_encoder(Type::text("inet"), "inet"), nullptr);
  EXPECT_EQ(binary_encoder(Type::array_of(Type::of(TypeId::int32)), "integer[]"), nullptr);
  EXPECT_NE(binary_encoder(Type::text("enum"), "text"), nullptr);
}

/// A random decimal as text with exactly `scale` digits behind the point.
std::string random_decimal(std::mt19937& random, unsigned precision, unsigned scale) {
  std::string digits;
  const auto significant = random() % (precision + 1);
  for (unsigned i = 0; i < precision; ++i) {
    digits +=
        i + significant < precision ? '0' : static_cast<char>('0' + (random() % 3 == 0 ? 0 : random() % 10));
  }
  auto whole = digits.substr(0, precision - scale);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  auto text = whole.empty() ? "0" : whole;
  if (scale > 0) text += "." + digits.substr(precision - scale);
  const bool zero = text.find_first_not_of("0.") == text.npos;
  return random() % 2 == 0 && !zero ? "-" + text : text;
}

TEST(CopyEncoder, what_it_writes_our_own_decoder_reads_back) {
  std::mt19937 random(7);
  const std::vector<std::pair<Type, std::string>> types = {{Type::decimal(38, 0), "numeric"},
                                                           {Type::decimal(38, 1), "numeric"},
                                                           {Type::decimal(37, 6), "numeric"},
                                                           {Type::decimal(11, 3), "numeric"},
                                                           {Type::decimal(38, 38), "numeric"},
                                                           {Type::decimal(0, 0), "numeric"},
                                                           {Type::text(), "text"},
                                                           {Type::of(TypeId::bytes), "bytea"}};
  for (const bool binary : {true, false}) {
    auto schema = std::make_shared<TableSchema>();
    std::vector<CopyField> fields;
    std::vector<ValueDecoder> decoders;
    for (const auto& [type, name] : types) {
      schema->columns.push_back({.name = "c", .type = type, .native_type = {}, .id = {}});
      fields.push_back({type, binary ? name : "another"});
      const Oid oid = name == "numeric" ? 1700 : name == "text" ? 25 : 17;
      decoders.emplace_back(
          MappedType{.type = type, .note = {}, .has_binary = true, .native_oid = oid, .decoded_oid = oid});
    }
    Batch given(schema);
    for (std::uint64_t row = 0; row < 2000; ++row) {
      given.begin_row(Op::read, row);
      for (std::size_t i = 0; i < types.size(); ++i) {
        const auto& type = types[i].first;
        auto& column = given.mutable_after(i);
        if (random() % 7 == 0) {
          column.push_null();
        } else if (type.id == TypeId::decimal) {
          const unsigned precision = type.precision == 0 ? 60 : type.precision;
          const unsigned scale = type.precision == 0 ? static_cast<unsigned>(random() % 60) : type.scale;
          ASSERT_TRUE(push_value_text(column, type, random_decimal(random, precision, scale)).ok());
        } else {
          std::string text;
          for (auto n = random() % 20; n > 0; --n) text += "\\\t\n\r.Na\x01 "[random() % 9];
          column.push_text(text);
        }
      }
      given.finish_row();
    }
    CopyEncoder encoder(fields);
    ASSERT_EQ(encoder.binary(), binary);
    encoder.begin();
    for (std::size_t row = 0; row < given.rows(); ++row) {
      encoder.begin_row();
      for (std::size_t i = 0; i < types.size(); ++i) ASSERT_TRUE(encoder.value(i, given.after(i), row).ok());
      encoder.end_row();
    }
    encoder.end();
    CopyDecoder decoder(binary ? CopyFormat::binary : CopyFormat::text, decoders);
    Batch read(schema);
    const auto fed = decoder.feed(as_bytes(encoder.buffer()), read);
    ASSERT_TRUE(fed.ok()) << fed.error().message;
    ASSERT_TRUE(decoder.finish().ok());
    ASSERT_EQ(read.rows(), given.rows());
    for (std::size_t i = 0; i < types.size(); ++i) {
      EXPECT_EQ(read.after(i).fixed_bytes(), given.after(i).fixed_bytes()) << to_string(types[i].first);
      EXPECT_EQ(read.after(i).chars(), given.after(i).chars()) << to_string(types[i].first);
      EXPECT_EQ(read.after(i).valid(), given.after(i).valid());
    }
  }
}

}  // namespace
}  // namespace maia::postgres
