// SPDX-License-Identifier: Apache-2.0
#include "maia/state/file_versions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "maia/testing/temporary_directory.h"

namespace maia {
namespace {

FileVersion version(const std::string& text, WallMicros at = 1) {
  return FileVersion{.hash = version_hash(text),
                     .path = "/etc/maia/shop.yaml",
                     .text = text,
                     .how = "run",
                     .user = "ada",
                     .changed = "first version",
                     .at = at};
}

class FileVersionsTest : public ::testing::Test {
 protected:
  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  std::string path = directory / "maia.sqlite";
};

TEST_F(FileVersionsTest, the_hash_is_the_sha_256_of_the_text) {
  EXPECT_EQ(version_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(short_hash(version_hash("abc")), "ba7816bf8f01");
}

TEST_F(FileVersionsTest, nothing_is_in_use_before_the_first_run) {
  EXPECT_FALSE(FileVersions::open(path).value()->current().value());
}

TEST_F(FileVersionsTest, every_version_is_there_after_the_file_is_opened_again) {
  {
    auto kept = FileVersions::open(path).value();
    ASSERT_TRUE(kept->record(version("a: 1", 10)).ok());
    ASSERT_TRUE(kept->record(version("a: 2", 20)).ok());
  }
  auto kept = FileVersions::open(path).value();
  const auto all = kept->list().value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].text, "a: 2");
  EXPECT_EQ(all[0].at, 20);
  EXPECT_EQ(all[1].text, "a: 1");
  EXPECT_EQ(all[1].user, "ada");
  EXPECT_EQ(all[1].path, "/etc/maia/shop.yaml");
  EXPECT_EQ(kept->current().value()->text, "a: 2");
}

TEST_F(FileVersionsTest, running_the_same_version_again_is_no_new_entry_but_going_back_is) {
  auto kept = FileVersions::open(path).value();
  ASSERT_TRUE(kept->record(version("a: 1", 10)).ok());
  ASSERT_TRUE(kept->record(version("a: 1", 11)).ok());
  ASSERT_TRUE(kept->record(version("a: 2", 12)).ok());
  ASSERT_TRUE(kept->record(version("a: 1", 13)).ok());
  const auto all = kept->list().value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].hash, all[2].hash);
  EXPECT_EQ(all[0].at, 13);
  EXPECT_EQ(all[2].at, 10);
}

TEST_F(FileVersionsTest, only_the_owner_may_read_the_file) {
  auto kept = FileVersions::open(path).value();
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777u, 0600u);
}

}  // namespace
}  // namespace maia
