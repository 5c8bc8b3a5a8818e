// SPDX-License-Identifier: Apache-2.0
#include "maia/config/difference.h"

#include <gtest/gtest.h>

#include "maia/config/file_text.h"
#include "maia/config/yaml.h"

namespace maia::config {
namespace {

std::string changed(const std::string& before, const std::string& after) {
  return in_words(differences(parse_yaml(before, "a").value(), parse_yaml(after, "b").value()));
}

TEST(Difference, equal_documents_have_none_whatever_their_layout) {
  EXPECT_EQ(changed("a: {b: 1, c: [x, y]}\n", "# remark\na:\n  c: [x, y]\n  b: 1\n"), "");
}

TEST(Difference, values_are_named_by_their_place) {
  EXPECT_EQ(changed("delivery: {max_rows: 10}", "delivery: {max_rows: 20}"), "delivery.max_rows: 10 -> 20");
  EXPECT_EQ(changed("a: [x]", "a: [x, y]"), "a: [\"x\"] -> [\"x\",\"y\"]");
}

TEST(Difference, what_comes_and_goes) {
  EXPECT_EQ(changed("destinations: {a: {type: t}}", "destinations: {b: {type: t}}"),
            "destinations.b added, destinations.a removed");
}

TEST(Difference, elements_of_a_list_are_known_by_their_name) {
  EXPECT_EQ(changed("transform: [{name: one, script: a}, {name: two, script: b}]",
                    "transform: [{name: two, script: c}, {name: one, script: a}]"),
            "transform.two.script: b -> c");
}

TEST(Difference, long_texts_are_only_said_to_have_changed) {
  EXPECT_EQ(changed("s: |\n  a\n  b\n", "s: |\n  a\n  c\n"), "s changed");
}

std::string kept(const std::string& text) {
  return without_written_secrets(text, parse_yaml(text, "a").value(), {"password", "url"});
}

TEST(WrittenSecrets, a_password_is_masked_and_all_else_stays_as_it_was) {
  EXPECT_EQ(kept("# remark\nsource:\n  password: hunter2 # mine\n  user: hunter2\n"),
            "# remark\nsource:\n  password: \"***\" # mine\n  user: hunter2\n");
  EXPECT_EQ(kept("{password: 'hun ter', user: x}"), "{password: '***', user: x}");
}

TEST(WrittenSecrets, of_a_uri_only_the_password_is_one) {
  EXPECT_EQ(kept("url: postgres://ada:hunter2@host:5432/shop\n"), "url: postgres://ada:***@host:5432/shop\n");
  EXPECT_EQ(kept("url: postgres://ada@host:5432/shop\n"), "url: postgres://ada@host:5432/shop\n");
  EXPECT_EQ(kept("url: postgres://host/shop?password=hunter2&x=1\n"),
            "url: postgres://host/shop?password=***&x=1\n");
}

TEST(WrittenSecrets, references_stay) {
  EXPECT_EQ(kept("password: ${env:PGPASSWORD}\n"), "password: ${env:PGPASSWORD}\n");
}

TEST(WrittenSecrets, a_secret_that_is_written_in_another_way_is_masked_all_the_same) {
  for (const auto* text :
       {"password: \"hunter\\x32\"\n", "password: |\n  hunter2\n", "password: >-\n  hunter2\n"}) {
    const auto masked = kept(text);
    EXPECT_EQ(masked.find("hunter"), masked.npos) << masked;
    EXPECT_EQ(parse_yaml(masked, "a").value().find("password")->scalar()->text, "***");
  }
}

}  // namespace
}  // namespace maia::config
