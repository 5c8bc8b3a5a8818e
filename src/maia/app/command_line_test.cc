// SPDX-License-Identifier: Apache-2.0
#include "maia/app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace maia::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class Arguments>
Arguments parsed(const std::vector<std::string>& words) {
  const auto invocation = parse_command_line(words);
  EXPECT_TRUE(invocation.ok()) << invocation.error().message;
  return std::get<Arguments>(*invocation);
}
void expect_error(const std::vector<std::string>& words, const std::string& message,
                  const std::string& hint) {
  const auto invocation = parse_command_line(words);
  ASSERT_FALSE(invocation.ok());
  EXPECT_EQ(invocation.error().message, message);
  EXPECT_EQ(invocation.error().hint, hint);
  EXPECT_EQ(invocation.error().code, Error::Code::invalid_config);
}

/// Sets a variable for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { unsetenv(name_); }

 private:
  const char* name_;
};

TEST(CommandLine, run_takes_files_and_how_to_run) {
  const auto run = parsed<RunArguments>(
      {"run", "a.yaml", "b.yaml", "--until-caught-up", "--listen", ":9000", "--state=/s"});
  EXPECT_THAT(run.files, ElementsAre("a.yaml", "b.yaml"));
  EXPECT_TRUE(run.until_caught_up);
  EXPECT_EQ(run.listen, ":9000");
  EXPECT_EQ(run.state, "/s");
  EXPECT_FALSE(parsed<RunArguments>({"run", "a.yaml"}).until_caught_up);
}

TEST(CommandLine, sync_takes_two_uris_and_lists_with_commas) {
  const auto sync = parsed<SyncArguments>({"sync", "p://u@h/db", "d:x", "--tables", "customers,orders",
                                           "--key", "a,b", "--mode", "append", "--until-caught-up"});
  EXPECT_EQ(sync.source, "p://u@h/db");
  EXPECT_EQ(sync.destination, "d:x");
  EXPECT_THAT(sync.tables, ElementsAre("customers", "orders"));
  EXPECT_THAT(sync.key, ElementsAre("a", "b"));
  EXPECT_EQ(sync.mode, "append");
  EXPECT_TRUE(sync.run.until_caught_up);
  EXPECT_FALSE(sync.save);
}

TEST(CommandLine, save_has_a_file_or_prints) {
  const auto printed = parsed<SyncArguments>({"sync", "a:b", "c:d", "--save"});
  EXPECT_TRUE(printed.save);
  EXPECT_EQ(printed.save_file, "");
  EXPECT_EQ(parsed<SyncArguments>({"sync", "a:b", "c:d", "--save", "f.yaml"}).save_file, "f.yaml");
}

TEST(CommandLine, query_takes_a_format_and_limits) {
  const auto query =
      parsed<QueryArguments>({"query", "select 1", "--format", "csv", "--rows", "5", "--timeout", "1m"});
  EXPECT_EQ(query.sql, "select 1");
  EXPECT_EQ(query.format, QueryArguments::Format::csv);
  EXPECT_EQ(query.rows, 5u);
  EXPECT_EQ(query.timeout, std::chrono::minutes(1));
  EXPECT_EQ(parsed<QueryArguments>({"query", "x", "--json"}).format, QueryArguments::Format::json);
  EXPECT_EQ(parsed<QueryArguments>({"query", "x"}).timeout, std::chrono::seconds(30));
}

TEST(CommandLine, tail_and_journal_take_their_words) {
  const auto tail = parsed<TailArguments>({"tail", "--table", "a,b", "--op", "insert", "--key", "1,2", "shop",
                                           "--from", "#5", "--format", "json"});
  EXPECT_EQ(tail.place.pipeline, "shop");
  EXPECT_EQ(tail.tables, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(tail.keys, std::vector<std::string>{"1,2"});
  EXPECT_EQ(tail.from, "#5");
  EXPECT_EQ(tail.format, TailArguments::Format::json);
  const auto query = parsed<JournalArguments>({"journal", "query", "select 1", "--pipeline", "shop"});
  EXPECT_EQ(query.action, JournalArguments::Action::query);
  EXPECT_EQ(query.sql, "select 1");
  EXPECT_EQ(parsed<JournalArguments>({"journal", "check"}).action, JournalArguments::Action::check);
  EXPECT_FALSE(parse_command_line({"journal", "check", "select 1"}).ok());
  EXPECT_FALSE(parse_command_line({"journal", "burn"}).ok());
}

TEST(CommandLine, every_command_of_the_design_is_there) {
  std::vector<std::string> names;
  for (const auto& command : command_docs()) names.push_back(command.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("run", "sync", "init", "validate", "check", "plan",
                                                   "apply", "history", "preview", "test", "discover",
                                                   "status", "query", "dlq", "tail", "journal", "pause",
                                                   "resume", "resync", "replay", "rollback", "drop",
                                                   "connectors", "schema", "completion", "version"));
}

TEST(CommandLine, every_flag_has_its_variable) {
  for (const auto& command : command_docs()) {
    for (const auto& flag : command.flags)
      EXPECT_THAT(flag.variable, testing::StartsWith("MAIA_")) << flag.name;
  }
  const Variable state("MAIA_STATE_DIR", "/from/env");
  const Variable caught_up("MAIA_UNTIL_CAUGHT_UP", "true");
  const auto run = parsed<RunArguments>({"run", "a.yaml"});
  EXPECT_EQ(run.state, "/from/env");
  EXPECT_TRUE(run.until_caught_up);
  EXPECT_EQ(parsed<RunArguments>({"run", "a.yaml", "--state", "/given"}).state, "/given");
}

TEST(CommandLine, variables_that_make_no_sense_are_refused) {
  const Variable rows("MAIA_ROWS", "many");
  EXPECT_TRUE(parse_command_line({"validate", "f"}).ok()) << "it has no --rows";
  expect_error({"query", "x"}, "Could not convert: --rows = many", "see `maia query --help`");
}

TEST(CommandLine, unknown_commands_and_flags_name_the_nearest) {
  expect_error({"vaildate", "x"}, "unknown command 'vaildate'", "did you mean 'validate'?");
  expect_error({"run", "f", "--untl-caught-up"}, "unknown flag '--untl-caught-up'",
               "did you mean '--until-caught-up'?");
  expect_error({"run", "f", "--sate=/x"}, "unknown flag '--sate'", "did you mean '--state'?");
  expect_error({"run", "f", "--zzzzzzzz"}, "unknown flag '--zzzzzzzz'", "`maia run --help` lists the flags");
  EXPECT_THAT(parse_command_line({"xyzzy"}).error().hint, HasSubstr("commands are run, sync"));
}

TEST(CommandLine, what_is_missing_or_too_much_is_named) {
  expect_error({"run"}, "FILE is required", "see `maia run --help`");
  expect_error({"sync", "a:b"}, "DESTINATION is required", "see `maia sync --help`");
  expect_error({"version", "x"}, "'x' is one argument too many for maia version",
               "see `maia version --help`");
  expect_error({"query", "x", "--timeout", "5"}, "--timeout is '5' but must be a duration",
               "write --timeout 30s");
  expect_error({"dlq", "purge", "--older-than", "old"}, "--older-than is 'old' but must be a duration",
               "write --older-than 7d");
  expect_error({"run", "f", "--memory-limit", "1MiB"},
               "--memory-limit is '1MiB' but must be a size of 192MiB or more", "write --memory-limit 1GiB");
  expect_error({"apply"}, "maia apply takes either a FILE or --version", "maia history lists the versions");
  expect_error({"history", "show"}, "maia history show needs the hash of a version",
               "maia history lists them");
  expect_error({"query", "x", "--format", "xml"}, "--format: xml not in {table,json,csv}",
               "see `maia query --help`");
  expect_error({"completion", "tcsh"}, "SHELL: tcsh not in {bash,zsh,fish}", "see `maia completion --help`");
}

TEST(CommandLine, help_is_an_answer) {
  EXPECT_THAT(parsed<HelpArguments>({}).text, HasSubstr("Exit codes"));
  EXPECT_THAT(parsed<HelpArguments>({"--help"}).text, HasSubstr("sync"));
  EXPECT_THAT(parsed<HelpArguments>({"run", "--help"}).text, HasSubstr("--until-caught-up"));
  parsed<VersionArguments>({"--version"});
}

}  // namespace
}  // namespace maia::app
