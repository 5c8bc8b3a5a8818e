// SPDX-License-Identifier: Apache-2.0
#include "maia/config/references.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "maia/config/json.h"

namespace maia::config {
namespace {

std::optional<std::string> environment(const std::string& name) {
  if (name == "USER") return "ada";
  if (name == "EVIL") return "x: [1, ${env:USER}]";
  if (name == "EMPTY") return "";
  return {};
}

struct Resolved {
  std::string text;
  bool secret = false;
  std::string error, hint;
};
Resolved resolve(std::string text, const std::string& file = "maia.yaml") {
  auto node = Node::text(std::move(text));
  node.mark = {file, 4, 7};
  const auto status = resolve_references(node, environment);
  if (!status.ok()) return {"", false, status.error().message, status.error().hint};
  return {node.scalar()->text, node.scalar()->secret, "", ""};
}

TEST(References, variables_become_secret_text) {
  EXPECT_EQ(resolve("${env:USER}").text, "ada");
  EXPECT_TRUE(resolve("a-${env:USER}-b").secret);
  EXPECT_EQ(resolve("a-${env:USER}-${env:USER}").text, "a-ada-ada");
  EXPECT_FALSE(resolve("plain $5 {x}").secret);
}

TEST(References, defaults_stand_in_for_unset_and_empty) {
  EXPECT_EQ(resolve("${env:NOPE:-x:-y}").text, "x:-y");
  EXPECT_EQ(resolve("${env:EMPTY:-z}").text, "z");
  EXPECT_EQ(resolve("${env:EMPTY}").text, "");
  EXPECT_EQ(resolve("${env:USER:-z}").text, "ada");
}

TEST(References, values_are_never_read_again) {
  EXPECT_EQ(resolve("${env:EVIL}").text, "x: [1, ${env:USER}]");
}

TEST(References, a_doubled_dollar_is_literal) {
  const auto literal = resolve("$${env:USER} ${env:USER} $$");
  EXPECT_EQ(literal.text, "${env:USER} ada $$");
}

TEST(References, what_is_missing_is_an_error_with_its_place) {
  EXPECT_EQ(resolve("${env:NOPE}").error, "maia.yaml:4:7: the environment variable NOPE is not set");
  EXPECT_EQ(resolve("${env:NOPE}").hint, "export NOPE=..., or give a default: ${env:NOPE:-text}");
  EXPECT_EQ(resolve("${env:USER").error, "maia.yaml:4:7: a ${ reference is not closed by }");
  EXPECT_EQ(resolve("${env:}").error, "maia.yaml:4:7: ${env:} names no variable");
  EXPECT_EQ(resolve("${file:}").error, "maia.yaml:4:7: ${file:} names no file");
  EXPECT_EQ(resolve("${HOME}").error, "maia.yaml:4:7: unknown reference '${HOME}'");
  EXPECT_EQ(resolve("${HOME}").hint, "write ${env:NAME} or ${file:path}, or $${ for a literal ${");
  EXPECT_EQ(
      resolve("${vault:kv/db#password}").error,
      "maia.yaml:4:7: ${vault:kv/db#password} needs a connection to Vault, which this version does not have");
}

TEST(References, files_are_found_beside_the_document) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("maia_ref_{}", ::getpid());
  std::filesystem::create_directory(folder);
  std::ofstream(folder / "password") << "s3cret\n";
  const auto document = (folder / "maia.yaml").string();
  EXPECT_EQ(resolve("${file:password}", document).text, "s3cret");
  EXPECT_TRUE(resolve("${file:password}", document).secret);
  EXPECT_EQ(resolve("${file:" + (folder / "password").string() + "}").text, "s3cret");
  const auto missing = resolve("${file:nope}", document);
  EXPECT_EQ(missing.error, fmt::format("{}:4:7: the file {} of a ${{file:}} reference cannot be read",
                                       document, (folder / "nope").string()));
  EXPECT_EQ(missing.hint, "No such file or directory");
  EXPECT_THAT(resolve("${file:.}", document).error, testing::HasSubstr("cannot be read"));
  std::filesystem::remove_all(folder);
}

TEST(References, nested_values_are_reached_and_keys_are_not) {
  Node node{Node::Mapping{{"${env:USER}", {}, Node{Node::Sequence{Node::text("${env:USER}")}, {}}}}, {}};
  ASSERT_TRUE(resolve_references(node, environment).ok());
  EXPECT_EQ(node.mapping()->at(0).key, "${env:USER}");
  EXPECT_EQ(node.mapping()->at(0).value.sequence()->at(0).scalar()->text, "ada");
}

}  // namespace
}  // namespace maia::config
