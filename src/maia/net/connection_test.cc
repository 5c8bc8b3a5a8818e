// SPDX-License-Identifier: Apache-2.0
#include "maia/net/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/config/json.h"
#include "maia/config/yaml.h"

namespace maia::net {
namespace {

Result<ConnectionSettings> read(std::string_view yaml) {
  const auto written = MAIA_TRY(config::parse_yaml(yaml, "f"));
  return connection_spec().read(MAIA_TRY(expand_url(written)), "source");
}

TEST(Connection, url_stands_for_its_parts) {
  const auto c = read("url: postgres://ada:pw@db:6000/shop?tls=verify\n");
  ASSERT_TRUE(c.ok()) << c.error().message;
  EXPECT_EQ(c->host, "db");
  EXPECT_EQ(c->port, 6000);
  EXPECT_EQ(c->user, "ada");
  EXPECT_EQ(c->password.reveal(), "pw");
  EXPECT_EQ(c->database, "shop");
  EXPECT_EQ(c->tls, Tls::verify);
}

TEST(Connection, what_is_given_twice_is_an_error) {
  EXPECT_EQ(read("url: postgres://h/db\nhost: other\n").error().message,
            "f:2:7: 'host' is given twice: here and in the url");
}

TEST(Connection, errors_of_the_url_have_its_place_and_no_password) {
  EXPECT_EQ(read("url: postgres://u:hunter2@h:x/db\n").error().message,
            "f:1:6: the URI postgres://u:***@h:x/db has a port that is no number between 1 and 65535");
  EXPECT_EQ(read("url: postgres://h/db?tsl=off\n").error().hint, "did you mean 'tls'?");
}

TEST(Connection, passwords_from_a_uri_are_secret) {
  EXPECT_THAT(config::to_yaml(settings_of(*parse_uri("p://u:hunter2@h/db"))),
              testing::Not(testing::HasSubstr("hunter2")));
}

TEST(Connection, tls_is_verified_unless_the_peer_is_this_machine) {
  EXPECT_TRUE(read("host: db.example.com\n")->verifies());
  EXPECT_TRUE(read("host: localhost\ntls: verify\n")->verifies());
  EXPECT_TRUE(read("host: 127.evil.example.com\n")->verifies());
  for (const auto* local : {"localhost", "127.0.0.1", "\"::1\"", "/var/run/postgresql"})
    EXPECT_FALSE(read(std::string("host: ") + local + "\n")->verifies()) << local;
  EXPECT_FALSE(read("host: db.example.com\ntls: off\n")->verifies());
}

TEST(Connection, tls_settings_must_agree) {
  EXPECT_EQ(read("tls_key_file: k\n").error().message,
            "f:1:1: tls_certificate_file and tls_key_file belong together");
  EXPECT_EQ(read("tls: off\ntls_ca_file: k\n").error().message, "f:1:1: TLS files are given but tls is off");
  EXPECT_EQ(read("tls: require\n").error().message,
            "f:1:6: 'source.tls' is 'require' but must be one of auto, verify or off");
}

}  // namespace
}  // namespace maia::net
