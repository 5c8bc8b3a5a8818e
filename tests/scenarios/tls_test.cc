// SPDX-License-Identifier: Apache-2.0
// A server that cannot show a certificate for the name that it was called by is not talked to.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::HasSubstr;

class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    server = std::move(*started);
    execute("create table t (id int primary key)");
  }
  void execute(const std::string& sql) {
    const auto executed = server->execute(sql);
    ASSERT_TRUE(executed.ok()) << sql << ": " << executed.error().message;
  }
  /// The server makes a certificate that it signs itself, and uses it.
  void use_certificate_for(const std::string& name) {
    execute(fmt::format(
        "copy (select 1) to program 'openssl req -new -x509 -days 2 -nodes -subj /CN=test -addext "
        "subjectAltName={} -out server.crt -keyout server.key 2>/dev/null && chmod 600 server.key'",
        name));
    execute("alter system set ssl = on");
    ASSERT_TRUE(server->restart().ok()) << server->log_tail();
  }
  /// What `maia check` says, which must end with `code`.
  std::string check(bool trust, int code) {
    const auto ca =
        trust ? fmt::format("tls_ca_file: {}\n", (server->data_directory() / "server.crt").string()) : "";
    auto mirror =
        Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [t]\ntls: verify\n{}", server->uri(), ca),
                     "type: duckdb\npath: {}/copy.duckdb\n");
    EXPECT_TRUE(mirror.ok());
    const auto said = mirror->command({"check", mirror->file(), "--state", mirror->state()}, code);
    EXPECT_TRUE(said.ok()) << said.error().message;
    return said.ok() ? *said : "";
  }
  std::unique_ptr<testing::PostgresServer> server;
};

TEST_F(Tls, a_server_without_it_is_refused) {
  EXPECT_THAT(check(false, 3), HasSubstr("server does not support SSL, but SSL was required"));
}

TEST_F(Tls, a_certificate_that_nobody_trusted_is_refused) {
  use_certificate_for("IP:127.0.0.1");
  EXPECT_THAT(check(false, 3), HasSubstr("certificate verify failed"));
}

TEST_F(Tls, a_certificate_of_another_host_is_refused) {
  use_certificate_for("DNS:other.example");
  EXPECT_THAT(check(true, 3), HasSubstr("does not match host name \"127.0.0.1\""));
}

TEST_F(Tls, a_trusted_certificate_of_this_host_is_taken) {
  use_certificate_for("IP:127.0.0.1");
  EXPECT_THAT(check(true, 0), HasSubstr("0 errors"));
}

}  // namespace
}  // namespace maia::tests
