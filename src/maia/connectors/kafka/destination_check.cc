// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "maia/connector/json_plan.h"
#include "maia/connectors/kafka/destination.h"

namespace maia::kafka {
std::vector<ColumnMapping> KafkaDestination::plan(const TableSchema& schema) const {
  return json_plan(schema);
}

void KafkaDestination::explain_finding(Findings& findings, const Status& tried, std::string good) const {
  if (tried.ok()) {
    findings.push_back({Finding::Level::ok, std::move(good), "", ""});
  } else {
    findings.push_back({Finding::Level::error, tried.error().message, "", tried.error().hint});
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
    explain_finding(findings, topics.may_make(design(config_.checkpoint_topic + ".check")),
                    "topics can be made with these settings");
  }
  if (!config_.connection.encrypted() && config_.connection.sasl == Sasl::plain) {
    findings.push_back({Finding::Level::warning, "the password goes over the network as plain text",
                        "sasl: plain without TLS", "Set tls: verify"});
  }
  return findings;
}

}  // namespace maia::kafka
