// SPDX-License-Identifier: Apache-2.0
#include "maia/config/yaml.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "maia/config/json.h"

namespace maia::config {
namespace {

using testing::HasSubstr;

std::string json(std::string_view text) {
  const auto node = parse_yaml(text, "maia.yaml");
  return node.ok() ? to_json(*node) : node.error().message;
}
void expect_error(std::string_view text, const std::string& message, const std::string& hint) {
  const auto node = parse_yaml(text, "maia.yaml");
  ASSERT_FALSE(node.ok()) << to_json(*node);
  EXPECT_EQ(node.error().message, message);
  EXPECT_EQ(node.error().hint, hint);
}

TEST(Yaml, keeps_order_types_and_places) {
  EXPECT_EQ(json("b: [1, two, \"3\"]\na:\n  deep: true\n  none: ~\n"),
            R"({"b":[1,"two","3"],"a":{"deep":true,"none":null}})");
  const auto node = parse_yaml("a: 1\nb:\n  c: x\n", "f.yaml");
  EXPECT_EQ(to_string(node->find("b")->find("c")->mark), "f.yaml:3:6");
  EXPECT_EQ(to_string(node->mapping()->at(1).mark), "f.yaml:2:1");
}

TEST(Yaml, words_that_other_readers_take_for_booleans_stay_text) {
  EXPECT_EQ(json("country: no\nv: 1.20\nt: 12:30:00\n"), R"({"country":"no","v":1.2,"t":"12:30:00"})");
}

TEST(Yaml, duplicate_keys_are_refused_with_both_places) {
  expect_error("source: 1\ndestination: 2\nsource: 3\n",
               "maia.yaml:3:1: the key 'source' stands here a second time",
               "it was first given on line 1; keep one of them");
}

TEST(Yaml, tabs_are_refused_with_what_to_do) {
  expect_error("source:\n\ttype: x\n", "maia.yaml:2:1: a tab stands where YAML needs spaces",
               "YAML is indented with spaces; replace the tab");
  expect_error("source:\n  a: 1\n\tb: 2\n", "maia.yaml:3:1: a tab stands where YAML needs spaces",
               "YAML is indented with spaces; replace the tab");
}

TEST(Yaml, anchors_work_and_alias_bombs_do_not) {
  EXPECT_EQ(json("a: &x [1]\nb: *x\n"), R"({"a":[1],"b":[1]})");
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format("a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("*a{}{}", i - 1, j < 9 ? ", " : "]\n");
  }
  expect_error(bomb, "maia.yaml:4:45: aliases stand for more than 10000 values",
               "write the values out, or share them under `connections:`");
  expect_error("a: &x [*x]\n", "maia.yaml:1:8: the alias *x stands inside its own anchor", "");
  expect_error("a: *x\n", "maia.yaml:1:4: the alias *x has no anchor before it",
               "write &x in front of the value that it stands for");
}

TEST(Yaml, depth_is_bounded_also_through_aliases) {
  expect_error(std::string(100, '['), "maia.yaml:1:66: nested more than 64 levels deep", "");
  const std::string half =
      "a: &a " + std::string(40, '[') + std::string(40, ']') + "\nb: " + std::string(40, '[') + "*a";
  expect_error(half, "maia.yaml:2:44: nested more than 64 levels deep", "");
}

TEST(Yaml, size_is_bounded) {
  expect_error(std::string(kLargestYaml + 1, '#'), "maia.yaml: the file is larger than 4 MiB", "");
}

TEST(Yaml, bytes_that_are_no_utf8_are_refused_with_their_place) {
  expect_error("a: 1\nb: \xC3\x28\n", "maia.yaml:2:4: the byte 0xc3 is not valid UTF-8",
               "save the file as UTF-8");
  expect_error("\xFF\xFE", "maia.yaml:1:1: the byte 0xff is not valid UTF-8", "save the file as UTF-8");
  expect_error(std::string("a: \0", 4), "maia.yaml:1:4: the control character 0x00 is not allowed",
               "remove it, or write it as an escape in double quotes");
  EXPECT_EQ(json("\xEF\xBB\xBF"
                 "a: \xC3\xA9\n"),
            "{\"a\":\"\xC3\xA9\"}");
}

TEST(Yaml, what_has_no_place_here_is_refused_by_name) {
  expect_error("a: !!int 5\n", "maia.yaml:1:4: the tag 'tag:yaml.org,2002:int' is not supported",
               "remove it; each setting knows its own type");
  expect_error("a: &x {b: 1}\nc:\n  <<: *x\n", "maia.yaml:3:3: merge keys (<<) are not supported",
               "name what is shared under `connections:` and refer to it with `connection: NAME`");
  expect_error("? [a]\n: b\n", "maia.yaml:1:3: a key must be plain text",
               "quote it if it has special characters");
  expect_error("a: 1\n---\nb: 2\n", "maia.yaml:2:1: a second document begins here",
               "keep one document in a file; `pipelines:` holds several pipelines");
  expect_error("# nothing\n", "maia.yaml:1:1: the file is empty", "`maia init` writes one to begin with");
}

TEST(Yaml, syntax_errors_say_what_to_do) {
  expect_error("a: b: c\n",
               "maia.yaml:1:5: this is not valid YAML: mapping values are not allowed in this context",
               "put text that contains ': ' in quotes, and check the indentation");
  expect_error(
      "a: @x\n",
      "maia.yaml:1:4: this is not valid YAML: found character that cannot start any token while scanning "
      "for the next token",
      "put text that begins with @ in quotes");
  expect_error(
      "\xC3\xA9: @x\n",
      "maia.yaml:1:4: this is not valid YAML: found character that cannot start any token while scanning "
      "for the next token",
      "put text that begins with @ in quotes");
  expect_error(
      "a:\n  b: 1\n c: 2\n",
      "maia.yaml:3:2: this is not valid YAML: did not find expected key while parsing a block mapping",
      "keys of one mapping must begin in the same column; check the indentation");
  expect_error(
      "a: \"x\n",
      "maia.yaml:2:1: this is not valid YAML: found unexpected end of stream while scanning a quoted scalar",
      "a quote or bracket is not closed");
}

TEST(Yaml, no_truncation_of_a_document_breaks_the_parser) {
  const std::string whole = "a: &x [1, {b: \"c\"}]\nd: |\n  text\n  more\ne: *x\nf: 'it''s'\n";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto node = parse_yaml(whole.substr(0, i), "f");
    if (node.ok()) continue;
    EXPECT_THAT(node.error().message, HasSubstr("f:"));
  }
}

TEST(Yaml, written_yaml_parses_back_to_the_same) {
  const std::string text = R"(name: shop
empty: {}
list: [a, "b, c", "", "null"]
"odd: key": " spaced "
groups:
  - name: one
    script: |
      out = in

      out.x = 1
  - [1, 2]
  - {}
number: 5
nothing: null
url: postgres://u@h/db?x=1
unicode: "é"
reference: ${env:HOME}
tricky: "- dash"
colon: "a:"
negative: -3
negative_text: "-3"
mixed: ["12", "true", 1.5]
)";
  const auto first = parse_yaml(text, "a");
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto written = to_yaml(*first);
  EXPECT_EQ(written, text);
  const auto second = parse_yaml(written, "b");
  ASSERT_TRUE(second.ok()) << second.error().message << "\n" << written;
  EXPECT_EQ(to_json(*first), to_json(*second));
}

TEST(Yaml, secrets_are_never_written) {
  Node node = Node::text("hunter2");
  std::get<Node::Scalar>(node.value).secret = true;
  EXPECT_EQ(to_yaml(node), "\"***\"\n");
  EXPECT_EQ(to_json(node), "\"***\"");
}

TEST(Yaml, files_that_cannot_be_read_are_named) {
  EXPECT_EQ(read_yaml("/nonexistent/maia.yaml").error().message,
            "/nonexistent/maia.yaml: cannot be read: No such file or directory");
  EXPECT_THAT(read_yaml("/").error().message, HasSubstr("cannot be read"));
  const auto path = std::filesystem::temp_directory_path() / fmt::format("maia_yaml_{}.yaml", ::getpid());
  std::ofstream(path) << "a: 1\n";
  EXPECT_EQ(to_json(*read_yaml(path)), R"({"a":1})");
  std::filesystem::remove(path);
}

TEST(Json, escapes_and_indents) {
  EXPECT_EQ(json_quoted("a\"\\\n\t\x01\xC3\xA9\xFF"), "\"a\\\"\\\\\\n\\t\\u0001\xC3\xA9\xEF\xBF\xBD\"");
  EXPECT_EQ(to_json(Object().set("a", true).set("b", text_list({"x"})).set("c", std::int64_t{5}).node(), 2),
            "{\n  \"a\": true,\n  \"b\": [\n    \"x\"\n  ],\n  \"c\": 5\n}");
}

}  // namespace
}  // namespace maia::config
