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
                    .table_id = "16384",
                    .stage = "transform",
                    .reason = std::move(reason),
                    .row = R"({"id":"1"})",
                    .change = {1, 0, 2},
                    .key = std::string("\x01\0k", 3),
                    .moved = {},
                    .position = "0/1",
                    .token = "t1",
                    .ordinal = 3,
                    .transaction = "742",
                    .file_version = "abc",
                    .failed_at = 100};
}

class DeadLetterFileTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  std::string path = directory / "maia.sqlite";
};

TEST_F(DeadLetterFileTest, letters_are_there_whole_after_the_file_is_opened_again) {
  const DeadLetter letters[] = {letter("a"), letter("b")};
  ASSERT_TRUE(DeadLetterFile::open(path).value()->record(letters, "").ok());
  auto file = DeadLetterFile::open(path).value();
  const auto kept = file->list({}).value();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].row, R"({"id":"1"})");
  EXPECT_EQ(kept[0].change, letters[0].change);
  EXPECT_EQ(kept[0].key, letters[0].key) << "also behind a zero byte";
  EXPECT_EQ(kept[0].token, "t1");
  EXPECT_EQ(kept[0].ordinal, 3u);
  EXPECT_EQ(kept[0].transaction, "742");
  EXPECT_EQ(kept[0].file_version, "abc");
  EXPECT_EQ(kept[0].failed_at, 100);
  EXPECT_EQ(kept[0].status, DeadLetter::Status::waiting);
  EXPECT_NE(kept[0].id, kept[1].id);
  EXPECT_EQ(file->count().value(), 2u);
}

TEST_F(DeadLetterFileTest, only_the_burial_that_was_committed_stands) {
  auto file = DeadLetterFile::open(path).value();
  const auto stands = letter("stands");
  ASSERT_TRUE(file->record({&stands, 1}, "1.1").ok());
  ASSERT_TRUE(file->settle("lake", "1.1").ok());
  EXPECT_EQ(file->count().value(), 1u);
  const DeadLetter tried[] = {letter("stands"), letter("lost"), letter("again")};
  ASSERT_TRUE(file->record(tried, "1.2").ok());
  auto elsewhere = letter("elsewhere");
  elsewhere.destination = "sea";
  ASSERT_TRUE(file->record({&elsewhere, 1}, "1.2").ok());
  EXPECT_EQ(file->count().value(), 1u) << "the others do not stand yet";
  EXPECT_EQ(file->list({}).value().size(), 1u);
  EXPECT_EQ(file->waiting("lake", false).value().size(), 3u) << "the run that put them aside knows them";
  ASSERT_TRUE(file->record({&tried[2], 1}, "1.3").ok());
  file = DeadLetterFile::open(path).value();
  ASSERT_TRUE(file->settle("lake", "1.3").ok());
  std::vector<std::string> left;
  for (const auto& each : file->list({}).value()) left.push_back(each.operation_id);
  EXPECT_EQ(left, (std::vector<std::string>{"stands", "again"}));
  EXPECT_EQ(file->waiting("sea", false).value().size(), 1u);
  ASSERT_TRUE(file->settle("sea", "").ok());
  EXPECT_TRUE(file->waiting("sea", false).value().empty());
}

TEST_F(DeadLetterFileTest, a_file_keeps_its_identity_and_no_two_have_the_same) {
  const auto identity = DeadLetterFile::open(path).value()->identity();
  EXPECT_EQ(identity.size(), 16u);
  EXPECT_EQ(DeadLetterFile::open(path).value()->identity(), identity);
  EXPECT_NE(DeadLetterFile::open(directory / "other.sqlite").value()->identity(), identity);
}

TEST_F(DeadLetterFileTest, recording_the_same_operation_again_counts_an_attempt) {
  auto file = DeadLetterFile::open(path).value();
  const auto first = letter("a");
  auto again = letter("a", "still not");
  again.failed_at = 200;
  ASSERT_TRUE(file->record({&first, 1}, "").ok());
  ASSERT_TRUE(file->record({&again, 1}, "").ok());
  const auto kept = file->list({}).value();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].attempts, 2u);
  EXPECT_EQ(kept[0].reason, "still not");
  EXPECT_EQ(kept[0].failed_at, 100);
  EXPECT_EQ(kept[0].last_failed_at, 200);
}

TEST_F(DeadLetterFileTest, a_letter_that_was_edited_replayed_or_purged_stays_so_when_it_fails_again) {
  auto file = DeadLetterFile::open(path).value();
  const DeadLetter letters[] = {letter("edited"), letter("replayed"), letter("purged")};
  ASSERT_TRUE(file->record(letters, "").ok());
  ASSERT_TRUE(file->edit(1, R"({"id":"2"})", Bytes{9}).ok());
  const std::string replayed[] = {"replayed"};
  ASSERT_TRUE(file->replayed("lake", replayed).ok());
  ASSERT_EQ(file->purge({.ids = {3}, .table = {}, .destination = {}}).value(), 1u);
  ASSERT_TRUE(file->record(letters, "").ok());
  const auto kept = file->list({}).value();
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_TRUE(kept[0].edited);
  EXPECT_EQ(kept[0].change, Bytes{9});
  EXPECT_EQ(kept[1].status, DeadLetter::Status::replayed);
  EXPECT_EQ(kept[2].status, DeadLetter::Status::purged);
  EXPECT_TRUE(kept[2].row.empty() && kept[2].change.empty());
  EXPECT_EQ(file->count().value(), 1u);
  EXPECT_EQ(file->waiting("lake", true).value().size(), 1u);
}

TEST_F(DeadLetterFileTest, only_a_letter_that_waits_can_be_edited) {
  auto file = DeadLetterFile::open(path).value();
  const auto refused = file->edit(7, "{}", Bytes{1});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::invalid_config);
  EXPECT_NE(refused.error().message.find("7"), std::string::npos);
}

TEST_F(DeadLetterFileTest, purging_takes_what_the_filter_names_and_what_was_replayed_goes_altogether) {
  auto file = DeadLetterFile::open(path).value();
  auto old = letter("old");
  old.failed_at = 50;
  auto other = letter("other");
  other.table = "public.borders";
  const DeadLetter letters[] = {old, letter("new"), other};
  ASSERT_TRUE(file->record(letters, "").ok());
  EXPECT_EQ(file->purge({.ids = {}, .table = {}, .destination = {}, .failed_before = 100}).value(), 1u);
  EXPECT_EQ(file->count().value(), 2u);
  EXPECT_EQ(file->purge({.ids = {}, .table = "orders", .destination = {}, .status = {}}).value(), 1u)
      << "a table's name without its schema is not the end of another's";
  const std::string replayed[] = {"other"};
  ASSERT_TRUE(file->replayed("lake", replayed).ok());
  EXPECT_EQ(file->purge({.ids = {}, .table = "borders", .destination = "lake"}).value(), 1u);
  EXPECT_EQ(file->list({}).value().size(), 2u) << "of purged letters it stays known that they were";
}

TEST_F(DeadLetterFileTest, what_a_later_change_overtook_is_marked) {
  auto file = DeadLetterFile::open(path).value();
  const DeadLetter letters[] = {letter("a"), letter("b")};
  ASSERT_TRUE(file->record(letters, "").ok());
  const std::string overtaken[] = {"b"};
  ASSERT_TRUE(file->overtake("lake", overtaken).ok());
  const auto kept = file->waiting("lake", false).value();
  EXPECT_FALSE(kept[0].overtaken);
  EXPECT_TRUE(kept[1].overtaken);
  EXPECT_TRUE(kept[0].change.empty());
  EXPECT_TRUE(file->waiting("pond", false).value().empty());
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
  const auto refused = file->record({&one, 1}, "");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::storage);
  EXPECT_NE(refused.error().hint.find("another process"), std::string::npos);
  ASSERT_EQ(sqlite3_exec(other, "commit", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_TRUE(file->record({&one, 1}, "").ok()) << "nothing of the failed attempt may be left open";
  sqlite3_close(other);
}

TEST_F(DeadLetterFileTest, a_directory_that_is_not_there_is_named) {
  const auto opened = DeadLetterFile::open(directory / "none/maia.sqlite");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Error::Code::storage);
}

}  // namespace
}  // namespace maia
