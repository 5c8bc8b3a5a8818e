// SPDX-License-Identifier: Apache-2.0
#include "maia/net/uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maia::net {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Uri, reads_every_part) {
  const auto uri = parse_uri("Postgres://us%40er:p%3Aw%2F@db.example.com:6432/shop%20x?tls=off&a=%26");
  ASSERT_TRUE(uri.ok()) << uri.error().message;
  EXPECT_EQ(uri->scheme, "postgres");
  EXPECT_EQ(uri->user, "us@er");
  EXPECT_EQ(uri->password->reveal(), "p:w/");
  EXPECT_EQ(uri->host, "db.example.com");
  EXPECT_EQ(uri->port, 6432);
  EXPECT_EQ(uri->database(), "shop x");
  EXPECT_THAT(uri->query, testing::ElementsAre(std::pair<std::string, std::string>("tls", "off"),
                                               std::pair<std::string, std::string>("a", "&")));
}

TEST(Uri, short_forms_have_only_a_path) {
  EXPECT_EQ(parse_uri("duckdb:shop.duckdb")->path, "shop.duckdb");
  EXPECT_EQ(parse_uri("duckdb:///var/shop.duckdb")->path, "/var/shop.duckdb");
  EXPECT_EQ(parse_uri("file:-")->path, "-");
  EXPECT_FALSE(parse_uri("duckdb:shop.duckdb")->has_authority);
}

TEST(Uri, hosts_may_be_ipv6_or_sockets_or_absent) {
  const auto six = parse_uri("postgres://u@[::1]:5433/db");
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 5433);
  EXPECT_EQ(parse_uri("postgres://%2Fvar%2Frun/db")->host, "/var/run");
  EXPECT_EQ(parse_uri("postgres:///db?host=/tmp")->host, "");
}

TEST(Uri, an_empty_password_is_not_an_absent_one) {
  EXPECT_TRUE(parse_uri("x://u:@h/")->password.has_value());
  EXPECT_FALSE(parse_uri("x://u@h/")->password.has_value());
}

TEST(Uri, errors_say_why_and_never_show_the_password) {
  const std::pair<const char*, const char*> wrong[] = {
      {"shop.duckdb", "has no scheme"},
      {"p://u:hunter2@h:99999/db", "has a port that is no number between 1 and 65535"},
      {"p://u:hunter2@h:0/db", "has a port that is no number"},
      {"p://u:hunter2@[::1/db", "has an IPv6 address that is not closed"},
      {"p://u:hunter2@[::1]x/db", "has text after the IPv6 address"},
      {"p://u:hunter2%zz@h/db", "has a broken percent sign in the password"},
      {"p://u:hunter2%0@h/db", "has a broken percent sign in the password"},
      {"p://u:hunter2%00@h/db", "has a broken percent sign in the password"},
      {"p://u:hun@hunter2@h/db", "has more than one @"},
      {"p://u:hun/hunter2@h/db", "has an @ after the first slash"},
      {"p://u:hunter2@h/db?x", "has a query parameter without a value"},
      {"p://u:hunter2@h/db?=x", "has a query parameter without a value"},
      {"p://u:hun#hunter2@h/db", "has a fragment"},
      {"p://u@h:x/db?password=hunter2&x=1", "has a port that is no number"},
  };
  for (const auto& [text, why] : wrong) {
    const auto uri = parse_uri(text);
    ASSERT_FALSE(uri.ok()) << text;
    EXPECT_THAT(uri.error().message, HasSubstr(why)) << text;
    EXPECT_THAT(uri.error().message, Not(HasSubstr("hunter2")));
    EXPECT_FALSE(uri.error().hint.empty());
  }
}

TEST(Uri, redaction_keeps_what_helps) {
  EXPECT_EQ(redacted("p://u:hunter2@h/db?sslkey=abc&x=1"), "p://u:***@h/db?sslkey=***&x=1");
  EXPECT_EQ(redacted("p://u@h:5/db"), "p://u@h:5/db");
  EXPECT_EQ(redacted("duckdb:a.duckdb"), "duckdb:a.duckdb");
}

}  // namespace
}  // namespace maia::net
