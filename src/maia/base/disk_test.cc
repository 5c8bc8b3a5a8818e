// SPDX-License-Identifier: Apache-2.0
#include "maia/base/disk.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "maia/testing/temporary_directory.h"

namespace maia {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DiskTest : public ::testing::Test {
 protected:
  std::string path(std::string_view name) { return (directory / name).string(); }
  static std::string read_all(DiskFile& file) {
    Bytes bytes(100);
    const auto size = file.read(0, bytes);
    EXPECT_TRUE(size.ok());
    return std::string(as_text(ByteView(bytes).first(*size)));
  }

  testing::TemporaryDirectory directory = testing::TemporaryDirectory::make().value();
  Disk& disk = system_disk();
};

TEST_F(DiskTest, a_file_is_appended_to_read_and_cut) {
  {
    auto made = disk.open(path("f"), Disk::Open::create);
    ASSERT_TRUE(made.ok());
    ASSERT_TRUE((*made)->append(as_bytes("hello ")).ok());
    ASSERT_TRUE((*made)->append(as_bytes("world")).ok());
    ASSERT_TRUE((*made)->sync().ok());
    ASSERT_TRUE(disk.sync_directory(directory.path().string()).ok());
  }
  auto again = disk.open(path("f"), Disk::Open::existing);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->size().value(), 11U);
  ASSERT_TRUE((*again)->truncate(6).ok());
  ASSERT_TRUE((*again)->append(as_bytes("all")).ok());
  EXPECT_EQ(read_all(**again), "hello all");
  Bytes rest(4);
  EXPECT_EQ((*again)->read(7, rest).value(), 2U);
  EXPECT_EQ((*again)->read(700, rest).value(), 0U);
}

TEST_F(DiskTest, names_are_listed_renamed_and_removed) {
  for (const auto* name : {"b", "a", "c"}) ASSERT_TRUE(disk.open(path(name), Disk::Open::create).ok());
  ASSERT_TRUE(disk.rename(path("c"), path("d")).ok());
  ASSERT_TRUE(disk.remove(path("a")).ok());
  EXPECT_THAT(disk.list(directory.path().string()).value(), ElementsAre("b", "d"));
}

TEST_F(DiskTest, directories_are_made_with_those_above_them) {
  ASSERT_TRUE(disk.make_directories(path("x/y/z")).ok());
  ASSERT_TRUE(disk.make_directories(path("x/y/z")).ok());
  EXPECT_TRUE(std::filesystem::is_directory(path("x/y/z")));
  EXPECT_GT(disk.free_bytes(path("x")).value(), 0U);
}

TEST_F(DiskTest, a_lock_is_held_once_and_until_destroyed) {
  auto held = disk.lock(path("lock"));
  ASSERT_TRUE(held.ok());
  const auto second = disk.lock(path("lock"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Error::Code::unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("is held by process " + std::to_string(::getpid())));
  held.value().reset();
  EXPECT_TRUE(disk.lock(path("lock")).ok());
}

TEST_F(DiskTest, errors_name_the_path_and_what_is_wrong) {
  const auto missing = disk.open(path("none"), Disk::Open::existing);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Error::Code::storage);
  EXPECT_EQ(missing.error().message, "cannot open " + path("none") + ": No such file or directory (ENOENT)");
  ASSERT_TRUE(disk.open(path("f"), Disk::Open::create).ok());
  EXPECT_THAT(disk.open(path("f"), Disk::Open::create).error().message, HasSubstr("(EEXIST)"));
  EXPECT_THAT(disk.list(path("none")).error().message, HasSubstr("cannot list " + path("none")));
  EXPECT_THAT(disk.make_directories(path("f/g")).error().message, HasSubstr("(ENOTDIR)"));
  EXPECT_THAT(disk.remove(path("none")).error().message, HasSubstr("(ENOENT)"));
  EXPECT_THAT(disk_error(ENOSPC, "write", "/j/1").message,
              HasSubstr("cannot write /j/1: No space left on device (ENOSPC)"));
  EXPECT_THAT(disk_error(ENOSPC, "write", "/j/1").hint, HasSubstr("free some space"));
  EXPECT_THAT(disk_error(EIO, "sync", "/j/1").hint, HasSubstr("input/output error"));
}

/// The kernel's own device that is always full.
TEST_F(DiskTest, a_full_device_is_named) {
  auto full = disk.open("/dev/full", Disk::Open::existing);
  ASSERT_TRUE(full.ok());
  const auto written = (*full)->append(as_bytes("x"));
  ASSERT_FALSE(written.ok());
  EXPECT_THAT(written.error().message, HasSubstr("ENOSPC"));
}

}  // namespace
}  // namespace maia
