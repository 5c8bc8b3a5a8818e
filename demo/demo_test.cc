// SPDX-License-Identifier: Apache-2.0
// The demo as a person meets it who ends it with Ctrl-C: it compares both sides and leaves nothing behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "maia/testing/child_process.h"
#include "maia/testing/temporary_directory.h"

namespace maia::demo {
namespace {

using testing::ChildProcess;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::TemporaryDirectory;

constexpr std::chrono::minutes kLimit{3};
constexpr std::chrono::milliseconds kLook{5};

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Demo : public ::testing::Test {
 protected:
  void start(int orders) {
    auto started = ChildProcess::start({.command = {MAIA_DEMO, "--maia", MAIA_PROGRAM, "--orders",
                                                    std::to_string(orders), "--seconds", "600"},
                                        .output = output.path() / "seen",
                                        .environment = {"TMPDIR=" + scratch.path().string()}});
    ASSERT_TRUE(started.ok()) << started.error().message;
    demo.emplace(std::move(*started));
  }
  std::string seen() const { return content(output.path() / "seen"); }
  void await_sight_of(const std::string& words) {
    const auto end = std::chrono::steady_clock::now() + kLimit;
    while (seen().find(words) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << seen();
      ASSERT_FALSE(demo->poll()) << seen();
      std::this_thread::sleep_for(kLook);
    }
  }
  /// What is left of it: files, and processes that were told of them.
  std::string left_behind() const {
    std::string left;
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
      left += entry.path().string() + "\n";
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const auto command = content(entry.path() / "cmdline");
      if (command.find(scratch.path().string()) != std::string::npos) left += command + "\n";
    }
    return left;
  }
  void expect_equal_and_clean() {
    EXPECT_EQ(demo->wait(kLimit), 0) << seen();
    EXPECT_THAT(seen(), HasSubstr("both sides hold the same rows"));
    EXPECT_THAT(seen(), HasSubstr("revenue by tier"));
    EXPECT_THAT(left_behind(), IsEmpty());
  }

  TemporaryDirectory scratch = *TemporaryDirectory::make();
  TemporaryDirectory output = *TemporaryDirectory::make();
  std::optional<ChildProcess> demo;
};

TEST_F(Demo, interrupted_in_the_stream_drains_compares_and_leaves_nothing) {
  start(1'000);
  await_sight_of("snapshot complete");
  demo->signal(SIGINT);
  expect_equal_and_clean();
}

TEST_F(Demo, interrupted_in_the_snapshot_copies_the_rest_compares_and_leaves_nothing) {
  start(20'000);
  await_sight_of("destination opened");
  demo->signal(SIGINT);
  expect_equal_and_clean();
}

TEST_F(Demo, interrupted_before_the_shop_opens_it_leaves_nothing) {
  start(100'000);
  await_sight_of("starting a scratch PostgreSQL");
  demo->signal(SIGINT);
  EXPECT_EQ(demo->wait(kLimit), 128 + SIGINT) << seen();
  EXPECT_THAT(seen(), Not(HasSubstr("people are shopping")));
  EXPECT_THAT(left_behind(), IsEmpty());
}

TEST_F(Demo, interrupted_again_it_gives_up_and_leaves_nothing) {
  start(1'000);
  await_sight_of("people are shopping");
  while (!demo->poll()) {
    demo->signal(SIGINT);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(demo->poll(), 128 + SIGINT) << seen();
  EXPECT_THAT(left_behind(), IsEmpty());
}

}  // namespace
}  // namespace maia::demo
