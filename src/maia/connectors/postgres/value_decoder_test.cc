// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/value_decoder.h"

#include <gmock/gmock.h>

#include "maia/connectors/postgres/builtin_types.h"
#include "maia/connectors/postgres/numeric_binary.h"
#include "maia/connectors/postgres/wire.h"
#include "maia/connectors/postgres/wire_writer.h"

namespace maia::postgres {
namespace {

using ::testing::HasSubstr;

/// A decoder with a column of its own.
struct Subject {
  explicit Subject(Oid oid, std::int32_t typmod = -1)
      : decoder(map_type({.oid = oid, .typmod = typmod})), column(physical(decoder.type())) {}
  Status text(std::string_view value) { return decoder.push_text(column, value); }
  Status binary(const WireWriter& value) { return decoder.push_binary(column, value.bytes()); }
  void expect_refused(const Status& status, Error::Code code) const {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, code) << status.error().message;
    EXPECT_EQ(column.size(), 0);
  }

  ValueDecoder decoder;
  ColumnVector column;
};

TEST(ValueDecoderTest, binary_values_of_a_wrong_size_are_corruption) {
  for (const Oid oid : {oid::kBool, oid::kInt2, oid::kInt4, oid::kInt8, oid::kOid, oid::kFloat4, oid::kFloat8,
                        oid::kDate, oid::kTime, oid::kTimestamp, oid::kInterval, oid::kUuid, oid::kNumeric,
                        oid::kMoney, oid::kTimetz, oid::kJsonb, oid::kXid8, oid::kBit, oid::kMacaddr}) {
    SCOPED_TRACE(oid);
    Subject empty(oid);
    empty.expect_refused(empty.binary(WireWriter()), Error::Code::corruption);
    Subject wide(oid);
    wide.expect_refused(wide.binary(WireWriter().raw(std::string(33, '\x7f'))), Error::Code::corruption);
  }
}

TEST(ValueDecoderTest, times_that_our_range_does_not_reach_name_their_type) {
  // 294276-12-31 at the server; ours ends in the year 294247.
  Subject text(oid::kTimestamptz);
  const auto refused = text.text("294276-12-31 23:59:59.999999+00");
  text.expect_refused(refused, Error::Code::data);
  EXPECT_THAT(refused.error().message, HasSubstr("timestamp_tz"));
  Subject binary(oid::kTimestamptz);
  binary.expect_refused(binary.binary(WireWriter().number(std::int64_t{9'223'371'331'199'999'999})),
                        Error::Code::data);
  Subject sentinel(oid::kTimestamp);
  sentinel.expect_refused(sentinel.binary(WireWriter().number(INT64_MAX - kEpochMicros)), Error::Code::data);
}

TEST(ValueDecoderTest, infinite_dates_and_times_keep_their_sentinels) {
  Subject date(oid::kDate);
  ASSERT_TRUE(date.binary(WireWriter().number(INT32_MAX)).ok());
  ASSERT_TRUE(date.text("infinity").ok());
  EXPECT_EQ(date.column.fixed<std::int32_t>(0), INT32_MAX);
  EXPECT_EQ(date.column.fixed<std::int32_t>(1), INT32_MAX);
}

TEST(ValueDecoderTest, a_binary_value_of_a_type_without_binary_form_is_unsupported) {
  Subject point(600);
  EXPECT_FALSE(point.decoder.has_binary());
  point.expect_refused(point.binary(WireWriter().number(1LL)), Error::Code::unsupported);
}

TEST(ValueDecoderTest, text_of_no_value_is_refused) {
  Subject number(oid::kInt4);
  number.expect_refused(number.text("12x"), Error::Code::corruption);
  number.expect_refused(number.text("2147483648"), Error::Code::corruption);
  number.expect_refused(number.text(""), Error::Code::corruption);
  Subject boolean(oid::kBool);
  boolean.expect_refused(boolean.text("yes"), Error::Code::corruption);
  Subject uuid(oid::kUuid);
  EXPECT_FALSE(uuid.text("a0eebc99").ok());
}

/// integer[]
NativeType integers() {
  return {.oid = 1007,
          .kind = TypeKind::array,
          .inner = std::make_shared<const NativeType>(NativeType{.oid = oid::kInt4})};
}

WireWriter array_header(int dimensions, Oid element) {
  return WireWriter().number(dimensions).number(1).number(element);
}

TEST(BinaryArrayTest, bounds_nulls_and_dimensions_are_printed) {
  const ValueDecoder decoder(map_type(integers()));
  ColumnVector column(Physical::varlen);
  ASSERT_TRUE(decoder.push_binary(column, array_header(0, oid::kInt4).bytes()).ok());
  EXPECT_EQ(column.text(0), "{}");
  const auto nested =
      array_header(2, oid::kInt4).number(2).number(0).number(1).number(1).number(4).number(7).number(-1);
  ASSERT_TRUE(decoder.push_binary(column, nested.bytes()).ok());
  EXPECT_EQ(column.text(1), "[0:1][1:1]={{7},{NULL}}");
}

TEST(BinaryArrayTest, broken_arrays_are_corruption_and_push_nothing) {
  const ValueDecoder decoder(map_type(integers()));
  ColumnVector column(Physical::varlen);
  const auto whole = array_header(1, oid::kInt4).number(2).number(1).number(4).number(7).number(-1);
  std::vector<std::string> broken;
  for (std::size_t size = 0; size < whole.view().size(); ++size)
    broken.emplace_back(whole.view().substr(0, size));
  broken.emplace_back(array_header(7, oid::kInt4).view());
  broken.emplace_back(array_header(0, oid::kText).view());
  broken.emplace_back(array_header(1, oid::kInt4).number(INT32_MAX).number(1).view());
  broken.emplace_back(array_header(1, oid::kInt4).number(2).number(INT32_MAX).number(-1).number(-1).view());
  broken.emplace_back(array_header(6, oid::kInt4).raw(std::string(48, '\x7f')).view());
  for (const auto& bytes : broken) {
    const auto status = decoder.push_binary(column, as_bytes(bytes));
    ASSERT_FALSE(status.ok()) << bytes.size();
    EXPECT_EQ(status.error().code, Error::Code::corruption);
    EXPECT_EQ(column.size(), 0);
  }
}

std::optional<int128> scaled(unsigned scale, int weight, std::initializer_list<int> digits, int sign = 0) {
  WireWriter writer;
  writer.number(static_cast<std::int16_t>(digits.size())).number(static_cast<std::int16_t>(weight));
  writer.number(static_cast<std::uint16_t>(sign)).number(std::uint16_t{0});
  for (const int digit : digits) writer.number(static_cast<std::int16_t>(digit));
  return NumericBinary::read(writer.view()).value().scaled(scale);
}

TEST(NumericBinaryTest, digits_are_placed_by_weight_and_scale) {
  EXPECT_EQ(scaled(0, 0, {}), int128{0});
  EXPECT_EQ(scaled(2, 0, {12, 5000}), int128{1250});
  EXPECT_EQ(scaled(0, 2, {3}), int128{300'000'000});
  EXPECT_EQ(scaled(3, 2, {3}, 0x4000), int128{-300'000'000'000});
  EXPECT_EQ(scaled(4, -1, {1}), int128{1});
  EXPECT_EQ(scaled(5, -1, {1}), int128{10});
  EXPECT_EQ(scaled(8, -2, {1}), int128{1});
  EXPECT_EQ(scaled(3, 0, {0, 0, 0}), int128{0});
  EXPECT_EQ(scaled(1, 1, {1, 2, 3000}), int128{100'023});
}

TEST(NumericBinaryTest, what_would_lose_digits_is_refused) {
  EXPECT_EQ(scaled(2, 0, {1, 50}), std::nullopt);
  EXPECT_EQ(scaled(0, -1, {5000}), std::nullopt);
  EXPECT_EQ(scaled(0, -3, {1}), std::nullopt);
  EXPECT_EQ(scaled(0, 9, {100}), std::nullopt);
  EXPECT_EQ(scaled(2, 32'767, {1}), std::nullopt);
  EXPECT_NE(scaled(0, 9, {99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999}), std::nullopt);
  EXPECT_EQ(scaled(1, 9, {99}), std::nullopt);
}

TEST(NumericBinaryTest, bytes_that_are_no_numeric_are_refused) {
  EXPECT_FALSE(NumericBinary::read(WireWriter().number(0LL).character('x').view()));
  EXPECT_FALSE(
      NumericBinary::read(WireWriter().number(0x00010000).number(0).number(std::int16_t{10'000}).view()));
  EXPECT_FALSE(NumericBinary::read(WireWriter().number(0).number(0x12340000).view()));
  EXPECT_FALSE(NumericBinary::read(WireWriter().number(0).number(0x00004000).view()));
}

}  // namespace
}  // namespace maia::postgres
