// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/tenure.h"

#include <gtest/gtest.h>

namespace maia::engine {
namespace {

using Answer = Tenure::Answer;

TEST(Tenure, where_nothing_is_held_nobody_is_waited_for) {
  Tenure tenure;
  EXPECT_EQ(tenure.answer(tenure.ask()).value(), Answer::ours);
}

TEST(Tenure, each_holder_answers_what_was_asked_before_its_commit_began) {
  Tenure tenure;
  tenure.holds("a");
  tenure.holds("b");
  const auto before = tenure.asked();
  const auto question = tenure.ask();
  tenure.committed("a", before);
  EXPECT_TRUE(tenure.waits_for("a"));
  EXPECT_EQ(tenure.answer(question).value(), Answer::not_yet);
  tenure.committed("a", tenure.asked());
  EXPECT_FALSE(tenure.waits_for("a"));
  EXPECT_EQ(tenure.answer(question).value(), Answer::not_yet);
  tenure.committed("b", tenure.asked());
  EXPECT_EQ(tenure.answer(question).value(), Answer::ours);
}

TEST(Tenure, one_that_is_away_is_not_waited_for_and_answers_when_it_is_opened) {
  Tenure tenure;
  tenure.holds("a");
  const auto question = tenure.ask();
  tenure.lets_go("a");
  EXPECT_FALSE(tenure.waits_for("a"));
  EXPECT_EQ(tenure.answer(question).value(), Answer::ours);
  tenure.holds("a");
  EXPECT_EQ(tenure.answer(question).value(), Answer::ours);
}

TEST(Tenure, one_that_a_newer_run_has_answers_for_all) {
  Tenure tenure;
  tenure.holds("a");
  tenure.holds("b");
  const auto question = tenure.ask();
  tenure.committed("b", tenure.asked());
  tenure.replaced(Error{Error::Code::fenced, Recovery::halt, "a newer run has it", ""});
  ASSERT_FALSE(tenure.answer(question).ok());
  EXPECT_EQ(tenure.answer(question).error().message, "a newer run has it");
}

}  // namespace
}  // namespace maia::engine
