// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/copy_decoder.h"

#include <gmock/gmock.h>

#include "maia/connectors/postgres/builtin_types.h"
#include "maia/connectors/postgres/wire.h"
#include "maia/connectors/postgres/wire_writer.h"

namespace maia::postgres {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);

class CopyDecoderTest : public ::testing::Test {
 protected:
  /// A copy of columns "id" (integer) and "name" (text).
  CopyDecoder decoder(CopyFormat format) const {
    return CopyDecoder(
        format, {ValueDecoder(map_type({.oid = oid::kInt4})), ValueDecoder(map_type({.oid = oid::kText}))});
  }
  static SchemaRef schema() {
    TableSchema schema{.id = "1", .name = {"public", "people"}};
    schema.columns.push_back({.name = "id", .type = Type::of(TypeId::int32)});
    schema.columns.push_back({.name = "name", .type = Type::text()});
    return std::make_shared<const TableSchema>(std::move(schema));
  }
  static WireWriter header() { return WireWriter().raw(kSignature).number(0).number(0); }
  static WireWriter& add_row(WireWriter& writer, int id, std::string_view name) {
    return writer.number(std::int16_t{2})
        .number(4)
        .number(id)
        .number(static_cast<int>(name.size()))
        .raw(name);
  }
  static WireWriter three_rows() {
    auto bytes = header();
    add_row(bytes, 1, "Ada");
    bytes.number(std::int16_t{2}).number(4).number(2).number(-1);
    add_row(bytes, -3, "");
    return bytes.number(std::int16_t{-1});
  }
  /// Feeds in chunks of a size; the first error, or finish's.
  Status decode(CopyFormat format, std::string_view bytes, std::size_t chunk = 1 << 20) {
    batch_.clear();
    auto copy = decoder(format);
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      MAIA_TRY(copy.feed(as_bytes(bytes.substr(at, chunk)), batch_));
    }
    return copy.finish();
  }
  void expect_three_rows() const {
    ASSERT_EQ(batch_.rows(), 3);
    EXPECT_EQ(batch_.op(0), Op::read);
    EXPECT_EQ(batch_.ordinal(2), 2);
    EXPECT_EQ(batch_.after(0).fixed<std::int32_t>(0), 1);
    EXPECT_EQ(batch_.after(1).text(0), "Ada");
    EXPECT_EQ(batch_.after(1).presence(1), Presence::null);
    EXPECT_EQ(batch_.after(0).fixed<std::int32_t>(2), -3);
    EXPECT_EQ(batch_.after(1).text(2), "");
    EXPECT_EQ(batch_.after(1).presence(2), Presence::value);
  }

  Batch batch_{schema()};
};

TEST_F(CopyDecoderTest, binary_rows_are_read_however_they_are_cut) {
  const auto bytes = three_rows();
  for (std::size_t chunk = 1; chunk <= bytes.view().size(); ++chunk) {
    SCOPED_TRACE(chunk);
    const auto status = decode(CopyFormat::binary, bytes.view(), chunk);
    ASSERT_TRUE(status.ok()) << status.error().message;
    expect_three_rows();
  }
}

TEST_F(CopyDecoderTest, text_rows_are_read_however_they_are_cut) {
  constexpr std::string_view kText = "1\tAda\n2\t\\N\n-3\t\n";
  for (std::size_t chunk = 1; chunk <= kText.size(); ++chunk) {
    SCOPED_TRACE(chunk);
    const auto status = decode(CopyFormat::text, kText, chunk);
    ASSERT_TRUE(status.ok()) << status.error().message;
    expect_three_rows();
  }
}

TEST_F(CopyDecoderTest, text_escapes_are_undone) {
  ASSERT_TRUE(decode(CopyFormat::text, "1\ta\\tb\\nc\\\\d\\re\\bf\\fg\\v\n2\t\\\\N\n").ok());
  EXPECT_EQ(batch_.after(1).text(0), "a\tb\nc\\d\re\bf\fg\v");
  EXPECT_EQ(batch_.after(1).text(1), "\\N");
}

TEST_F(CopyDecoderTest, a_binary_copy_cut_at_any_byte_is_corruption) {
  const auto bytes = three_rows();
  for (std::size_t size = 0; size < bytes.view().size(); ++size) {
    const auto status = decode(CopyFormat::binary, bytes.view().substr(0, size));
    ASSERT_FALSE(status.ok()) << size;
    EXPECT_EQ(status.error().code, Error::Code::corruption);
  }
}

TEST_F(CopyDecoderTest, rows_that_do_not_fit_are_corruption_and_leave_no_trace) {
  auto narrow = header();
  narrow.number(std::int16_t{1}).number(4).number(7);
  auto negative = header();
  negative.number(std::int16_t{2}).number(-2);
  auto behind = three_rows();
  add_row(behind, 4, "late");
  auto foreign = header();
  foreign.number(std::int16_t{2}).number(3).raw("abc").number(0);
  for (const auto* bytes : {&narrow, &negative, &foreign}) {
    const auto status = decode(CopyFormat::binary, bytes->view());
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, Error::Code::corruption) << status.error().message;
    EXPECT_EQ(batch_.rows(), 0);
    EXPECT_EQ(batch_.after(0).size(), 0);
  }
  EXPECT_THAT(decode(CopyFormat::binary, behind.view()).error().message, HasSubstr("behind the trailer"));
  EXPECT_THAT(decode(CopyFormat::text, "1\ta\tb\n").error().message, HasSubstr("row 1"));
  EXPECT_THAT(decode(CopyFormat::text, "1\ta\n2\n").error().message, HasSubstr("row 2"));
  EXPECT_EQ(batch_.rows(), 1);
  EXPECT_THAT(decode(CopyFormat::text, "1\ta\\x41\n").error().message, HasSubstr("backslash"));
  EXPECT_FALSE(decode(CopyFormat::text, "1\ta\\\n").ok());
  EXPECT_THAT(decode(CopyFormat::text, "1\ta\n2").error().message, HasSubstr("row 2"));
}

TEST_F(CopyDecoderTest, a_value_that_cannot_be_read_names_row_and_column) {
  const auto status = decode(CopyFormat::text, "1\ta\nx\tb\n");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("row 2: column id"));
}

TEST_F(CopyDecoderTest, unknown_critical_flags_stop) {
  const auto status =
      decode(CopyFormat::binary, WireWriter().raw(kSignature).number(0x10000).number(0).view());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Error::Code::unsupported);
  EXPECT_EQ(decode(CopyFormat::binary, std::string(30, 'x')).error().code, Error::Code::corruption);
}

TEST_F(CopyDecoderTest, a_header_extension_is_passed_over) {
  auto bytes = WireWriter().raw(kSignature).number(0).number(3).raw("abc");
  add_row(bytes, 1, "Ada").number(std::int16_t{-1});
  ASSERT_TRUE(decode(CopyFormat::binary, bytes.view()).ok());
  EXPECT_EQ(batch_.rows(), 1);
}

}  // namespace
}  // namespace maia::postgres
