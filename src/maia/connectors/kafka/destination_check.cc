// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "maia/connector/json_plan.h"
#include "maia/connectors/kafka/destination.h"

namespace maia::kafka {

std::vector<ColumnMapping> KafkaDestination::plan(const TableSchema& schema) const {
  return json_plan(schema);
}

/// The commands that give a user just the privileges of the README.
std::string KafkaDestination::privileges() const {
  const auto& user = config_.connection.user;
  const auto allow = [&](std::string_view operations, const std::string& where) {
    return fmt::format(
        "kafka-acls.sh --bootstrap-server {} --add --allow-principal User:{} --operation {} {}",
        config_.connection.brokers.front(), user.empty() ? "NAME" : user, operations, where);
  };
  const auto beginning = names_.beginning();
  const auto topics = beginning.empty()      ? std::string("--topic '*'")
                      : names_.one_for_all() ? "--topic " + beginning
                                             : "--resource-pattern-type prefixed --topic " + beginning;
  constexpr std::string_view kWriter =
      "Write --operation Read --operation Create --operation Describe --operation DescribeConfigs";
  return allow(kWriter, topics) + "; " + allow(kWriter, "--topic " + config_.checkpoint_topic) + "; " +
         allow("Write --operation Describe", "--transactional-id " + config_.transactional_id);
}

void KafkaDestination::explain_finding(Findings& findings, const Status& tried, std::string good) const {
  if (tried.ok()) {
    findings.push_back({Finding::Level::ok, std::move(good), "", ""});
  } else {
    const auto& error = tried.error();
    findings.push_back(
        {Finding::Level::error, error.message, "", error.reason == kNotAllowed ? privileges() : error.hint});
  }
}

Result<Findings> KafkaDestination::check() {
  Findings findings;
  const auto client = MAIA_TRY(make_client(RD_KAFKA_PRODUCER, config_.connection, {}));
  const auto metadata = MAIA_TRY(metadata_of(client.get(), config_.connection));
  findings.push_back({Finding::Level::ok, fmt::format("{} brokers answer", metadata->broker_cnt), "", ""});
  Topics topics(client.get(), config_.connection);
  explain_finding(
      findings, topics.may_make(checkpoint_topic(config_.checkpoint_topic, config_.replication)),
      fmt::format("the topic {} for the checkpoint is there or can be made", config_.checkpoint_topic));
  if (config_.create_topics) {
    // Under a name that the user may make topics of.
    const auto name = names_.beginning() + (names_.one_for_all() ? "" : "maia-check");
    explain_finding(findings, topics.may_make(design(name)), "topics can be made with these settings");
  }
  if (!config_.connection.encrypted() && config_.connection.sasl == Sasl::plain) {
    findings.push_back({Finding::Level::warning, "the password goes over the network as plain text",
                        "sasl: plain without TLS", "Set tls: verify"});
  }
  return findings;
}

}  // namespace maia::kafka
