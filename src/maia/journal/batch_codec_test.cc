// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/batch_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "maia/journal/schema_codec.h"
#include "maia/testing/random_window.h"

namespace maia::journal {
namespace {

using testing::dump;
using testing::RandomWindows;

/// Names schemas by the order in which they are met.
struct Schemas {
  std::vector<SchemaRef> known;

  SchemaToNumber to_number() {
    return [this](const SchemaRef& schema) -> Result<std::uint64_t> {
      known.push_back(schema);
      return known.size();
    };
  }
  NumberToSchema to_schema() {
    return [this](std::uint64_t number) -> Result<SchemaRef> {
      if (number == 0 || number > known.size()) {
        return Error{Error::Code::corruption, Recovery::halt, "no such schema", ""};
      }
      return known[number - 1];
    };
  }
};

Bytes encoded(const Window& window, Schemas& schemas) {
  Bytes payload;
  ByteWriter out(payload);
  EXPECT_TRUE(encode_window(out, window, schemas.to_number()).ok());
  return payload;
}

Window sample(std::uint64_t seed, std::size_t rows) {
  RandomWindows random(seed);
  auto window = random.window(random.schema(), rows);
  window.end.token = random.text(20);
  window.transactions.push_back({Position{random.text(20)}, random.text(9), 1'700'000'000'000'000, 0});
  return window;
}

RC_GTEST_PROP(BatchCodec, any_window_reads_back_as_it_was_written, (std::uint64_t seed, std::uint8_t rows)) {
  const auto window = sample(seed, rows);
  Schemas schemas;
  const auto payload = encoded(window, schemas);
  const auto read = decode_window(payload, schemas.to_schema());
  RC_ASSERT(read.ok());
  RC_ASSERT(dump(*read) == dump(window));
}

RC_GTEST_PROP(BatchCodec, any_schema_reads_back_as_it_was_written, (std::uint64_t seed)) {
  const auto schema = RandomWindows(seed).schema();
  Bytes payload;
  ByteWriter out(payload);
  encode_schema(out, *schema);
  const auto read = decode_schema(payload);
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == *schema);
}

TEST(BatchCodec, every_truncation_is_refused) {
  const auto window = sample(7, 40);
  Schemas schemas;
  const auto payload = encoded(window, schemas);
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const auto read = decode_window(ByteView(payload).first(size), schemas.to_schema());
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.error().code, Error::Code::corruption);
  }
}

TEST(BatchCodec, damaged_payloads_end_in_an_error_or_a_well_formed_window) {
  const auto window = sample(11, 30);
  Schemas schemas;
  const auto payload = encoded(window, schemas);
  for (std::size_t bit = 0; bit < payload.size() * 8; ++bit) {
    auto flipped = payload;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto read = decode_window(flipped, schemas.to_schema());
    if (read.ok()) {
      EXPECT_EQ(dump(*read).empty(), false);
    } else {
      EXPECT_EQ(read.error().code, Error::Code::corruption) << bit;
    }
  }
}

TEST(BatchCodec, a_number_of_rows_that_the_bytes_cannot_hold_is_refused) {
  Schemas schemas;
  schemas.known.push_back(RandomWindows(3).schema());
  Bytes payload;
  ByteWriter out(payload);
  out.text("");
  out.i64(0);
  out.varint(0);
  out.varint(1);
  out.u8(1);
  out.varint(1);
  out.varint(std::uint64_t{1} << 60);
  out.u32(0);
  EXPECT_FALSE(decode_window(payload, schemas.to_schema()).ok());
}

}  // namespace
}  // namespace maia::journal
