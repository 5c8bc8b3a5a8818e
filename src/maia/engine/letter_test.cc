// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/letter.h"

#include <gtest/gtest.h>

#include "maia/engine/waiting_rows.h"
#include "maia/testing/change_sequences.h"
#include "maia/testing/memory_source.h"

namespace maia::engine {
namespace {

using testing::KeyChange;

const Transaction kTransaction{.position = {"7"}, .id = "742", .committed_at = 5, .first_ordinal = 10};

Batch changes(const std::vector<KeyChange>& all) {
  Batch batch(testing::key_schema());
  for (std::size_t i = 0; i < all.size(); ++i) {
    testing::push(batch, all[i], static_cast<int>(i));
    batch.set_ordinal(i, 10 + i);
  }
  return batch;
}

TEST(Letter, a_change_comes_back_as_it_was_with_its_transaction) {
  const auto batch = changes({{.op = Op::insert, .key = 1, .new_key = 1},
                              {.op = Op::update, .key = 1, .new_key = 2, .lacks_a = false, .lacks_b = true}});
  const auto back = decode_change(encode_change(single_change(batch, 1, kTransaction)));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->transaction.operation_id(back->batch.ordinal(0)), kTransaction.operation_id(11));
  EXPECT_EQ(back->transaction.committed_at, 5);
  EXPECT_EQ(*back->batch.schema(), *testing::key_schema());
  EXPECT_EQ(back->batch.op(0), Op::update);
  EXPECT_EQ(back->batch.after(2).presence(0), Presence::unchanged);
  EXPECT_EQ(key_before(back->batch, 0), key_before(batch, 1));
  EXPECT_EQ(key_after(back->batch, 0), key_after(batch, 1));
  EXPECT_NE(key_before(batch, 1), key_after(batch, 1));
}

TEST(Letter, bytes_that_are_cut_or_changed_are_refused_or_are_another_change_but_never_more) {
  const auto batch = changes({{.op = Op::insert, .key = 1, .new_key = 1}});
  const auto whole = encode_change(single_change(batch, 0, kTransaction));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = decode_change(ByteView(whole).first(size));
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_EQ(cut.error().code, Error::Code::corruption);
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto other = decode_change(flipped);
    EXPECT_TRUE(!other.ok() || other->batch.rows() == 1) << bit;
  }
}

TEST(Letter, a_value_is_edited_by_its_text_and_wrong_ones_are_refused_by_name) {
  const auto batch = changes({{.op = Op::insert, .key = 1, .new_key = 1}});
  auto change = single_change(batch, 0, kTransaction);
  ASSERT_TRUE(set_value(change, "a", "77").ok());
  ASSERT_TRUE(set_value(change, "b", std::nullopt).ok());
  EXPECT_EQ(row_as_json(change.batch, 0), R"({"key":"1","a":"77","b":null})");
  const auto bad = set_value(change, "a", "seventy");
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("a:"), std::string::npos);
  const auto unknown = set_value(change, "c", "1");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().hint.find("key, a, b"), std::string::npos);
}

class WaitingRowsTest : public ::testing::Test {
 protected:
  void letter(const Batch& batch, std::size_t row, const Transaction& transaction) {
    waiting.add(DeadLetter{.operation_id = letter_operation_id(batch, row, transaction),
                           .destination = "lake",
                           .table = "s.t",
                           .table_id = "1",
                           .key = key_before(batch, row),
                           .moved = key_after(batch, row),
                           .token = transaction.position.token,
                           .ordinal = batch.ordinal(row) - transaction.first_ordinal});
  }
  WaitingRows::Place place(const Batch& batch, std::size_t row,
                           const Transaction& transaction = kTransaction) {
    return waiting.find(batch, row, transaction).place;
  }

  testing::MemoryDatabase database{1};
  testing::Faults faults{[](std::string_view) { return std::optional<Error>(); }};
  testing::MemorySource source{database, faults};
  WaitingRows waiting{source};
};

TEST_F(WaitingRowsTest, later_changes_of_the_row_wait_and_earlier_ones_and_other_rows_do_not) {
  const auto batch = changes({{.op = Op::insert, .key = 1, .new_key = 1},
                              {.op = Op::update, .key = 1, .new_key = 1},
                              {.op = Op::remove, .key = 1, .new_key = 1},
                              {.op = Op::insert, .key = 2, .new_key = 2}});
  letter(batch, 1, kTransaction);
  EXPECT_EQ(place(batch, 0), WaitingRows::Place::free);
  EXPECT_EQ(place(batch, 1), WaitingRows::Place::own);
  EXPECT_EQ(place(batch, 2), WaitingRows::Place::behind);
  EXPECT_EQ(place(batch, 3), WaitingRows::Place::free);
  const Transaction earlier{.position = {"6"}, .id = "741", .committed_at = 4, .first_ordinal = 10};
  EXPECT_EQ(place(batch, 2, earlier), WaitingRows::Place::free);
  EXPECT_EQ(waiting.count("1"), 1u);
}

TEST_F(WaitingRowsTest, a_change_of_the_key_makes_both_keys_wait) {
  const auto batch = changes({{.op = Op::update, .key = 1, .new_key = 2},
                              {.op = Op::insert, .key = 1, .new_key = 1},
                              {.op = Op::update, .key = 2, .new_key = 2},
                              {.op = Op::update, .key = 0, .new_key = 1}});
  letter(batch, 0, kTransaction);
  EXPECT_EQ(place(batch, 1), WaitingRows::Place::behind);
  EXPECT_EQ(place(batch, 2), WaitingRows::Place::behind);
  EXPECT_EQ(place(batch, 3), WaitingRows::Place::behind);
}

TEST_F(WaitingRowsTest, what_is_forgotten_or_overtaken_holds_nothing_back) {
  const auto batch =
      changes({{.op = Op::insert, .key = 1, .new_key = 1}, {.op = Op::update, .key = 1, .new_key = 1}});
  letter(batch, 0, kTransaction);
  const auto id = letter_operation_id(batch, 0, kTransaction);
  EXPECT_EQ(waiting.find(batch, 1, kTransaction).before, std::vector<std::string>{id});
  waiting.overtake("1", id);
  EXPECT_EQ(place(batch, 1), WaitingRows::Place::free);
  EXPECT_EQ(place(batch, 0), WaitingRows::Place::own) << "it still waits to be replayed or purged";
  waiting.forget("1", id);
  EXPECT_EQ(place(batch, 0), WaitingRows::Place::free);
  EXPECT_TRUE(waiting.none("1"));
}

}  // namespace
}  // namespace maia::engine
