// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iterator>

#include "maia/testing/temporary_directory.h"

namespace maia::testing {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ChildProcess, gives_its_exit_code_and_keeps_its_output) {
  const auto directory = TemporaryDirectory::make().value();
  auto child = ChildProcess::start({.command = {"sh", "-c", "echo $WORD; echo bad >&2; exit 7"},
                                    .output = directory / "output",
                                    .environment = {"WORD=good"}});
  ASSERT_TRUE(child.ok()) << child.error().message;
  EXPECT_EQ(child->wait(std::chrono::seconds(30)), 7);
  EXPECT_EQ(content(directory / "output"), "good\nbad\n");
}

TEST(ChildProcess, may_write_to_our_own_standard_output) {
  ::testing::internal::CaptureStdout();
  auto child = ChildProcess::start({.command = {"echo", "seen"}, .output = "/dev/stdout"});
  ASSERT_TRUE(child.ok()) << child.error().message;
  EXPECT_EQ(child->wait(std::chrono::seconds(30)), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "seen\n");
}

TEST(ChildProcess, a_signal_that_ended_it_is_told) {
  auto child = ChildProcess::start({.command = {"sleep", "600"}});
  ASSERT_TRUE(child.ok()) << child.error().message;
  EXPECT_EQ(child->poll(), std::nullopt);
  child->kill9();
  EXPECT_EQ(child->poll(), 128 + SIGKILL);
}

TEST(ChildProcess, a_program_that_is_not_there_is_an_error) {
  const auto child = ChildProcess::start({.command = {"/no/such/program"}});
  ASSERT_FALSE(child.ok());
  EXPECT_EQ(child.error().message, "start /no/such/program: No such file or directory");
}

TEST(ChildProcess, run_shows_the_output_of_what_failed) {
  EXPECT_TRUE(ChildProcess::run({"true"}).ok());
  const auto failed = ChildProcess::run({"sh", "-c", "echo reason; exit 3"});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message, "sh -c echo reason; exit 3 ended with 3: reason\n");
}

}  // namespace
}  // namespace maia::testing
