// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/journal_fit.h"

#include <gtest/gtest.h>

#include "maia/base/disk.h"
#include "maia/journal/local_journal.h"
#include "maia/testing/memory_source.h"
#include "maia/testing/temporary_directory.h"

namespace maia::engine {
namespace {

class JournalFitTest : public ::testing::Test {
 protected:
  /// Records after sequence 10 at position 100: sequence 10 + n at position 100 + 10 n.
  void SetUp() override {
    ASSERT_TRUE(journal->reset({10}, {"100"}).ok());
    ASSERT_TRUE(journal->start({1}).ok());
    for (int n = 1; n <= 3; ++n) {
      const Position position{std::to_string(100 + 10 * n)};
      ASSERT_TRUE(journal->append({StreamEvent::Idle{position}}).ok());
    }
  }
  JournalFit fit(std::uint64_t sequence, const std::string& position) {
    return fit_of(*journal, source, {sequence}, {position}).value();
  }

  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  testing::MemoryDatabase database{1};
  testing::Faults faults{[](std::string_view) { return std::nullopt; }};
  testing::MemorySource source{database, faults};
  std::unique_ptr<LocalJournal> journal =
      LocalJournal::open(system_disk(), {.directory = directory.path() / "journal"}).value();
};

TEST_F(JournalFitTest, a_place_that_the_journal_holds_under_that_sequence_continues) {
  EXPECT_EQ(fit(11, "110"), JournalFit::continues);
  EXPECT_EQ(fit(12, "120"), JournalFit::continues);
  EXPECT_EQ(fit(13, "130"), JournalFit::continues);
  EXPECT_EQ(fit(10, "100"), JournalFit::continues);
}

TEST_F(JournalFitTest, another_position_under_the_same_sequence_is_of_another_journal) {
  EXPECT_EQ(fit(11, "111"), JournalFit::foreign);
  EXPECT_EQ(fit(12, "110"), JournalFit::foreign);
  EXPECT_EQ(fit(13, "120"), JournalFit::foreign);
}

TEST_F(JournalFitTest, a_place_beyond_either_end_is_told_apart) {
  EXPECT_EQ(fit(14, "140"), JournalFit::behind);
  EXPECT_EQ(fit(9, "90"), JournalFit::released);
}

TEST_F(JournalFitTest, a_journal_that_has_just_begun_is_compared_by_where_it_begins) {
  ASSERT_TRUE(journal->reset({20}, {"200"}).ok());
  EXPECT_EQ(fit(20, "200"), JournalFit::continues);
  EXPECT_EQ(fit(20, "199"), JournalFit::foreign);
  EXPECT_EQ(fit(21, "210"), JournalFit::behind);
  EXPECT_EQ(fit(19, "190"), JournalFit::released);
}

}  // namespace
}  // namespace maia::engine
