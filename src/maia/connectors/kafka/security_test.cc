// SPDX-License-Identifier: Apache-2.0
// Encryption, logging in, and just the privileges that the README lists.
#include <gmock/gmock.h>

#include "maia/connectors/kafka/destination.h"
#include "maia/testing/child_process.h"
#include "maia/testing/kafka_broker.h"
#include "maia/testing/kafka_session.h"
#include "maia/testing/temporary_directory.h"

namespace maia::kafka {
namespace {

using maia::testing::KafkaGrant;
using ::testing::HasSubstr;

constexpr const char* kScram = "org.apache.kafka.common.security.scram.ScramLoginModule required;";

class KafkaSecurity : public ::testing::Test {
 protected:
  /// A broker that shows a certificate for `name`, which nobody but its owner signed.
  void start(const std::string& name) {
    const auto certificate = (place / "cert.pem").string();
    const auto key = (place / "key.pem").string();
    ASSERT_TRUE(maia::testing::ChildProcess::run({"openssl", "req", "-new", "-x509", "-days", "2", "-nodes",
                                                  "-subj", "/CN=test", "-addext", "subjectAltName=" + name,
                                                  "-out", certificate, "-keyout", key})
                    .ok());
    ASSERT_TRUE(maia::testing::ChildProcess::run({"sh", "-c", "cat \"$0\" \"$1\" > \"$2\"", key, certificate,
                                                  (place / "both.pem").string()})
                    .ok());
    auto started = maia::testing::KafkaBroker::start(
        {.version = "4.1.1",
         .settings = {{"listener.name.client.ssl.keystore.type", "PEM"},
                      {"listener.name.client.ssl.keystore.location", (place / "both.pem").string()},
                      {"listener.name.client.sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"},
                      {"listener.name.client.plain.sasl.jaas.config",
                       "org.apache.kafka.common.security.plain.PlainLoginModule required "
                       "user_maia=\"maia-secret\";"},
                      {"listener.name.client.scram-sha-256.sasl.jaas.config", kScram},
                      {"listener.name.client.scram-sha-512.sasl.jaas.config", kScram},
                      {"authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"}},
         .protocol = "SASL_SSL"});
    ASSERT_TRUE(started.ok()) << started.error().message;
    broker = std::move(started).value();
    for (const int bits : {256, 512}) {
      const auto user = session().make_user("maia", "maia-secret", bits);
      ASSERT_TRUE(user.ok()) << user.error().message << broker->log_tail();
    }
    config.connection.brokers = {broker->address()};
    config.connection.tls = net::Tls::verify;
    config.connection.tls_ca_file = certificate;
    config.connection.sasl = Sasl::scram_sha_512;
    config.connection.user = "maia";
    config.connection.password = Secret("maia-secret");
    config.connection.request_timeout = std::chrono::seconds(10);
  }
  maia::testing::KafkaSession session() const { return maia::testing::KafkaSession(broker->inner_address()); }
  void grant_topics() const {
    using On = KafkaGrant::On;
    const std::vector<std::string> all{"Write", "Read", "Create", "Describe", "DescribeConfigs"};
    ASSERT_TRUE(session()
                    .grant("maia", {{On::topic, "shop.", true, all}, {On::topic, "__maia-shop", false, all}})
                    .ok());
  }
  void grant_transactions() const {
    ASSERT_TRUE(
        session()
            .grant("maia", {{KafkaGrant::On::transactional_id, "maia-shop", false, {"Write", "Describe"}}})
            .ok());
  }
  std::unique_ptr<KafkaDestination> destination() const {
    return std::make_unique<KafkaDestination>(config, "shop", 0, system_clock());
  }
  Status write_one(KafkaDestination& to) const {
    auto schema = std::make_shared<TableSchema>();
    schema->name = {"public", "orders"};
    schema->columns = {{.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true}};
    Batch batch(schema);
    batch.begin_row(Op::insert, 0);
    batch.mutable_after(0).push_fixed(std::int64_t{1});
    batch.finish_row();
    const TableTarget target{.name = schema->name, .schema = schema, .key = schema->key()};
    const Delivery delivery{.target = &target, .batch = &batch};
    MAIA_TRY(to.open("shop"));
    MAIA_TRY(to.begin());
    MAIA_TRY(to.prepare(target));
    MAIA_TRY(to.write(std::span(&delivery, 1)));
    return to.commit({.sequence = {1}, .position = {"1"}, .facts = {}});
  }

  maia::testing::TemporaryDirectory place = maia::testing::TemporaryDirectory::make().value();
  std::unique_ptr<maia::testing::KafkaBroker> broker;
  DestinationConfig config;
};

TEST_F(KafkaSecurity, the_privileges_of_the_readme_are_enough_and_what_is_missing_is_named) {
  ASSERT_NO_FATAL_FAILURE(start("IP:127.0.0.1"));
  const auto none = write_one(*destination());
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Error::Code::check_failed) << none.error().message;
  EXPECT_THAT(none.error().message, HasSubstr("__maia-shop"));
  const auto findings = destination()->check();
  ASSERT_TRUE(findings.ok()) << findings.error().message;
  EXPECT_EQ(findings->at(1).level, Finding::Level::error);
  EXPECT_THAT(
      findings->at(1).fix,
      ::testing::AllOf(HasSubstr("--allow-principal User:maia --operation Write --operation Read "
                                 "--operation Create --operation Describe --operation DescribeConfigs "
                                 "--resource-pattern-type prefixed --topic shop.;"),
                       HasSubstr("--operation DescribeConfigs --topic __maia-shop;"),
                       HasSubstr("--operation Describe --transactional-id maia-shop")));

  ASSERT_NO_FATAL_FAILURE(grant_topics());
  for (const auto& finding : destination()->check().value()) {
    EXPECT_EQ(finding.level, Finding::Level::ok) << finding.what << finding.fix;
  }
  const auto no_transactions = write_one(*destination());
  ASSERT_FALSE(no_transactions.ok());
  EXPECT_EQ(no_transactions.error().code, Error::Code::check_failed);
  EXPECT_THAT(no_transactions.error().hint, HasSubstr("transactional id"));

  ASSERT_NO_FATAL_FAILURE(grant_transactions());
  const auto written = write_one(*destination());
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(session().committed("shop.public.orders")->size(), 1U);

  ASSERT_TRUE(session().grant("maia", {{KafkaGrant::On::topic, "__maia-shop", false, {"Delete"}}}).ok());
  const auto dropped = destination()->drop("shop");
  ASSERT_TRUE(dropped.ok()) << dropped.error().message;
}

TEST_F(KafkaSecurity, each_way_to_log_in_lets_in_who_knows_the_password_and_nobody_else) {
  ASSERT_NO_FATAL_FAILURE(start("IP:127.0.0.1"));
  ASSERT_NO_FATAL_FAILURE(grant_topics());
  ASSERT_NO_FATAL_FAILURE(grant_transactions());
  for (const auto way : {Sasl::plain, Sasl::scram_sha_256, Sasl::scram_sha_512}) {
    SCOPED_TRACE(config::word_of(way));
    config.connection.sasl = way;
    config.connection.password = Secret("maia-secret");
    const auto written = write_one(*destination());
    EXPECT_TRUE(written.ok()) << written.error().message;
    config.connection.password = Secret("guess");
    const auto refused = write_one(*destination());
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason, "credentials_refused") << refused.error().message;
    EXPECT_THAT(refused.error().message + refused.error().hint, ::testing::Not(HasSubstr("guess")));
  }
  EXPECT_EQ(session().committed("shop.public.orders")->size(), 3U);
}

TEST_F(KafkaSecurity, a_certificate_of_another_host_or_of_a_stranger_is_refused) {
  ASSERT_NO_FATAL_FAILURE(start("DNS:other.example"));
  const auto name = write_one(*destination());
  ASSERT_FALSE(name.ok());
  EXPECT_THAT(name.error().message, HasSubstr("certificate")) << name.error().message;
  config.connection.tls_ca_file.clear();
  const auto stranger = write_one(*destination());
  ASSERT_FALSE(stranger.ok());
  EXPECT_THAT(stranger.error().message, HasSubstr("certificate"));
}

TEST(KafkaConnection, is_plain_text_only_on_this_machine_or_where_it_is_written_out) {
  ConnectionConfig config;
  config.brokers = {"127.0.0.1:9092", "localhost:9093", "[::1]:9094"};
  EXPECT_EQ(connection_properties(config).at("security.protocol"), "plaintext");
  config.brokers.emplace_back("kafka-1:9092");
  EXPECT_EQ(connection_properties(config).at("security.protocol"), "ssl");
  config.sasl = Sasl::plain;
  EXPECT_EQ(connection_properties(config).at("security.protocol"), "sasl_ssl");
  config.tls = net::Tls::off;
  EXPECT_EQ(connection_properties(config).at("security.protocol"), "sasl_plaintext");
}

}  // namespace
}  // namespace maia::kafka
