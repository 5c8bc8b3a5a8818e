// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/binlog_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace maia::mysql {
namespace {

using ::testing::HasSubstr;

/// An event as a server writes it, with its checksum if asked for.
Bytes event(std::uint8_t type, std::string_view content, bool checksum = false, std::uint16_t flags = 0) {
  Bytes out;
  ByteWriter to(out);
  to.u32(1'700'000'000);
  to.u8(type);
  to.u32(1);
  to.u32(static_cast<std::uint32_t>(19 + content.size() + (checksum ? 4 : 0)));
  to.u32(0);
  to.raw(&flags, sizeof flags);
  to.bytes(as_bytes(content));
  if (checksum) to.u32(static_cast<std::uint32_t>(crc32_z(0, out.data(), out.size())));
  return out;
}

/// A parser that has been told that events have checksums.
EventParser with_checksums() {
  std::string content("\x04\0", 2);
  content += "9.7.4";
  content.resize(52);
  content.append(4, '\0');
  content += '\x13';
  content.append(40, '\0');
  content += '\x01';
  EventParser parser;
  const auto described = parser.parse(event(15, content, true));
  EXPECT_TRUE(described.ok()) << described.error().message;
  EXPECT_EQ(std::get<FormatDescription>(described->body).server_version, "9.7.4");
  return parser;
}

TEST(BinlogEventTest, a_wrong_checksum_is_corruption) {
  auto parser = with_checksums();
  auto xid = event(16, std::string(8, '\x07'), true);
  EXPECT_TRUE(parser.parse(xid).ok());
  xid[20] ^= 1;
  const auto broken = parser.parse(xid);
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.error().code, Error::Code::corruption);
  EXPECT_FALSE(EventParser().parse(ByteView(xid).first(18)).ok());
}

TEST(BinlogEventTest, unknown_events_stop_with_their_name_unless_they_may_be_left_out) {
  EventParser parser;
  const auto unknown = parser.parse(event(99, "x"));
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, Error::Code::unsupported);
  EXPECT_THAT(unknown.error().message, HasSubstr("event 99"));
  EXPECT_TRUE(parser.parse(event(99, "x", false, 0x80)).ok()) << "MySQL's mark";
  EXPECT_FALSE(parser.parse(event(199, "x", false, 0x80)).ok());
  EXPECT_TRUE(parser.parse(event(199, "x", false, 0x8000)).ok()) << "MariaDB's mark";
  const auto incident = parser.parse(event(26, std::string(2, '\1')));
  ASSERT_FALSE(incident.ok());
  EXPECT_THAT(incident.error().message, HasSubstr("INCIDENT"));
}

TEST(BinlogEventTest, transactions_of_both_products_have_their_ids) {
  EventParser parser;
  std::string content(1, '\0');
  for (char c = 1; c <= 16; ++c) content += c;
  content += std::string("\x09\0\0\0\0\0\0\0", 8);
  const auto mysql = parser.parse(event(33, content));
  ASSERT_TRUE(mysql.ok());
  EXPECT_EQ(std::get<Gtid>(mysql->body).number, 9U);
  EXPECT_EQ(to_text(std::get<Gtid>(mysql->body).origin.uuid), "01020304-0506-0708-090a-0b0c0d0e0f10");
  const std::string domain("\x2a\0\0\0\0\0\0\0\x03\0\0\0\x41\0\0\0\0\0\0", 19);
  const auto mariadb = parser.parse(event(162, domain));
  ASSERT_TRUE(mariadb.ok());
  const auto& gtid = std::get<DomainGtid>(mariadb->body);
  EXPECT_EQ(gtid.number, 42U);
  EXPECT_EQ(gtid.domain, 3U);
  EXPECT_TRUE(gtid.standalone && gtid.prepares);
}

TEST(BinlogEventTest, metadata_that_its_type_cannot_have_is_corruption) {
  EventParser parser;
  const std::string head(
      "\x07\0\0\0\0\0\x01\0\x01"
      "d\0\x01t\0\x01",
      15);
  const auto table = [&](char type, char meta) {
    return parser.parse(event(19, head + type + std::string(1, '\x01') + meta + std::string(1, '\x01')));
  };
  EXPECT_TRUE(table('\x12', 6).ok());
  EXPECT_FALSE(table('\x12', 7).ok()) << "digits of a second";
  EXPECT_TRUE(table('\xfc', 4).ok());
  EXPECT_FALSE(table('\xfc', 5).ok()) << "bytes of a length";
  EXPECT_FALSE(table('\x03', 0).ok()) << "an int has none";
}

}  // namespace
}  // namespace maia::mysql
