// SPDX-License-Identifier: Apache-2.0
#include "maia/state/dead_letters.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "maia/testing/temporary_directory.h"

namespace maia {
namespace {

DeadLetter letter(std::string operation, std::string reason = "not a number") {
  return DeadLetter{.operation_id = std::move(operation),
                    .destination = "lake",
                    .table = "public.orders",
                    .stage = "transform",
                    .reason = std::move(reason),
                    .row = R"({"id":"1"})",
                    .position = "0/1",
                    .failed_at = 100};
}

class DeadLetterFileTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  std::string path = directory / "maia.sqlite";
};

TEST_F(DeadLetterFileTest, letters_are_there_after_the_file_is_opened_again) {
  const DeadLetter letters[] = {letter("a"), letter("b")};
  ASSERT_TRUE(DeadLetterFile::open(path).value()->record(letters).ok());
  auto file = DeadLetterFile::open(path).value();
  const auto kept = file->list(10).value();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].letter.row, R"({"id":"1"})");
  EXPECT_EQ(kept[0].letter.failed_at, 100);
  EXPECT_EQ(file->count().value(), 2u);
}

TEST_F(DeadLetterFileTest, recording_the_same_operation_again_counts_an_attempt) {
  auto file = DeadLetterFile::open(path).value();
  const auto first = letter("a");
  auto again = letter("a", "still not");
  again.failed_at = 200;
  ASSERT_TRUE(file->record({&first, 1}).ok());
  ASSERT_TRUE(file->record({&again, 1}).ok());
  const auto kept = file->list(10).value();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].attempts, 2u);
  EXPECT_EQ(kept[0].letter.reason, "still not");
  EXPECT_EQ(kept[0].letter.failed_at, 100);
  EXPECT_EQ(kept[0].last_failed_at, 200);
}

TEST_F(DeadLetterFileTest, a_file_that_is_no_database_is_called_damaged) {
  std::ofstream(path) << std::string(10'000, 'x');
  const auto opened = DeadLetterFile::open(path);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Error::Code::corruption);
  EXPECT_NE(opened.error().message.find(path), std::string::npos);
}

TEST_F(DeadLetterFileTest, a_file_that_another_process_writes_is_waited_for_and_then_refused) {
  auto file = DeadLetterFile::open(path).value();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "begin immediate", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto one = letter("a");
  const auto refused = file->record({&one, 1});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::storage);
  EXPECT_NE(refused.error().hint.find("another process"), std::string::npos);
  ASSERT_EQ(sqlite3_exec(other, "commit", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(file->record({&one, 1}).ok()) << "nothing of the failed attempt may be left open";
  sqlite3_close(other);
}

TEST_F(DeadLetterFileTest, a_directory_that_is_not_there_is_named) {
  const auto opened = DeadLetterFile::open(directory / "none/maia.sqlite");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Error::Code::storage);
}

}  // namespace
}  // namespace maia
