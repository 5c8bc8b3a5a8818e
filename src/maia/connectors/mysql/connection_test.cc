// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/connection.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "maia/testing/mysql_server.h"
#include "maia/testing/temporary_directory.h"
#include "maia/testing/unprivileged.h"

namespace maia::mysql {
namespace {

using ::testing::HasSubstr;
using testing::MysqlProduct;
using testing::MysqlServer;
using ::testing::Not;

Connection::Options options_for(const MysqlServer& server, const std::string& user = "root",
                                const std::string& password = "") {
  Connection::Options options;
  options.endpoint.host = server.host();
  options.endpoint.port = static_cast<std::uint16_t>(server.port());
  options.endpoint.user = user;
  options.endpoint.password = Secret(password);
  return options;
}

class MysqlConnection : public ::testing::TestWithParam<MysqlProduct> {
 protected:
  MysqlServer& server() { return testing::shared_mysql(GetParam()); }
  std::unique_ptr<Connection> open() {
    auto opened = Connection::open(options_for(server()));
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return std::move(opened).value();
  }
};
INSTANTIATE_TEST_SUITE_P(Products, MysqlConnection,
                         ::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(MysqlConnection, knows_its_server_and_is_strict_in_utc) {
  auto connection = open();
  EXPECT_EQ(connection->server().mariadb, GetParam() == MysqlProduct::mariadb);
  EXPECT_GE(connection->server().version, GetParam() == MysqlProduct::mariadb ? 101100U : 90700U);
  const auto rows =
      connection->query("select @@time_zone, @@character_set_client, connection_id(), null").value();
  EXPECT_EQ(rows.str(0, 0), "+00:00");
  EXPECT_EQ(rows.str(0, 1), "utf8mb4");
  EXPECT_EQ(rows.integer(0, 2), static_cast<std::int64_t>(connection->id()));
  EXPECT_TRUE(rows.is_null(0, 3));
  ASSERT_TRUE(connection->run("create database if not exists test").ok());
  ASSERT_TRUE(connection->run("create temporary table test.t (a tinyint)").ok());
  const auto bent = connection->run("insert into test.t values (300)");
  ASSERT_FALSE(bent.ok());
  EXPECT_EQ(bent.error().code, Error::Code::data);
  EXPECT_THAT(bent.error().message, HasSubstr("'a'"));
}

TEST_P(MysqlConnection, logs_in_with_a_password_and_refuses_a_wrong_one) {
  ASSERT_TRUE(server().execute("create user if not exists ada@'127.0.0.1' identified by 'p''w:@/ä'").ok());
  const auto good = Connection::open(options_for(server(), "ada", "p'w:@/ä"));
  EXPECT_TRUE(good.ok()) << good.error().message;
  const auto bad = Connection::open(options_for(server(), "ada", "wrong-secret"));
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().recovery, Recovery::halt);
  EXPECT_EQ(bad.error().reason, "credentials_refused");
  EXPECT_THAT(bad.error().message, Not(HasSubstr("wrong-secret")));
}

TEST_P(MysqlConnection, never_sends_a_file_however_it_is_asked) {
  auto connection = open();
  ASSERT_TRUE(server().execute("set global local_infile = 1; create database if not exists test").ok());
  ASSERT_TRUE(connection->run("create temporary table test.files (line text)").ok());
  EXPECT_FALSE(connection->run("load data local infile '/etc/passwd' into table test.files").ok());
}

TEST_P(MysqlConnection, ends_a_statement_at_a_stop_request) {
  auto connection = open();
  std::stop_source stop;
  std::thread stopper([&] {
    const auto running = fmt::format(
        "select count(*) from information_schema.processlist where id = {} and info like 'do sleep%'",
        connection->id());
    while (server().query(running).value()[0][0] != "1") std::this_thread::yield();
    stop.request_stop();
  });
  const auto ended = connection->run("do sleep(600)", stop.get_token());
  stopper.join();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().code, Error::Code::cancelled);
  EXPECT_TRUE(connection->broken());
}

TEST_P(MysqlConnection, asks_for_a_new_session_when_its_own_was_killed) {
  auto connection = open();
  ASSERT_TRUE(server().execute(fmt::format("kill {}", connection->id())).ok());
  const auto lost = connection->run("do 1");
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().recovery, Recovery::reconnect) << lost.error().message;
  EXPECT_TRUE(connection->broken());
}

TEST_P(MysqlConnection, hands_rows_on_one_by_one_until_the_sink_has_enough) {
  auto connection = open();
  constexpr auto kMany =
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) "
      "select a.i, null, 'ä' from n a, n b";
  std::uint64_t rows = 0;
  const auto all = connection->each_row(kMany, [&](Connection::Fields row) -> Status {
    EXPECT_FALSE(row[1]);
    EXPECT_EQ(row[2], "ä");
    ++rows;
    return {};
  });
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(rows, 1'000'000U);
  const auto enough = connection->each_row(kMany, [](Connection::Fields) -> Status {
    return Error{.code = Error::Code::data, .message = "enough"};
  });
  ASSERT_FALSE(enough.ok());
  EXPECT_EQ(enough.error().message, "enough");
  EXPECT_TRUE(connection->broken());
}

/// A server with a certificate for `name` that it signed itself, or without TLS.
std::unique_ptr<MysqlServer> server_with_certificate(MysqlProduct product, const std::string& name,
                                                     testing::TemporaryDirectory& place) {
  std::map<std::string, std::string> settings;
  if (name.empty()) {
    if (product == MysqlProduct::mysql) settings["tls-version"] = "";
  } else {
    const auto certificate = place.path() / "server.crt";
    const auto key = place.path() / "server.key";
    const auto made = testing::ChildProcess::run({"openssl", "req", "-new", "-x509", "-days", "2", "-nodes",
                                                  "-subj", "/CN=test", "-addext", "subjectAltName=" + name,
                                                  "-out", certificate.string(), "-keyout", key.string()});
    EXPECT_TRUE(made.ok()) << made.error().message;
    EXPECT_TRUE(testing::give_to_unprivileged(place.path()).ok());
    EXPECT_TRUE(testing::give_to_unprivileged(key).ok());
    settings["ssl-cert"] = certificate.string();
    settings["ssl-key"] = key.string();
  }
  auto started = MysqlServer::start({.product = product, .settings = settings});
  EXPECT_TRUE(started.ok()) << started.error().message;
  return std::move(started).value();
}

class MysqlTls : public ::testing::TestWithParam<MysqlProduct> {
 protected:
  Result<std::unique_ptr<Connection>> open(const std::string& certificate_for, bool trust, net::Tls tls) {
    server_ = server_with_certificate(GetParam(), certificate_for, place_);
    auto options = options_for(*server_);
    options.endpoint.tls = tls;
    if (trust) options.endpoint.tls_ca_file = (place_.path() / "server.crt").string();
    return Connection::open(options);
  }
  testing::TemporaryDirectory place_ = testing::TemporaryDirectory::make().value();
  std::unique_ptr<MysqlServer> server_;
};
INSTANTIATE_TEST_SUITE_P(Products, MysqlTls, ::testing::Values(MysqlProduct::mariadb, MysqlProduct::mysql),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(MysqlTls, a_server_without_it_is_refused) {
  const auto opened = open("", false, net::Tls::verify);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().recovery, Recovery::halt);
  EXPECT_THAT(opened.error().message, HasSubstr("TLS"));
}

TEST_P(MysqlTls, a_certificate_that_nobody_trusted_is_refused) {
  const auto opened = open("IP:127.0.0.1", false, net::Tls::verify);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Error::Code::invalid_config) << opened.error().message;
}

TEST_P(MysqlTls, a_certificate_of_another_host_is_refused) {
  const auto opened = open("DNS:other.example", true, net::Tls::verify);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Error::Code::invalid_config) << opened.error().message;
}

TEST_P(MysqlTls, a_trusted_certificate_of_this_host_is_taken) {
  const auto opened = open("IP:127.0.0.1", true, net::Tls::verify);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_NE((*opened)->query("show session status like 'Ssl_cipher'").value().str(0, 1), "");
}

TEST_P(MysqlTls, it_is_left_out_where_that_was_asked_for) {
  const auto opened = open("IP:127.0.0.1", false, net::Tls::off);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  EXPECT_EQ((*opened)->query("show session status like 'Ssl_cipher'").value().str(0, 1), "");
}

}  // namespace
}  // namespace maia::mysql
