// SPDX-License-Identifier: Apache-2.0
#include "maia/config/pipeline_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/config/json.h"
#include "maia/config/yaml.h"

namespace maia::config {
namespace {

using testing::ElementsAre;
using K = Setting::Kind;

const std::vector<ConnectorSettings>& connectors() {
  static const std::vector<ConnectorSettings> all = {
      {.name = "postgres",
       .source = {{.name = "host"},
                  {.name = "port", .kind = K::integer},
                  {.name = "user"},
                  {.name = "password", .kind = K::secret},
                  {.name = "replication", .kind = K::choice, .choices = {"logical"}},
                  {.name = "publication"},
                  {.name = "tables", .kind = K::list}},
       .destination =
           {{.name = "host"}, {.name = "user"}, {.name = "password", .kind = K::secret}, {.name = "schema"}}},
      {.name = "duckdb", .source = {}, .destination = {{.name = "path", .required = true}}},
  };
  return all;
}

Result<PipelineFile> read(std::string_view yaml) {
  auto document = MAIA_TRY(parse_yaml(yaml, "maia.yaml"));
  const auto environment = [](const std::string&) -> std::optional<std::string> { return "s3cret"; };
  MAIA_TRY(resolve_references(document, environment));
  return read_pipelines(document, connectors(), "maia");
}
void expect_error(std::string_view yaml, const std::string& message, const std::string& hint) {
  const auto file = read(yaml);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().message, message);
  EXPECT_EQ(file.error().hint, hint);
  EXPECT_EQ(file.error().code, Error::Code::invalid_config);
}

constexpr std::string_view kGuide = R"(source:
  type: postgres
  host: source-db.example.com
  replication: logical
  publication: maia_publication
  tables: [customers, orders]
transform:
  - name: normalize_customer
    script: |
      # map fields and coerce types
      out.id = in.customer_id
      out.email = lower(in.email)
destination:
)";
constexpr std::string_view kMinimal = "source: {type: postgres}\n";

std::string guide(std::string_view destination) { return std::string(kGuide) + std::string(destination); }
std::string minimal(std::string_view rest) { return std::string(kMinimal) + std::string(rest); }

TEST(PipelineFile, the_example_of_the_guide_works_as_printed) {
  const auto file = read(guide("  type: duckdb\n  path: shop.duckdb\n  mode: upsert\n  key: id\n"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto& p = file->pipelines.at(0);
  EXPECT_EQ(p.name, "maia");
  EXPECT_EQ(p.source.type, "postgres");
  EXPECT_EQ(to_json(p.source.settings),
            R"({"host":"source-db.example.com","replication":"logical","publication":"maia_publication",)"
            R"("tables":["customers","orders"]})");
  ASSERT_EQ(p.transforms.size(), 1u);
  EXPECT_EQ(p.transforms[0].script,
            "# map fields and coerce types\nout.id = in.customer_id\nout.email = lower(in.email)\n");
  EXPECT_EQ(to_string(p.transforms[0].mark), "maia.yaml:9:13");
  const auto& d = p.destinations.at(0);
  EXPECT_EQ(d.name, "duckdb");
  EXPECT_EQ(to_json(d.settings), R"({"path":"shop.duckdb"})");
  EXPECT_EQ(d.mode, WriteMode::upsert);
  EXPECT_THAT(d.key.columns, ElementsAre("id"));
}

TEST(PipelineFile, a_connector_that_is_not_there_is_named_with_those_that_are) {
  expect_error(guide("  type: bigquery\n  dataset: analytics\n  mode: upsert\n  key: id\n"),
               "maia.yaml:14:9: unknown connector 'bigquery' in 'destination'",
               "known destinations are postgres and duckdb");
  expect_error(minimal("destination: {type: duckdbb}\n"),
               "maia.yaml:2:21: unknown connector 'duckdbb' in 'destination'",
               "did you mean 'duckdb'? known destinations are postgres and duckdb");
  expect_error("source: {type: duckdb}\ndestination: {type: duckdb, path: x}\n",
               "maia.yaml:1:16: the connector 'duckdb' cannot be a source", "known sources are postgres");
  expect_error("source: {host: x}\n", "maia.yaml:1:9: 'type' is missing in 'source'",
               "known sources are postgres");
}

TEST(PipelineFile, unknown_keys_are_refused_everywhere) {
  expect_error("source:\n  type: postgres\n  publicaton: x\ndestination: {type: duckdb, path: x}\n",
               "maia.yaml:3:3: unknown key 'publicaton' in 'source'", "did you mean 'publication'?");
  expect_error(minimal("destinaton: {}\n"), "maia.yaml:2:1: unknown key 'destinaton' in the file",
               "did you mean 'destination'?");
  expect_error(minimal("destination: {type: duckdb, path: x, mod: upsert}\n"),
               "maia.yaml:2:38: unknown key 'mod' in 'destination'", "did you mean 'mode'?");
  expect_error(minimal("destination: {type: duckdb, path: x}\nsnapshot: {paralel: 3}\n"),
               "maia.yaml:3:12: unknown key 'paralel' in 'snapshot'", "did you mean 'parallel'?");
  EXPECT_TRUE(read(minimal("x-team: [a]\ndestination: {type: duckdb, path: x, x-note: y}\n")).ok());
}

TEST(PipelineFile, what_is_missing_is_named) {
  expect_error("destination: {type: duckdb, path: x}\n", "maia.yaml:1:1: 'source' is missing in the file",
               "write source: {type: postgres, ...}");
  expect_error(kMinimal, "maia.yaml:1:1: 'destination' is missing in the file",
               "write destination: {type: postgres or duckdb, ...}");
  expect_error(minimal("destination: {type: duckdb}\n"), "maia.yaml:2:14: 'path' is missing in 'destination'",
               "write path: text  # ");
  expect_error("[a]\n", "maia.yaml:1:1: the file must be a mapping of settings",
               "begin with `source:` and `destination:`; `maia init` writes an example");
}

TEST(PipelineFile, wrong_types_say_what_to_write) {
  expect_error("source: {type: postgres, port: abc}\n",
               "maia.yaml:1:32: 'source.port' is 'abc' but must be a whole number", "write port: 1");
  expect_error(minimal("destination: duckdb\n"),
               "maia.yaml:2:14: 'destination' must be a mapping of settings",
               "write the connector's name under it, as type: NAME");
  expect_error(minimal("destination: {type: duckdb, path: x, mode: upsrt}\n"),
               "maia.yaml:2:44: 'destination.mode' is 'upsrt' but must be one of upsert or append",
               "did you mean 'upsert'?");
  expect_error(
      minimal("destination: {type: duckdb, path: x}\ndelivery: {max_bytes: 5}\n"),
      "maia.yaml:3:23: 'delivery.max_bytes' is '5' but must be a size in bytes between 64 KiB and 4 GiB",
      "write max_bytes: 32 MiB");
  expect_error(minimal("destination: {type: duckdb, path: x, key: 5, routes: {a: b}}\n"),
               "maia.yaml:2:54: 'destination.routes' is a mapping but must be a list of mappings",
               "write routes: [a, b]");
}

TEST(PipelineFile, keys_are_a_name_a_list_or_a_list_by_table) {
  const auto key = [](std::string_view text) {
    return read(minimal("destination: {type: duckdb, path: x, key: " + std::string(text) + "}\n"))
        ->pipelines[0]
        .destinations[0]
        .key;
  };
  EXPECT_THAT(key("[a, b]").columns, ElementsAre("a", "b"));
  const auto by_table = key("{orders: [a, b], customers: id}").by_table;
  EXPECT_THAT(by_table.at("orders"), ElementsAre("a", "b"));
  EXPECT_THAT(by_table.at("customers"), ElementsAre("id"));
  expect_error(minimal("destination: {type: duckdb, path: x, key: {a: {b: c}}}\n"),
               "maia.yaml:2:47: 'destination.key.a' is a mapping but must be a list", "write a: [a, b]");
}

TEST(PipelineFile, destinations_may_be_several_and_have_names) {
  const auto file = read(minimal(R"(destinations:
  lake: {type: duckdb, path: a.duckdb, mode: append}
  copy: {type: postgres, host: h, schema: s, deletes: soft, allow_merge: true,
         routes: [{from: public.*, to: shop.*}]}
)"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto& d = file->pipelines[0].destinations;
  EXPECT_EQ(d[0].name, "lake");
  EXPECT_EQ(d[0].mode, WriteMode::append);
  EXPECT_EQ(d[1].deletes, DeleteRule::soft);
  EXPECT_EQ(d[1].routes[0].to, "shop.*");
  EXPECT_TRUE(d[1].allow_merge);
  EXPECT_EQ(to_json(d[1].settings), R"({"host":"h","schema":"s"})");
  expect_error(minimal("destination: {type: duckdb, path: x}\ndestinations: {a: {type: duckdb, path: y}}\n"),
               "maia.yaml:3:15: both 'destination' and 'destinations' are given",
               "move the single destination into `destinations`, under a name");
  expect_error(minimal("destinations: {}\n"), "maia.yaml:2:15: 'destinations' is empty", "name at least one");
  expect_error(minimal("destinations: {\"a b\": {type: duckdb, path: y}}\n"),
               "maia.yaml:2:16: 'a b' cannot be the name of a destination",
               "use at most 48 letters, digits, - and _");
}

constexpr std::string_view kOwnParts = R"(name: shop
source: {type: postgres}
transform:
  - {name: common, script: out = in}
delivery: {max_rows: 500, max_bytes: 1MiB}
destinations:
  plain: {type: duckdb, path: a}
  own:
    type: duckdb
    path: b
    transform:
      - name: masked
        sql: select 1
    delivery: {max_rows: 7}
tests:
  - {name: t, table: a, destination: own, input: [], output: []}
)";

TEST(PipelineFile, a_destination_has_the_pipelines_transforms_and_limits_and_then_its_own) {
  const auto file = read(kOwnParts);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto& pipeline = file->pipelines[0];
  ASSERT_EQ(pipeline.transforms.size(), 1u);
  const auto& plain = pipeline.destinations[0];
  const auto& own = pipeline.destinations[1];
  ASSERT_EQ(plain.transforms.size(), 1u);
  EXPECT_EQ(plain.delivery.max_rows, 500u);
  ASSERT_EQ(own.transforms.size(), 2u);
  EXPECT_EQ(own.transforms[0].name, "common");
  EXPECT_EQ(own.transforms[1].name, "masked");
  EXPECT_EQ(own.transforms[1].mark.line, 13);
  EXPECT_EQ(own.delivery.max_rows, 7u);
  EXPECT_EQ(own.delivery.max_bytes.bytes, 1u << 20);
  EXPECT_EQ(pipeline.tests[0].destination, "own");
}

TEST(PipelineFile, names_of_transforms_are_not_used_twice_on_one_way) {
  expect_error(
      "source: {type: postgres}\n"
      "transform: [{name: a, script: out = in}]\n"
      "destination: {type: duckdb, path: x, transform: [{name: a, script: out = in}]}\n",
      "maia.yaml:3:50: a second transform is called 'a'", "give each its own name");
}

TEST(PipelineFile, a_test_names_a_destination_that_is_there) {
  expect_error(
      "source: {type: postgres}\ndestination: {type: duckdb, path: x}\n"
      "tests: [{name: t, table: a, destination: lake, input: [], output: []}]\n",
      "maia.yaml:3:8: the test 't' names a destination 'lake' that is not there", "destinations are duckdb");
}

TEST(PipelineFile, connections_are_shared_and_overridden) {
  const auto file = read(R"(connections:
  main: {type: postgres, host: a, user: u, password: "${env:P}"}
pipelines:
  one:
    source: {connection: main, host: b}
    destination: {type: duckdb, path: x}
  two:
    source: {connection: main}
    destination: {type: duckdb, path: y}
)");
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->pipelines[0].name, "one");
  EXPECT_EQ(to_json(file->pipelines[0].source.settings), R"({"host":"b","user":"u","password":"***"})");
  EXPECT_EQ(to_json(file->pipelines[1].source.settings), R"({"host":"a","user":"u","password":"***"})");
  expect_error("connections: {main: {type: postgres}}\nsource: {connection: mian}\ndestination: {}\n",
               "maia.yaml:2:22: there is no connection 'mian'", "did you mean 'main'?");
  expect_error("source: {connection: main}\n", "maia.yaml:1:22: there is no connection 'main'",
               "write it under `connections:` as main: {type: ..., host: ...}");
}

TEST(PipelineFile, several_pipelines_stand_alone) {
  expect_error("pipelines: {a: {source: {type: postgres}}}\nsource: {}\n",
               "maia.yaml:2:1: 'source' stands beside `pipelines`", "move it into one of the pipelines");
  expect_error("pipelines: {a: {sorce: {type: postgres}}}\n",
               "maia.yaml:1:17: unknown key 'sorce' in 'pipelines.a'", "did you mean 'source'?");
  expect_error("pipelines: {}\n", "maia.yaml:1:12: 'pipelines' is empty", "name at least one");
}

TEST(PipelineFile, rules_between_settings_are_checked) {
  const std::string tail = "destination: {type: duckdb, path: x}\n";
  expect_error(minimal("destination: {type: duckdb, path: x, mode: append, deletes: soft}\n"),
               "maia.yaml:2:14: deletes: has no meaning with mode: append, which keeps every change",
               "remove `deletes`, or write mode: upsert");
  expect_error(minimal(tail + "transform: [{name: a}]\n"), "maia.yaml:3:13: the transform 'a' has no script",
               "give it either `script:` with assignments or `sql:` with one SELECT over input");
  expect_error(minimal(tail + "transform: [{name: a, sql: x}, {name: a, sql: y}]\n"),
               "maia.yaml:3:32: a second transform is called 'a'", "give each its own name");
  expect_error(minimal("destination: {type: duckdb, path: x, routes: [{from: a, to: b*}]}\n"),
               "maia.yaml:2:47: the route to 'b*' has a * that nothing in 'a' fills",
               "each * of `to` stands for what the * of `from` matched");
  expect_error(minimal("destination: {type: duckdb, path: x, routes: [{from: a**, to: b}]}\n"),
               "maia.yaml:2:47: the pattern 'a**' of a route has more than one * in one part",
               "write schema.table or table, such as {from: public.*, to: shop.*}");
  expect_error(minimal(tail + "tests: [{name: t, table: c, input: [5], output: []}]\n"),
               "maia.yaml:3:37: a row of the test 't' is no mapping",
               "write each row as {column: value, column: value}");
}

TEST(PipelineFile, every_part_of_a_pipeline_is_read) {
  const auto file = read(minimal(R"(name: shop
destination: {type: duckdb, path: x}
snapshot: {mode: never, parallel: 4}
delivery: {max_rows: 10, max_bytes: 1 MB}
schema: {on_drift: lenient, drop_column: stop}
errors: {policy: stop}
on_lost_history: resync
tests:
  - name: lower-cases
    table: customers
    input: [{customer_id: 1, email: null}]
    output: []
)"));
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto& p = file->pipelines[0];
  EXPECT_EQ(p.name, "shop");
  EXPECT_EQ(p.snapshot.mode, SnapshotMode::never);
  EXPECT_EQ(p.snapshot.parallel, 4u);
  EXPECT_EQ(p.delivery.max_rows, 10u);
  EXPECT_EQ(p.delivery.max_bytes, ByteSize{1'000'000});
  EXPECT_EQ(p.schema.on_drift, DriftRule::lenient);
  EXPECT_EQ(p.schema.drop_column, DriftRule::stop);
  EXPECT_FALSE(p.schema.add_column.has_value());
  EXPECT_EQ(p.errors.policy, RowErrorRule::stop);
  EXPECT_EQ(p.journal.on_lost_history, LostHistoryRule::resync);
  EXPECT_EQ(to_json(p.tests[0].input[0]), R"({"customer_id":1,"email":null})");
  EXPECT_TRUE(p.tests[0].output.empty());
}

TEST(PipelineFile, a_pipeline_needs_a_name_that_can_name_things) {
  expect_error(minimal("name: my shop\ndestination: {type: duckdb, path: x}\n"),
               "maia.yaml:2:7: 'my shop' cannot be the name of a pipeline",
               "use at most 48 letters, digits, - and _");
}

TEST(PipelineFile, no_message_shows_a_resolved_secret) {
  for (const auto* yaml : {"source: {type: \"${env:P}\"}\n", "source: {type: postgres, port: \"${env:P}\"}\n",
                           "source: {connection: \"${env:P}\"}\n",
                           "source: {type: postgres}\nname: \"${env:P} x\"\ndestination: {type: duckdb}\n"}) {
    const auto file = read(yaml);
    ASSERT_FALSE(file.ok());
    EXPECT_THAT(file.error().message + file.error().hint, testing::Not(testing::HasSubstr("s3cret"))) << yaml;
  }
}

}  // namespace
}  // namespace maia::config
