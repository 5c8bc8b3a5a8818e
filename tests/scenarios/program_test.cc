// SPDX-License-Identifier: Apache-2.0
// Every command and every exit code of the program, as a shell sees them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using Words = std::vector<std::string>;

/// Exactly one JSON document.
bool is_json(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  return parser.parse(text).get(document) == simdjson::SUCCESS;
}

class Program : public ::testing::Test {
 protected:
  void SetUp() override {
    auto& server = testing::shared_postgres();
    database = server.make_database().value();
    uri = server.uri(database);
    execute(
        "create table customers (customer_id int primary key, email text);"
        "insert into customers values (1, 'Ada@Example.com'), (2, 'grace@example.com')");
    // Slots belong to the whole server, and every pipeline here is called mirror.
    mirror.emplace(
        Mirror::make(source_lines(), "type: duckdb\npath: {}/copy.duckdb\n",
                     "transform: [{name: low, script: \"out = in\\nout.email = lower(in.email)\"}]\n"
                     "tests:\n"
                     "  - name: lower-cases\n"
                     "    table: customers\n"
                     "    input: [{customer_id: 1, email: Ada}]\n"
                     "    output: [{customer_id: 1, email: ada}]\n")
            .value());
  }
  void TearDown() override { (void)mirror->command(with_state({"drop", mirror->file()})); }

  std::string source_lines() const {
    return fmt::format("type: postgres\nurl: {}\ntables: [customers]\nslot: {}\n", uri, database);
  }
  void execute(const std::string& sql) {
    const auto executed = testing::shared_postgres().execute(sql, database);
    ASSERT_TRUE(executed.ok()) << sql << ": " << executed.error().message;
  }
  Words with_state(Words words) const {
    words.insert(words.end(), {"--state", mirror->state()});
    return words;
  }
  /// Its output if it ends with `code`, or else a failure.
  std::string maia(const Words& words, int code = 0) {
    const auto output = mirror->command(words, code);
    EXPECT_TRUE(output.ok()) << output.error().message;
    return output.ok() ? *output : "";
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(mirror->directory() / name) << text;
  }
  std::string path(const std::string& name) const { return mirror->directory() / name; }

  std::string database, uri;
  std::optional<Mirror> mirror;
};

TEST_F(Program, looks_at_a_pipeline_before_it_runs) {
  const std::string file = mirror->file();
  EXPECT_EQ(maia({"validate", file}), "mirror: postgres -> duckdb\nvalid\n");
  EXPECT_THAT(maia(with_state({"check", file})), HasSubstr("0 errors"));
  EXPECT_THAT(maia(with_state({"plan", file})), HasSubstr("upsert by customer_id, through low"));
  EXPECT_THAT(maia(with_state({"preview", file})), HasSubstr("ada@example.com"));
  EXPECT_EQ(maia({"test", file}), "mirror\n  ok      lower-cases\n");
  EXPECT_THAT(maia(with_state({"discover", uri})), HasSubstr("public.customers"));
  for (const auto& words : {Words{"validate", file, "--json"}, with_state({"check", file, "--json"}),
                            with_state({"plan", file, "--json"}), with_state({"preview", file, "--json"}),
                            Words{"test", file, "--json"}, with_state({"discover", uri, "--json"})}) {
    EXPECT_TRUE(is_json(maia(words))) << words[0];
  }
}

TEST_F(Program, describes_itself) {
  EXPECT_THAT(maia({"version"}), StartsWith("maia "));
  EXPECT_THAT(maia({"connectors"}), HasSubstr("duckdb"));
  EXPECT_THAT(maia({"connectors", "postgres"}), HasSubstr("publication"));
  EXPECT_THAT(maia({"completion", "bash"}), HasSubstr("until-caught-up"));
  EXPECT_THAT(maia({"schema", "--markdown"}), StartsWith("# The pipeline file"));
  for (const auto& words : {Words{"version", "--json"}, Words{"connectors", "--json"},
                            Words{"connectors", "duckdb", "--json"}, Words{"schema"}}) {
    EXPECT_TRUE(is_json(maia(words))) << words[0];
  }
}

TEST_F(Program, runs_answers_and_is_dropped) {
  maia(with_state({"run", mirror->file(), "--until-caught-up"}));
  execute("insert into customers values (3, 'Edsger@example.com')");
  ASSERT_TRUE(mirror->start().ok());
  const auto query = with_state({"query", "select max(customer_id) as n from public.customers", "--json"});
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::string answer;
  while (answer != "[\n  {\"n\": \"3\"}\n]\n" && std::chrono::steady_clock::now() < give_up) {
    const auto output = mirror->command(query);
    answer = output.ok() ? *output : output.error().message;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(answer, "[\n  {\"n\": \"3\"}\n]\n") << mirror->log_tail();
  EXPECT_THAT(maia(with_state({"status"})), HasSubstr("mirror: streaming"));
  EXPECT_TRUE(is_json(maia(with_state({"status", "--json"}))));
  EXPECT_THAT(maia(with_state({"query", "delete from public.customers"}), 1),
              HasSubstr("the query is no SELECT statement"));
  EXPECT_EQ(mirror->stop(), 0) << mirror->log_tail();
  const auto dropped = maia(with_state({"drop", mirror->file(), "--json"}));
  EXPECT_TRUE(is_json(dropped)) << dropped;
  const auto slots = testing::shared_postgres().query(
      fmt::format("select 1 from pg_replication_slots where slot_name = '{}'", database));
  EXPECT_EQ(slots->size(), 0u);
  EXPECT_THAT(maia(with_state({"status"})), HasSubstr("no pipeline is running"));
  EXPECT_THAT(maia(with_state({"query", "select 1"}), 1), HasSubstr("no pipeline is running"));
}

TEST_F(Program, sync_and_init_write_files_that_are_valid) {
  const auto line = with_state({"sync", uri, "duckdb:" + path("sync.duckdb"), "--tables", "customers",
                                "--name", database, "--until-caught-up"});
  maia(line);
  auto saved = line;
  saved.insert(saved.end(), {"--save", path("saved.yaml")});
  maia(saved);
  EXPECT_THAT(read_file(path("saved.yaml")), HasSubstr("tables: [customers]"));
  EXPECT_EQ(maia({"validate", path("saved.yaml")}), database + ": postgres -> duckdb\nvalid\n");
  maia(with_state({"drop", path("saved.yaml")}));
  maia({"init", path("new.yaml")});
  maia({"validate", path("new.yaml")});
}

TEST_F(Program, ends_with_1_if_it_fails_while_running) {
  write("stop.yaml",
        "name: " + database + "\nsource: {type: postgres, url: \"" + uri +
            "\", tables: [customers]}\ndestination: {type: duckdb, path: " + path("stop.duckdb") +
            "}\n"
            "schema: {on_drift: stop}\n");
  maia(with_state({"run", path("stop.yaml"), "--until-caught-up"}));
  execute("alter table customers add column extra int; insert into customers values (9, 'x', 1)");
  EXPECT_THAT(maia(with_state({"run", path("stop.yaml"), "--until-caught-up"}), 1),
              HasSubstr("public.customers changed at the source (add column extra)"));
  maia(with_state({"drop", path("stop.yaml")}));
}

TEST_F(Program, ends_with_2_for_what_is_written_wrong) {
  EXPECT_THAT(maia({"rnu"}, 2), HasSubstr("did you mean 'run'"));
  EXPECT_THAT(maia({"run"}, 2), HasSubstr("FILE"));
  EXPECT_THAT(maia({"validate", path("absent.yaml")}, 2), HasSubstr("cannot be read"));
}

TEST_F(Program, ends_with_3_if_a_check_does_not_pass) {
  execute("create table keyless (v text)");
  write("keyless.yaml", "source: {type: postgres, url: \"" + uri +
                            "\", tables: [keyless]}\ndestination: {type: duckdb, path: keyless.duckdb}\n");
  for (const auto* command : {"check", "plan"}) {
    const auto said = maia(with_state({command, path("keyless.yaml")}), 3);
    EXPECT_THAT(said, HasSubstr("public.keyless")) << command;
    EXPECT_THAT(said, HasSubstr("REPLICA IDENTITY FULL")) << command;
    EXPECT_TRUE(is_json(maia(with_state({command, path("keyless.yaml"), "--json"}), 3))) << command;
  }
}

TEST_F(Program, ends_with_4_if_rows_became_dead_letters) {
  write("dead.yaml",
        "name: " + database + "\nsource: {type: postgres, url: \"" + uri +
            "\", tables: [customers]}\ndestination: {type: duckdb, path: " + path("dead.duckdb") +
            "}\n"
            "transform: [{name: bad, script: \"out = in\\nout.n = in.email::int\"}]\n");
  maia(with_state({"run", path("dead.yaml"), "--until-caught-up"}), 4);
  maia(with_state({"drop", path("dead.yaml")}));
}

/// One file for each mistake, what is said about it and where.
struct Mistake {
  std::string name, text, message, hint;
};

std::string alias_bomb() {
  std::string bomb = "x-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format("x-a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("*a{}{}", i - 1, j < 9 ? ", " : "]\n");
  }
  return bomb;
}

std::vector<Mistake> mistakes() {
  const std::string ends =
      "source: {type: postgres, database: shop}\ndestination: {type: duckdb, path: shop.duckdb}\n";
  return {
      {"unknown_key", "source: {type: postgres, tabels: [a]}\ndestination: {type: duckdb, path: x}\n",
       ":1:26: unknown key 'tabels' in 'source'", "did you mean 'tables'?"},
      {"unknown_key_at_the_top", ends + "shema: {on_drift: stop}\n", ":3:1: unknown key 'shema'",
       "did you mean 'schema'?"},
      {"unknown_connector", "source: {type: postgre}\ndestination: {type: duckdb, path: x}\n",
       ":1:16: ", "did you mean 'postgres'?"},
      {"wrong_type", ends + "snapshot: {parallel: many}\n", ":3:22: ", "whole number between 1 and 64"},
      {"wrong_choice", ends + "schema: {on_drift: evolv}\n", ":3:20: ", "did you mean 'evolve'?"},
      {"duplicate_key", ends + "source: {type: postgres}\n",
       ":3:1: the key 'source' stands here a second time", "it was first given on line 1; keep one of them"},
      {"alias_bomb", alias_bomb() + ends, ":4:", "share them under `connections:`"},
      {"missing_secret",
       "source: {type: postgres, password: \"${env:MAIA_NO_SUCH_SECRET}\"}\n"
       "destination: {type: duckdb, path: x}\n",
       ":1:36: the environment variable MAIA_NO_SUCH_SECRET is not set",
       "export MAIA_NO_SUCH_SECRET=..., or give a default"},
      {"missing_secret_file",
       "source: {type: postgres, password: \"${file:no-such-file}\"}\ndestination: {type: duckdb, path: x}\n",
       "no-such-file of a ${file:} reference cannot be read", "No such file or directory"},
      {"vault",
       "source: {type: postgres, password: \"${vault:kv/db#pw}\"}\ndestination: {type: duckdb, path: x}\n",
       "needs a connection to Vault, which this version does not have", "use ${env:NAME} or ${file:path}"},
      {"missing_key", "source: {type: postgres}\ndestination: {type: duckdb}\n", ":2:14: ", "path"},
  };
}

TEST(BadInput, each_kind_is_told_with_file_line_column_and_what_to_write) {
  for (const auto& [name, text, message, hint] : mistakes()) {
    SCOPED_TRACE(name);
    auto mirror = Mirror::make("", "");
    ASSERT_TRUE(mirror.ok());
    const auto file = (mirror->directory() / (name + ".yaml")).string();
    std::ofstream(file) << text;
    const auto said = mirror->command({"validate", file}, 2);
    ASSERT_TRUE(said.ok()) << said.error().message;
    EXPECT_THAT(*said, StartsWith("maia: " + file + ":"));
    EXPECT_THAT(*said, HasSubstr(message));
    EXPECT_THAT(*said, HasSubstr(hint));
  }
}

}  // namespace
}  // namespace maia::tests
