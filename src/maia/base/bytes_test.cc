// SPDX-License-Identifier: Apache-2.0
#include "maia/base/bytes.h"

#include <gtest/gtest.h>

namespace maia {
namespace {

TEST(Bytes, what_was_written_reads_back) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(200);
  out.u32(0x01020304);
  out.u64(UINT64_MAX);
  out.i64(-5);
  for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, UINT64_MAX})
    out.varint(n);
  out.text("grüße");
  EXPECT_EQ(bytes[1], 4) << "little-endian";
  ByteReader in(bytes);
  EXPECT_EQ(in.u8(), 200);
  EXPECT_EQ(in.u32(), 0x01020304U);
  EXPECT_EQ(in.u64(), UINT64_MAX);
  EXPECT_EQ(in.i64(), -5);
  for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, UINT64_MAX}) {
    EXPECT_EQ(in.varint(), n);
  }
  EXPECT_EQ(in.text(), "grüße");
  EXPECT_TRUE(in.finished());
}

TEST(Bytes, a_read_past_the_end_makes_the_reader_bad_for_good) {
  const Bytes bytes{1, 2, 3};
  ByteReader in(bytes);
  EXPECT_EQ(in.u64(), 0U);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0U);
  EXPECT_FALSE(in.finished());
}

TEST(Bytes, hostile_lengths_and_counts_are_refused) {
  const Bytes text{0xff, 0xff, 0xff, 0xff, 0x0f, 'a'};
  ByteReader long_text(text);
  EXPECT_EQ(long_text.text(), "");
  EXPECT_FALSE(long_text.ok());
  const Bytes many{100, 0, 0, 0};
  ByteReader count(many);
  EXPECT_EQ(count.count(1), 0U);
  EXPECT_FALSE(count.ok());
  const Bytes endless(11, 0x80);
  ByteReader varint(endless);
  varint.varint();
  EXPECT_FALSE(varint.ok());
  const Bytes overlong{0xB0, 0x00};
  ByteReader padded(overlong);
  padded.varint();
  EXPECT_FALSE(padded.ok());
}

}  // namespace
}  // namespace maia
