// SPDX-License-Identifier: Apache-2.0
#include "maia/app/file_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/testing/temporary_directory.h"

namespace maia::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FileHistory : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory()); }
  std::string state() const { return root / "state"; }
  std::string directory() const { return state() + "/shop"; }
  std::string file() const { return root / "shop.yaml"; }

  /// A pipeline named shop, read from its file.
  config::PipelineSettings write(const std::string& more,
                                 const std::string& url = "postgres://ada@host/shop") {
    std::ofstream(file()) << "name: shop\nsource: {type: postgres, url: '" << url
                          << "'}\ndestination: {type: duckdb, path: copy.duckdb}\n"
                          << more;
    return load_pipelines({file()}, outside).value().front();
  }
  void remember_it(const config::PipelineSettings& pipeline, const char* how) {
    const auto kept = remember(pipeline, how, directory());
    ASSERT_TRUE(kept.ok()) << kept.error().message;
  }
  std::string run(const std::vector<std::string>& words, ExitCode expected = ExitCode::done) {
    out.str("");
    err.str("");
    EXPECT_EQ(run_program(words, outside), expected) << err.str();
    return out.str() + err.str();
  }

  testing::TemporaryDirectory root = testing::TemporaryDirectory::make().value();
  std::ostringstream out, err;
  Outside outside{.out = out,
                  .err = err,
                  .terminal = false,
                  .environment = [](const std::string&) { return std::nullopt; },
                  .connectors = built_in_connectors()};
};

TEST_F(FileHistory, versions_are_listed_with_what_changed_and_shown_as_written) {
  const auto first = write("# by hand\ndelivery: {max_rows: 10}\n");
  remember_it(first, "run");
  remember_it(write("delivery: {max_rows: 20}\n"), "apply");
  const auto list = run({"history", "--state", state()});
  EXPECT_THAT(list, HasSubstr("first version"));
  EXPECT_THAT(list, HasSubstr("delivery.max_rows: 10 -> 20"));
  const auto shown = run({"history", "show", version_of(first), "--state", state()});
  EXPECT_EQ(shown, first.file->text);
  EXPECT_THAT(run({"history", "--json", "--state", state()}), HasSubstr("\"how\": \"apply\""));
  EXPECT_THAT(run({"history", "show", "nothing", "--state", state()}, ExitCode::usage),
              HasSubstr("no version is called nothing"));
}

TEST_F(FileHistory, a_written_password_is_not_kept_and_its_version_cannot_be_taken_up_again) {
  const auto pipeline = write("", "postgres://ada:hunter2@host/shop");
  remember_it(pipeline, "run");
  EXPECT_THAT(run({"history", "show", version_of(pipeline), "--state", state()}),
              ::testing::AllOf(HasSubstr("ada:***@host"), Not(HasSubstr("hunter2"))));
  const auto kept = kept_version(version_of(pipeline), "", state(), outside).value();
  const auto again = pipelines_of(kept.version, outside);
  ASSERT_FALSE(again.ok());
  EXPECT_THAT(again.error().message, HasSubstr("passwords are not kept"));
}

TEST_F(FileHistory, run_takes_what_was_applied_until_the_file_is_edited) {
  const auto original = write("delivery: {max_rows: 10}\n");
  remember_it(original, "run");
  remember_it(write("delivery: {max_rows: 20}\n"), "apply");
  std::string notice;
  // The file on disk is the older one again, as the service's owner left it.
  const auto old = write("delivery: {max_rows: 10}\n");
  EXPECT_EQ(as_applied(old, state(), outside, notice).value().delivery.max_rows, 20u);
  EXPECT_THAT(notice, HasSubstr("maia apply " + file()));
  const auto edited = write("delivery: {max_rows: 30}\n");
  EXPECT_EQ(as_applied(edited, state(), outside, notice).value().delivery.max_rows, 30u);
  EXPECT_EQ(notice, "");
}

TEST_F(FileHistory, run_takes_the_file_where_nothing_was_applied) {
  remember_it(write("delivery: {max_rows: 10}\n"), "run");
  remember_it(write("delivery: {max_rows: 20}\n"), "run");
  std::string notice;
  const auto older = write("delivery: {max_rows: 10}\n");
  EXPECT_EQ(as_applied(older, state(), outside, notice).value().delivery.max_rows, 10u);
}

}  // namespace
}  // namespace maia::app
