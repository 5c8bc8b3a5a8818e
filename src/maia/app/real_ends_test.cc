// SPDX-License-Identifier: Apache-2.0
// The commands that look before anything runs, with the real connectors on a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "maia/app/commands.h"
#include "maia/testing/postgres_server.h"
#include "maia/testing/temporary_directory.h"

namespace maia::app {
namespace {

using ::testing::HasSubstr;

struct Answer {
  ExitCode code;
  std::string out, err;
};
Answer run(const std::vector<std::string>& words) {
  std::ostringstream out, err;
  Outside outside{.out = out,
                  .err = err,
                  .terminal = false,
                  .environment = config::process_environment(),
                  .connectors = built_in_connectors()};
  const auto code = run_program(words, outside);
  return {code, out.str(), err.str()};
}

class RealEnds : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    server_ = *std::move(started);
    const auto made = server_->execute(
        "CREATE TABLE customers (customer_id int PRIMARY KEY, email text, born date, home point);"
        "CREATE TABLE log (line text);"
        "INSERT INTO customers VALUES (1, 'Ada@Example.com', '1815-12-10', NULL), (2, NULL, 'infinity', "
        "'(1,2)');"
        "INSERT INTO customers SELECT g, 'x', NULL, NULL FROM generate_series(3, 5000) g;");
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  static void TearDownTestSuite() { server_.reset(); }

  std::string pipeline(const std::string& more = {}) {
    const auto path = (directory_.path() / "shop.yaml").string();
    std::ofstream(path) << "source: {type: postgres, url: \"" << server_->uri()
                        << "\", tables: [customers]}\n"
                        << "destination: {type: duckdb, path: "
                        << (directory_.path() / "shop.duckdb").string() << "}\n"
                        << more;
    return path;
  }
  std::vector<std::string> with_state(std::vector<std::string> words) {
    words.insert(words.end(), {"--state", (directory_.path() / "state").string()});
    return words;
  }

  static std::unique_ptr<testing::PostgresServer> server_;
  testing::TemporaryDirectory directory_ = *testing::TemporaryDirectory::make();
};
std::unique_ptr<testing::PostgresServer> RealEnds::server_;

TEST_F(RealEnds, validate_connects_nowhere) {
  const auto path = (directory_.path() / "far.yaml").string();
  std::ofstream(path)
      << "source: {type: postgres, host: no.such.host.invalid}\ndestination: {type: duckdb, path: x}\n";
  const auto answer = run({"validate", path});
  EXPECT_EQ(answer.code, ExitCode::done) << answer.err;
  EXPECT_FALSE(std::filesystem::exists("x"));
}

TEST_F(RealEnds, discover_lists_the_tables_of_a_server) {
  const auto answer = run(with_state({"discover", server_->uri()}));
  EXPECT_EQ(answer.code, ExitCode::done) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("public.customers"));
  EXPECT_THAT(answer.out, HasSubstr("public.log"));
}

TEST_F(RealEnds, plan_shows_the_types_of_both_ends) {
  const auto answer = run(with_state({"plan", pipeline()}));
  EXPECT_EQ(answer.code, ExitCode::done) << answer.out << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("customers, upsert by customer_id"));
  EXPECT_THAT(answer.out, ::testing::ContainsRegex("email +text +string +VARCHAR +exact"));
  EXPECT_THAT(answer.out, ::testing::ContainsRegex("born +date +date +DATE +exact"));
  EXPECT_THAT(answer.out, ::testing::ContainsRegex("home +point +string \\(point\\) +VARCHAR +as text"));
}

TEST_F(RealEnds, check_passes_where_everything_is_ready) {
  const auto answer = run(with_state({"check", pipeline()}));
  EXPECT_EQ(answer.code, ExitCode::done) << answer.out << answer.err;
}

constexpr const char* kNormalize = R"(transform:
  - name: normalize
    script: |
      out.id = in.customer_id
      out.email = lower(in.email)
)";

TEST_F(RealEnds, preview_shows_rows_before_and_after_and_leaves_nothing_behind) {
  const auto path = pipeline(kNormalize);
  const auto answer = run(with_state({"preview", path, "--rows", "2"}));
  EXPECT_EQ(answer.code, ExitCode::done) << answer.err;
  EXPECT_THAT(answer.out, ::testing::ContainsRegex("1 +Ada@Example.com +1815-12-10 +NULL\n"));
  EXPECT_THAT(answer.out, HasSubstr("  after\n"));
  EXPECT_THAT(answer.out, ::testing::ContainsRegex("1 +ada@example.com\n"));
  EXPECT_THAT(answer.out, ::testing::ContainsRegex("2 +NULL +infinity +\\(1,2\\)\n"));
  const auto json = run(with_state({"preview", path, "--rows", "1", "--json"}));
  EXPECT_THAT(json.out, HasSubstr("\"email\": \"ada@example.com\""));
  EXPECT_EQ(server_->query("SELECT slot_name FROM pg_replication_slots")->size(), 0u);
  EXPECT_EQ(server_->query("SELECT pubname FROM pg_publication")->size(), 0u);
  EXPECT_THAT(run(with_state({"preview", path, "--tables", "custmers"})).err,
              HasSubstr("the source selects no table 'custmers'\n  did you mean 'customers'?"));
}

TEST_F(RealEnds, test_runs_the_examples_of_a_file) {
  const std::string examples = std::string(kNormalize) + R"(tests:
  - name: lower-cases
    table: customers
    input: [{customer_id: 1, email: Ada@Example.com}]
    output: [{id: 1, email: ada@example.com}]
)";
  const auto passed = run({"test", pipeline(examples)});
  EXPECT_EQ(passed.code, ExitCode::done) << passed.out << passed.err;
  EXPECT_EQ(passed.out, "shop\n  ok      lower-cases\n");
  const auto failed =
      run({"test", pipeline(examples + "  - {name: wrong, table: customers, input: [{customer_id: 1, "
                                       "email: A}], output: [{id: 2, email: a}]}\n")});
  EXPECT_EQ(failed.code, ExitCode::check_failed);
  EXPECT_THAT(failed.out, HasSubstr("  failed  wrong\n            row 1: id is '1', not '2'\n"));
}

TEST_F(RealEnds, plan_goes_through_the_transforms) {
  const auto answer = run(with_state({"plan", pipeline(kNormalize)}));
  EXPECT_EQ(answer.code, ExitCode::done) << answer.out << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("upsert by id, through normalize"));
}

TEST_F(RealEnds, validate_finds_a_script_that_does_not_compile) {
  const auto path = pipeline("transform: [{name: bad, script: \"out.x = lower(in.email\"}]\n");
  const auto answer = run({"validate", path});
  EXPECT_EQ(answer.code, ExitCode::usage) << answer.out;
  EXPECT_THAT(answer.err, HasSubstr(path));
  EXPECT_THAT(answer.err, HasSubstr("bad"));
}

TEST_F(RealEnds, drop_of_what_never_ran_removes_nothing_and_succeeds) {
  const auto answer = run(with_state({"drop", pipeline()}));
  EXPECT_EQ(answer.code, ExitCode::done) << answer.err;
}

}  // namespace
}  // namespace maia::app
