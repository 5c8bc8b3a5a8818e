// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maia::engine {
namespace {

/// What a destination does with updates.
class SealTest : public ::testing::Test {
 protected:
  void commit(CheckpointUpdate update) {
    update.seal = seal.of(update);
    held.checkpoint.sequence = update.sequence;
    held.checkpoint.position = update.position;
    held.checkpoint.seal = update.seal;
    for (const auto& [key, value] : update.facts) {
      if (value) {
        held.checkpoint.facts[key] = *value;
      } else {
        held.checkpoint.facts.erase(key);
      }
    }
    seal.committed(update);
  }
  void SetUp() override {
    held.epoch = {4};
    ASSERT_TRUE(seal.open(held).ok());
    commit({.sequence = {7}, .position = {"seven"}, .facts = {{"table/1", "a"}, {"table/2", "b"}}});
    commit({.sequence = {8}, .position = {"eight"}, .facts = {{"table/1", "c"}, {"table/2", std::nullopt}}});
    held.epoch = {5};
  }
  std::string_view reason() {
    const auto opened = Seal("p").open(held);
    return opened.ok() ? "" : opened.error().reason;
  }

  Seal seal{"p"};
  Destination::Opened held;
};

TEST_F(SealTest, what_was_sealed_opens_and_can_be_sealed_again) {
  EXPECT_EQ(reason(), "");
  ASSERT_TRUE(seal.open(held).ok());
  commit({.sequence = {9}, .position = {"nine"}, .facts = {{"table/3", "d"}}});
  held.epoch = {9};
  EXPECT_EQ(reason(), "");
}

TEST_F(SealTest, every_edit_is_found) {
  const auto sound = held;
  held.checkpoint.sequence.value = 6;
  EXPECT_EQ(reason(), "checkpoint_edited");
  held = sound;
  held.checkpoint.position.token = "nine";
  EXPECT_EQ(reason(), "checkpoint_edited");
  held = sound;
  held.checkpoint.facts["table/1"] = "a";
  EXPECT_EQ(reason(), "checkpoint_edited");
  held = sound;
  held.checkpoint.facts.clear();
  EXPECT_EQ(reason(), "checkpoint_edited");
  held = sound;
  held.checkpoint.facts["table/2"] = "b";
  EXPECT_EQ(reason(), "checkpoint_edited");
  held = sound;
  held.epoch = {4};
  EXPECT_EQ(reason(), "checkpoint_edited");
  held = sound;
  held.checkpoint.seal.back() = held.checkpoint.seal.back() == '0' ? '1' : '0';
  EXPECT_EQ(reason(), "checkpoint_edited");
}

TEST_F(SealTest, a_checkpoint_of_another_pipeline_is_none) { EXPECT_FALSE(Seal("q").open(held).ok()); }

TEST_F(SealTest, who_clears_the_seal_accepts_the_edit) {
  held.checkpoint.sequence.value = 6;
  held.checkpoint.seal.clear();
  EXPECT_EQ(reason(), "");
}

TEST_F(SealTest, an_update_that_did_not_become_durable_changes_nothing) {
  CheckpointUpdate lost{.sequence = {9}, .position = {"nine"}, .facts = {{"table/1", "z"}}};
  static_cast<void>(seal.of(lost));
  commit({.sequence = {9}, .position = {"neuf"}, .facts = {{"table/1", "y"}}});
  EXPECT_EQ(reason(), "");
}

}  // namespace
}  // namespace maia::engine
