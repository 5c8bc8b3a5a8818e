// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "maia/config/spec.h"
#include "maia/net/connection.h"

namespace maia::app {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Three rows of any table of the pretended source.
class FakeSnapshot final : public Snapshot, public ChunkReader {
 public:
  Position position() const override { return {}; }
  Result<TablePlan> plan(const SchemaRef&, const std::optional<TablePlanProgress>&) override {
    return TablePlan{.token = "", .chunks = {{.number = 1, .token = "", .rows_estimate = 3}}};
  }
  Result<std::unique_ptr<ChunkReader>> open_reader() override { return std::make_unique<FakeSnapshot>(); }
  Status read(const SchemaRef& table, const Chunk&, const Sink& sink, std::stop_token) override {
    Batch batch(table);
    for (std::int32_t id = 1; id <= 3; ++id) {
      batch.begin_row(Op::read, static_cast<std::uint64_t>(id));
      batch.mutable_after(0).push_fixed(id);
      batch.mutable_after(1).push_text("((0,0),(" + std::to_string(id) + ",1))");
      batch.finish_row();
    }
    return sink(std::move(batch));
  }
};

/// A source with two tables.
class FakeSource final : public Source {
 public:
  explicit FakeSource(bool broken) : broken_(broken) {}
  Result<Findings> check() override {
    if (broken_)
      return Error{Error::Code::unavailable, Recovery::reconnect, "connection refused", "start it"};
    return Findings{{Finding::Level::ok, "reachable", "", ""},
                    {Finding::Level::error, "wal_level is replica", "no changes can be read",
                     "ALTER SYSTEM SET wal_level = logical;\n-- then restart"}};
  }
  Result<std::vector<SourceTable>> tables() override {
    auto customers = std::make_shared<TableSchema>();
    customers->id = "1";
    customers->name = {"public", "customers"};
    customers->columns = {{.name = "id", .type = Type::of(TypeId::int32), .nullable = false, .in_key = true},
                          {.name = "shape", .type = Type::text("polygon")}};
    auto broken = std::make_shared<TableSchema>(*customers);
    broken->id = "2";
    broken->name.table = "keyless";
    return std::vector<SourceTable>{{.schema = customers,
                                     .mappings = {{"id", "integer", Fidelity::exact, ""},
                                                  {"shape", "polygon", Fidelity::as_text, "as text"}},
                                     .rows_estimate = 12},
                                    {.schema = broken,
                                     .mappings = {},
                                     .problem = "it has no replica identity",
                                     .hint = "ALTER TABLE keyless ..."}};
  }
  Result<Prepared> prepare(const std::optional<Position>&) override { return unused(); }
  Result<std::unique_ptr<Snapshot>> snapshot() override { return std::make_unique<FakeSnapshot>(); }
  Result<std::unique_ptr<Stream>> stream(const Position&, std::vector<SchemaRef>) override {
    return unused();
  }
  Result<Position> end() override { return unused(); }
  std::partial_ordering compare(const Position&, const Position&) const override {
    return std::partial_ordering::unordered;
  }
  std::string describe(const Position&) const override { return ""; }
  Result<std::vector<std::string>> drop() override { return std::vector<std::string>{"slot maia_shop"}; }

 private:
  static Error unused() { return {Error::Code::internal, Recovery::halt, "not in this test", ""}; }
  bool broken_;
};

class FakeDestination final : public Destination {
 public:
  std::vector<ColumnMapping> plan(const TableSchema& schema) const override {
    std::vector<ColumnMapping> out;
    for (const auto& column : schema.columns)
      out.push_back(
          {column.name, "VARCHAR", column.name == "shape" ? Fidelity::lossy : Fidelity::widened, ""});
    return out;
  }
  Result<Findings> check() override {
    return Findings{{Finding::Level::warning, "disk is nearly full", "", ""}};
  }
  Result<Opened> open(std::string_view, Epoch) override { return unused(); }
  Status begin() override { return unused(); }
  Status prepare(const TableTarget&) override { return unused(); }
  Status alter(const TableTarget&, const TableTarget&, const SchemaChange&) override { return unused(); }
  Status truncate(std::span<const TableTarget* const>, const Truncate&) override { return unused(); }
  Status write(std::span<const Delivery>) override { return unused(); }
  Status commit(const CheckpointUpdate&) override { return unused(); }
  void rollback() override {}
  Result<std::vector<std::string>> drop(std::string_view pipeline) override {
    return std::vector<std::string>{"checkpoint of " + std::string(pipeline)};
  }

 private:
  static Error unused() { return {Error::Code::internal, Recovery::halt, "not in this test", ""}; }
};

struct LakeConfig {
  std::string path;
};
config::Spec<LakeConfig> lake_spec() {
  return config::Spec<LakeConfig>()
      .add("path", &LakeConfig::path, "Where it is.")
      .required()
      .example("lake.bin");
}

std::vector<config::Setting> base_settings() {
  auto settings = net::connection_spec().settings();
  settings.push_back({.name = "tables", .doc = "Tables.", .kind = config::Setting::Kind::list});
  return settings;
}

const Connector& base_connector() {
  static const Connector connector{
      .name = "base",
      .title = "Base",
      .summary = "A pretended database.",
      .can = {.snapshot = true},
      .source_settings = base_settings(),
      .uri_schemes = {"base"},
      .open_source = [](const config::Node& node,
                        const Connector::OpenOptions&) -> Result<std::unique_ptr<Source>> {
        const auto* host = node.find("host");
        return std::make_unique<FakeSource>(host && host->scalar()->text == "down");
      },
      .settings_from_uri = [](std::string_view uri) -> Result<config::Node> {
        return net::settings_of(MAIA_TRY(net::parse_uri(uri)));
      }};
  return connector;
}

const Connector& lake_connector() {
  static const Connector connector{
      .name = "lake",
      .title = "Lake",
      .summary = "A pretended file.",
      .guarantee = Guarantee::exactly_once_atomic,
      .destination_settings = lake_spec().settings(),
      .uri_schemes = {"lake"},
      .open_destination = [](const config::Node& node,
                             const Connector::OpenOptions&) -> Result<std::unique_ptr<Destination>> {
        MAIA_TRY(lake_spec().read(node));
        return std::make_unique<FakeDestination>();
      },
      .settings_from_uri = [](std::string_view uri) -> Result<config::Node> {
        const auto parsed = MAIA_TRY(net::parse_uri(uri));
        config::Node::Mapping settings;
        settings.push_back({"path", {}, config::Node::text(parsed.path)});
        return config::Node{std::move(settings), {}};
      }};
  return connector;
}

/// Runs the program in a directory of its own.
class Commands : public testing::Test {
 protected:
  Commands() {
    std::filesystem::create_directories(directory_);
    environment_["HOME"] = directory_;
  }
  ~Commands() override { std::filesystem::remove_all(directory_); }

  struct Answer {
    int code = 0;
    std::string out, err;
  };
  Answer run(std::vector<std::string> words) {
    std::ostringstream out, err;
    const std::vector<const Connector*> connectors = {&base_connector(), &lake_connector()};
    const auto environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    };
    Outside outside{
        .out = out, .err = err, .terminal = false, .environment = environment, .connectors = connectors};
    const auto code = run_program(words, outside);
    return {static_cast<int>(code), out.str(), err.str()};
  }
  std::string file(const std::string& name, const std::string& text) {
    const auto path = directory_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  static std::string contents(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string directory_ =
      std::filesystem::temp_directory_path() / ("maia_commands_" + std::to_string(::getpid()));
  std::map<std::string, std::string> environment_;
};

constexpr const char* kShop = "source: {type: base, host: h}\ndestination: {type: lake, path: x}\n";

TEST_F(Commands, validate_says_what_a_good_file_is) {
  const auto shop = file("shop.yaml", kShop);
  const auto answer = run({"validate", shop});
  EXPECT_EQ(answer.code, 0);
  EXPECT_EQ(answer.out, "shop: base -> lake\nvalid\n");
  const auto json = run({"validate", shop, "--json"});
  EXPECT_THAT(json.out, HasSubstr("\"valid\": true"));
}

TEST_F(Commands, a_bad_file_ends_with_2_and_its_place) {
  const auto shop = file("shop.yaml", "source: {type: base}\ndestination: {type: lake, pth: x}\n");
  const auto answer = run({"validate", shop});
  EXPECT_EQ(answer.code, 2);
  EXPECT_EQ(answer.err,
            "maia: " + shop + ":2:27: unknown key 'pth' in 'destination'\n  did you mean 'path'?\n");
  const auto json = run({"validate", shop, "--json"});
  EXPECT_EQ(json.code, 2);
  EXPECT_THAT(json.out, HasSubstr("\"code\": \"invalid_config\""));
  EXPECT_EQ(json.err, "");
}

TEST_F(Commands, pipelines_of_several_files_need_names_of_their_own) {
  const auto a = file("a.yaml", std::string("name: x\n") + kShop);
  const auto b = file("b.yaml", std::string("name: x\n") + kShop);
  EXPECT_EQ(run({"validate", a, b}).err, "maia: two pipelines are called 'x': in " + a + " and in " + b +
                                             "\n  give each its own `name:`\n");
}

TEST_F(Commands, check_prints_findings_with_the_fix_and_ends_with_3) {
  const auto answer = run({"check", file("shop.yaml", kShop)});
  EXPECT_EQ(answer.code, 3);
  EXPECT_EQ(
      answer.out,
      "shop, source (base)\n  ok: reachable\n  error: wal_level is replica\n    no changes can be read\n"
      "    ALTER SYSTEM SET wal_level = logical;\n    -- then restart\n"
      "shop, destination lake\n  warning: disk is nearly full\n1 errors, 1 warnings\n");
}

TEST_F(Commands, check_shows_the_other_end_when_one_is_down) {
  const auto shop =
      file("shop.yaml", "source: {type: base, host: down}\ndestination: {type: lake, path: x}\n");
  const auto answer = run({"check", shop, "--json"});
  EXPECT_EQ(answer.code, 3);
  EXPECT_THAT(answer.out, HasSubstr("connection refused"));
  EXPECT_THAT(answer.out, HasSubstr("disk is nearly full"));
}

TEST_F(Commands, plan_shows_each_column_and_names_what_is_lossy_or_refused) {
  const auto answer = run({"plan", file("shop.yaml", kShop)});
  EXPECT_EQ(answer.code, 3) << "a selected table cannot be synchronized";
  EXPECT_THAT(answer.out,
              HasSubstr("public.customers -> public.customers, upsert by id; created where it is missing"));
  EXPECT_THAT(answer.out, HasSubstr("id      integer      int32             VARCHAR           widened"));
  EXPECT_THAT(answer.out,
              HasSubstr("shape   polygon      string (polygon)  VARCHAR           lossy     as text"));
  EXPECT_THAT(
      answer.out,
      HasSubstr("public.keyless cannot be synchronized: it has no replica identity\n    ALTER TABLE"));
  EXPECT_THAT(answer.out, HasSubstr("lossy, some values will change: public.customers.shape"));
}

TEST_F(Commands, plan_in_json_has_the_fidelity_and_the_note_of_each_column) {
  const auto answer = run({"plan", file("shop.yaml", kShop), "--json"});
  EXPECT_EQ(answer.code, 3);
  SCOPED_TRACE(answer.out);
  simdjson::dom::parser parser;
  simdjson::dom::element plan;
  ASSERT_EQ(parser.parse(answer.out).get(plan), simdjson::SUCCESS);
  std::vector<std::string> said;
  const auto collect = [&](simdjson::dom::element table) {
    const auto text = [](simdjson::dom::element of, const char* key) {
      return std::string(std::string_view(of[key]));
    };
    said.push_back(text(table, "source") + ": " + text(table, "problem"));
    for (const simdjson::dom::element column : simdjson::dom::array(table["columns"]))
      said.push_back(text(column, "name") + " " + text(column, "fidelity") + " " + text(column, "note"));
  };
  for (const simdjson::dom::element table : simdjson::dom::array(plan.at_pointer("/0/tables")))
    collect(table);
  EXPECT_THAT(said, ::testing::ElementsAre("public.customers: ", "id widened ", "shape lossy as text",
                                           "public.keyless: it has no replica identity"));
}

TEST_F(Commands, plan_refuses_two_tables_that_meet) {
  const auto shop = file(
      "shop.yaml",
      "source: {type: base}\ndestination: {type: lake, path: x, routes: [{from: \"*.*\", to: all.one}]}\n");
  EXPECT_EQ(run({"plan", shop}).code, 3);
}

TEST_F(Commands, preview_shows_rows_before_and_after_the_transforms) {
  const auto shop =
      file("shop.yaml", std::string(kShop) +
                            "transform:\n  - name: half\n    script: |\n"
                            "      out.key = in.id\n      out.half = try(6 // (in.id - 1), -1)\n"
                            "      filter in.id <> 3\n");
  const auto answer = run({"preview", shop, "--rows", "3"});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out,
            "public.customers\n"
            "  before\n"
            "    id  shape\n"
            "    1   ((0,0),(1,1))\n"
            "    2   ((0,0),(2,1))\n"
            "    3   ((0,0),(3,1))\n"
            "  after\n"
            "    key  half\n"
            "    1    NULL\n"
            "    2    6\n");
  const auto json = run({"preview", shop, "--rows", "1", "--json"});
  EXPECT_THAT(json.out, HasSubstr("\"before\""));
  EXPECT_THAT(json.out, HasSubstr("\"key\": \"1\""));
  EXPECT_THAT(json.out, Not(HasSubstr("\"2\"")));
}

TEST_F(Commands, plan_refuses_a_transform_that_applies_to_no_table) {
  const auto idle =
      run({"plan", file("shop.yaml",
                        std::string(kShop) + "transform: [{name: lost, script: out.x = in.nowhere}]\n")});
  EXPECT_EQ(idle.code, 3);
  EXPECT_THAT(idle.out, HasSubstr("the transform lost applies to no table"));
}

TEST_F(Commands, test_runs_the_examples_of_a_file_and_ends_with_3_if_one_differs) {
  const auto text = std::string(kShop) +
                    "transform: [{name: low, script: \"out.name = lower(in.name)\"}]\n"
                    "tests:\n"
                    "  - {name: good, table: t, input: [{name: A}], output: [{name: a}]}\n";
  const auto good = run({"test", file("good.yaml", text)});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(good.out, "good\n  ok      good\n");
  const auto bad = run({"test", file("bad.yaml", text + "  - {name: wrong, table: t, input: [{name: B}], "
                                                        "output: [{name: B}]}\n")});
  EXPECT_EQ(bad.code, 3);
  EXPECT_EQ(bad.out, "bad\n  ok      good\n  failed  wrong\n            row 1: name is 'b', not 'B'\n");
  EXPECT_THAT(run({"test", file("none.yaml", kShop)}).out, HasSubstr("none: no tests"));
  const auto broken = run(
      {"test", file("broken.yaml", std::string(kShop) + "transform: [{name: t, script: \"out.x = (\"}]\n")});
  EXPECT_EQ(broken.code, 2);
  EXPECT_THAT(broken.err, HasSubstr("transform 't': line 1, column 9: '(' is not closed"));
}

TEST_F(Commands, discover_lists_tables_of_a_uri_or_a_file) {
  const auto answer = run({"discover", "base://u@h/db"});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("public.customers  2        id   12"));
  EXPECT_EQ(run({"discover", file("shop.yaml", kShop)}).out, answer.out);
  EXPECT_THAT(run({"discover", "base://h/db", "--json"}).out, HasSubstr("\"canonical\": \"int32\""));
  EXPECT_EQ(run({"discover", "lake:x"}).err, "maia: lake cannot be a source\n");
  EXPECT_EQ(
      run({"discover", "bse://h/db"}).err,
      "maia: no connector answers for bse: URIs\n  did you mean 'base'? known schemes are base and lake\n");
}

TEST_F(Commands, drop_says_what_it_removed_and_removes_the_state) {
  const auto state = directory_ + "/.local/state/maia/shop";
  std::filesystem::create_directories(state);
  const auto answer = run({"drop", file("shop.yaml", kShop)});
  EXPECT_EQ(answer.out,
            "shop: removed\n  destination lake: checkpoint of shop\n  source: slot maia_shop\n  state: " +
                state + "\n");
  EXPECT_FALSE(std::filesystem::exists(state));
}

TEST_F(Commands, sync_prints_the_file_that_it_stands_for_without_the_password) {
  const auto answer =
      run({"sync", "base://u:hunter2@h/db", "lake:shop.bin", "--tables", "a,b", "--key", "id", "--save"});
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(answer.out, R"(name: db-shop
source:
  type: base
  host: h
  user: u
  password: ${env:MAIA_SOURCE_PASSWORD}
  database: db
  tables: [a, b]
destination:
  type: lake
  path: shop.bin
  key: id
)");
  EXPECT_EQ(answer.err, "it reads MAIA_SOURCE_PASSWORD from the environment; passwords are not saved\n");
}

TEST_F(Commands, a_saved_file_is_valid) {
  const auto path = directory_ + "/saved.yaml";
  EXPECT_EQ(run({"sync", "base://u:pw@h/db", "lake:a${b", "--save", path}).code, 0);
  environment_["MAIA_SOURCE_PASSWORD"] = "pw";
  EXPECT_THAT(contents(path), HasSubstr("a$${b"));
  const auto answer = run({"validate", path});
  EXPECT_EQ(answer.code, 0) << answer.err;
}

TEST_F(Commands, sync_refuses_what_a_uri_may_not_say) {
  EXPECT_EQ(run({"sync", "base://h/db?tsl=off", "lake:x"}).err,
            "maia: unknown key 'tsl' in 'source'\n  did you mean 'tls'?\n");
  EXPECT_EQ(run({"sync", "lake:x", "lake:y"}).err,
            "maia: lake cannot be a source\n  `maia connectors` lists what can\n");
  const auto wrong = run({"sync", "base://u:hunter2@h:x/db", "lake:y"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, Not(HasSubstr("hunter2")));
}

TEST_F(Commands, init_writes_a_file_that_validates_and_never_overwrites_unasked) {
  const auto path = directory_ + "/new.yaml";
  EXPECT_EQ(run({"init", path}).out, "wrote " + path + "\n");
  EXPECT_THAT(contents(path), HasSubstr("  path: lake.bin  # Where it is.\n"));
  EXPECT_EQ(run({"validate", path}).code, 0) << run({"validate", path}).err;
  EXPECT_EQ(run({"init", path}).err,
            "maia: " + path + " is there already\n  choose another name, or replace it with --force\n");
  EXPECT_EQ(run({"init", path, "--force", "--source", "base://h/db", "--destination", "lake:x"}).code, 0);
  EXPECT_EQ(contents(path),
            "name: db-x\nsource:\n  type: base\n  host: h\n  database: db\ndestination:\n  type: lake\n  "
            "path: x\n");
  EXPECT_EQ(run({"init", path, "--force", "--source", "base://h/db"}).code, 2);
}

TEST_F(Commands, connectors_are_listed_and_described) {
  EXPECT_THAT(run({"connectors"}).out, HasSubstr("lake       destination  exactly once"));
  EXPECT_THAT(run({"connectors", "lake"}).out, HasSubstr("path     (required)  Where it is."));
  EXPECT_THAT(run({"connectors", "lake", "--json"}).out, HasSubstr("\"required\": true"));
  EXPECT_EQ(run({"connectors", "lak"}).err, "maia: unknown connector 'lak'\n  did you mean 'lake'?\n");
}

TEST_F(Commands, state_needs_a_place) {
  environment_.clear();
  EXPECT_EQ(
      run({"check", file("shop.yaml", kShop)}).err,
      "maia: there is no place for state: HOME is not set\n  give one with --state DIR or MAIA_STATE_DIR\n");
}

TEST_F(Commands, completion_scripts_know_every_command_and_parse) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const auto script = run({"completion", shell}).out;
    for (const auto* word : {"validate", "until-caught-up", "upsert append"})
      EXPECT_THAT(script, HasSubstr(word)) << shell;
  }
  const auto path = file("completion.bash", run({"completion", "bash"}).out);
  const auto script =
      "bash -c 'source " + path +
      " && COMP_WORDS=(maia run --un) COMP_CWORD=2 && _maia && [ \"$COMPREPLY\" = --until-caught-up ]"
      " && COMP_WORDS=(maia val) COMP_CWORD=1 && _maia && [ \"$COMPREPLY\" = validate ]"
      " && COMP_WORDS=(maia completion f) COMP_CWORD=2 && _maia && [ \"$COMPREPLY\" = fish ]'";
  EXPECT_EQ(std::system(script.c_str()), 0);
}

TEST_F(Commands, version_and_help_answer) {
  EXPECT_THAT(run({"version"}).out, testing::StartsWith("maia "));
  EXPECT_THAT(run({"--help"}).out, HasSubstr("Exit codes"));
}

}  // namespace
}  // namespace maia::app
