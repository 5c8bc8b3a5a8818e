// SPDX-License-Identifier: Apache-2.0
// The pages under docs/reference that are made from the program's own declarations. MAIA_GOLDEN=write
// rewrites them; the difference is then reviewed like any other change.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "maia/app/command_line.h"
#include "maia/app/connectors.h"
#include "maia/app/pipeline_plan.h"
#include "maia/config/json.h"
#include "maia/config/pipeline_spec.h"
#include "maia/config/reference.h"
#include "maia/config/yaml.h"

namespace maia::app {
namespace {

const std::string kPages = MAIA_ROOT "/docs/reference/";

void expect_page(const std::string& name, const std::string& made) {
  const auto path = kPages + name;
  const char* golden = std::getenv("MAIA_GOLDEN");
  if (golden && std::string_view(golden) == "write") std::ofstream(path) << made;
  std::ifstream in(path);
  const std::string kept{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(kept, made) << path << " is out of date: run this test once with MAIA_GOLDEN=write";
}

std::string commands_page() {
  std::string out =
      "# Commands and flags\n\nMade from the parser of the program; `maia COMMAND --help` prints the same.\n";
  for (const auto& command : command_docs()) {
    out += fmt::format("\n## maia {}\n\n{}\n\n    {}\n", command.name, command.doc, command.usage);
    if (command.flags.empty()) continue;
    out += "\n| flag | variable | meaning |\n| --- | --- | --- |\n";
    for (const auto& flag : command.flags)
      out += fmt::format("| `{}{}` | `{}` | {} |\n", flag.name, flag.takes_value ? " ..." : "", flag.variable,
                         flag.doc);
  }
  out +=
      "\n## Exit codes\n\n| code | means |\n| --- | --- |\n| 0 | done |\n| 1 | failed while running |\n"
      "| 2 | usage or configuration |\n| 3 | a check did not pass |\n| 4 | finished with dead letters |\n";
  return out;
}

TEST(Reference, page_of_the_pipeline_file_is_up_to_date) {
  expect_page("pipeline-file.md", config::pipeline_markdown(connector_settings(built_in_connectors())));
}

TEST(Reference, page_of_the_commands_is_up_to_date) { expect_page("commands.md", commands_page()); }

/// "postgres, mysql" as its words.
std::vector<std::string> listed(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(", "), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return words;
}

/// The programs of tests/scenarios that say of themselves, by lines such as "// shows: postgres -> duckdb,
/// file", that they kill what can be killed and compare every row; by source and destination.
std::map<std::pair<std::string, std::string>, std::set<std::string>> suites() {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> suites;
  constexpr std::string_view kShows = "// shows: ";
  for (const auto& entry : std::filesystem::directory_iterator(MAIA_ROOT "/tests/scenarios")) {
    std::ifstream lines(entry.path());
    for (std::string line; std::getline(lines, line) && !line.starts_with("#include");) {
      const auto arrow = line.find(" -> ");
      if (!line.starts_with(kShows) || arrow == line.npos) continue;
      for (const auto& source : listed(std::string_view(line).substr(kShows.size(), arrow - kShows.size()))) {
        for (const auto& destination : listed(std::string_view(line).substr(arrow + 4)))
          suites[{source, destination}].insert(entry.path().stem().string());
      }
    }
  }
  return suites;
}

std::string guarantees_page() {
  std::string out =
      "# Guarantees\n\nMade from what each connector declares, and from what the test programs in "
      "`tests/scenarios` "
      "say that they show. `maia run` prints\nthe line of each of its destinations when it starts. What the "
      "words "
      "mean: [exactly once](../explanation/exactly-once.md).\n\n| from | to | guarantee | shown by |\n| --- "
      "| --- | "
      "--- | --- |\n";
  const auto shown = suites();
  for (const auto* source : built_in_connectors()) {
    if (source->source_settings.empty()) continue;
    for (const auto* destination : built_in_connectors()) {
      if (destination->destination_settings.empty()) continue;
      std::string programs;
      if (const auto found = shown.find({source->name, destination->name}); found != shown.end()) {
        for (const auto& program : found->second)
          programs += fmt::format("{}`{}`", programs.empty() ? "" : ", ", program);
      }
      out += fmt::format("| {} | {} | {} | {} |\n", source->title, destination->title,
                         to_string(guarantee_of(*source, *destination)),
                         programs.empty() ? "nothing yet" : programs);
    }
  }
  return out;
}

TEST(Reference, page_of_the_guarantees_is_up_to_date) { expect_page("guarantees.md", guarantees_page()); }

TEST(Reference, json_schema_is_up_to_date) {
  expect_page("pipeline.schema.json",
              to_json(config::pipeline_schema(connector_settings(built_in_connectors())), 2) + "\n");
}

void expect_documented(const std::vector<config::Setting>& settings, const std::string& where) {
  std::set<std::string> names;
  for (const auto& s : settings) {
    EXPECT_THAT(s.doc, testing::EndsWith(".")) << where << "." << s.name;
    EXPECT_TRUE(names.insert(s.name).second) << where << " has " << s.name << " twice";
    if (!s.members.empty()) expect_documented(s.members, where + "." + s.name);
  }
}

TEST(Connectors, every_setting_is_documented_and_named_once) {
  ASSERT_FALSE(built_in_connectors().empty());
  for (const auto* c : built_in_connectors()) {
    expect_documented(c->source_settings, c->name + " source");
    expect_documented(c->destination_settings, c->name + " destination");
  }
  expect_documented(config::pipeline_spec().settings(), "pipeline");
  expect_documented(config::destination_spec().settings(), "every destination");
}

TEST(Connectors, no_setting_has_a_name_that_the_core_takes) {
  std::set<std::string> core;
  for (const auto& s : config::endpoint_spec().settings()) core.insert(s.name);
  for (const auto* c : built_in_connectors()) {
    for (const auto& s : c->source_settings) EXPECT_FALSE(core.contains(s.name)) << c->name << "." << s.name;
  }
  for (const auto& s : config::destination_spec().settings()) core.insert(s.name);
  for (const auto* c : built_in_connectors()) {
    for (const auto& s : c->destination_settings)
      EXPECT_FALSE(core.contains(s.name)) << c->name << "." << s.name;
  }
}

TEST(Connectors, what_a_descriptor_says_agrees_with_what_it_can_open) {
  std::set<std::string> schemes;
  for (const auto* c : built_in_connectors()) {
    EXPECT_EQ(c->source_settings.empty(), !c->open_source) << c->name;
    EXPECT_EQ(c->destination_settings.empty(), !c->open_destination) << c->name;
    EXPECT_EQ(c->uri_schemes.empty(), !c->settings_from_uri) << c->name;
    EXPECT_THAT(c->summary, testing::EndsWith(".")) << c->name;
    for (const auto& scheme : c->uri_schemes) EXPECT_TRUE(schemes.insert(scheme).second) << scheme;
  }
}

TEST(Connectors, the_example_of_the_guide_is_read_by_the_real_ones) {
  const auto document = config::parse_yaml(R"(source:
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
  type: duckdb
  path: shop.duckdb
  mode: upsert
  key: id
)",
                                           "maia.yaml");
  const auto connectors = connector_settings(built_in_connectors());
  const auto file = config::read_pipelines(*document, connectors, "maia");
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto& pipeline = file->pipelines[0];
  const auto source =
      find_connector(built_in_connectors(), "postgres")->open_source(pipeline.source.settings, {});
  EXPECT_TRUE(source.ok()) << source.error().message;
}

}  // namespace
}  // namespace maia::app
