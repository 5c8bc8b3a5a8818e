// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/new_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "maia/connectors/duckdb/connection.h"
#include "maia/testing/temporary_directory.h"

namespace maia::duckdb {
namespace {

namespace fs = std::filesystem;

class NewFile : public ::testing::Test {
 protected:
  void expect_usable() {
    const auto database = Database::open({.path = path.string()});
    ASSERT_TRUE(database.ok()) << database.error().message;
    auto connection = (*database)->connect();
    ASSERT_TRUE(connection.ok());
    EXPECT_TRUE(connection->run("create table t (x int); insert into t values (1)", "test").ok());
  }
  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  fs::path path = directory.path() / "it's new.duckdb";
  fs::path draft = path.string() + ".new";
};

TEST_F(NewFile, one_that_a_crash_left_unfinished_is_made_anew_whatever_there_is_of_it) {
  ASSERT_TRUE(make_new_file(path).ok());
  const auto whole = fs::file_size(path);
  for (std::uintmax_t size = 0; size < whole; size += 1024) {
    fs::rename(path, draft);
    fs::resize_file(draft, size);
    const auto made = make_new_file(path);
    ASSERT_TRUE(made.ok()) << "left with " << size << " bytes: " << made.error().message;
    EXPECT_FALSE(fs::exists(draft));
    EXPECT_EQ(fs::file_size(path), whole);
  }
  expect_usable();
}

TEST_F(NewFile, what_is_there_is_not_touched) {
  std::ofstream(path) << "not a database";
  ASSERT_TRUE(make_new_file(path).ok());
  EXPECT_EQ(fs::file_size(path), 14u);
  EXPECT_FALSE(fs::exists(draft));
}

TEST_F(NewFile, where_the_folder_is_missing_DuckDB_says_so) {
  const auto made = make_new_file(directory.path() / "no such folder" / "x.duckdb");
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("no such folder"), std::string::npos) << made.error().message;
}

}  // namespace
}  // namespace maia::duckdb
