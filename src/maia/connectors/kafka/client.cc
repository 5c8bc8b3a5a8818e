// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>

#include "maia/base/version.h"

namespace maia::kafka {
namespace {

struct Rule {
  rd_kafka_resp_err_t code;
  Error::Code means;
  Recovery recovery;
  std::string_view hint;
  std::string_view reason = {};
};

// Kafka protocol, "Error Codes"; those that begin with __ are librdkafka's own. All others may pass.
constexpr Rule kRules[] = {
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, Error::Code::invalid_config, Recovery::halt,
     "check `sasl`, `user` and `password`", "credentials_refused"},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, Error::Code::invalid_config, Recovery::halt,
     "check `sasl`, `user` and `password`", "credentials_refused"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, Error::Code::invalid_config, Recovery::halt,
     "choose a `sasl` that the brokers have"},
    {RD_KAFKA_RESP_ERR__SSL, Error::Code::invalid_config, Recovery::halt,
     "check the brokers' certificates and `tls_ca_file`; names must match those in `brokers`"},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, Error::Code::check_failed, Recovery::halt,
     "allow the user READ, WRITE, CREATE, DESCRIBE and DESCRIBE_CONFIGS on the topic", kNotAllowed},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, Error::Code::check_failed, Recovery::halt,
     "allow the user CREATE on the topics (or on the cluster), or make the topics and set create_topics: "
     "false",
     kNotAllowed},
    {RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, Error::Code::check_failed, Recovery::halt,
     "allow the user WRITE and DESCRIBE on the transactional id", kNotAllowed},
    {RD_KAFKA_RESP_ERR__FENCED, Error::Code::fenced, Recovery::halt, "stop one of the two runs"},
    {RD_KAFKA_RESP_ERR_PRODUCER_FENCED, Error::Code::fenced, Recovery::halt, ""},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, Error::Code::fenced, Recovery::halt, ""},
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, Error::Code::data, Recovery::halt,
     "raise max.message.bytes of the topic and `max_record_size`"},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, Error::Code::data, Recovery::halt, ""},
    {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, Error::Code::invalid_config, Recovery::halt, ""},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, Error::Code::invalid_config, Recovery::halt, "check `topic_settings`"},
    {RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, Error::Code::invalid_config, Recovery::halt, "check `partitions`"},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, Error::Code::invalid_config, Recovery::halt,
     "there are fewer brokers than `replication`"},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, Error::Code::check_failed, Recovery::halt,
     "the cluster's policy refuses it"},
    {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, Error::Code::invalid_config, Recovery::halt,
     "lower `transaction_timeout`, or raise the brokers' transaction.max.timeout.ms", kTimeoutRefused},
    {RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, Error::Code::unsupported, Recovery::halt, ""},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION, Error::Code::unsupported, Recovery::halt, ""},
    {RD_KAFKA_RESP_ERR__INVALID_ARG, Error::Code::internal, Recovery::halt, ""},
};

constexpr int kLookMs = 1000;

/// Why no connection comes about, where waiting does not help.
std::optional<Error> connection_trouble(std::string_view what, rd_kafka_t* client) {
  const Handle<rd_kafka_queue_t> events(rd_kafka_queue_get_main(client));
  for (;;) {
    const Handle<rd_kafka_event_t> event(rd_kafka_queue_poll(events.get(), 0));
    if (!event) return std::nullopt;
    auto error = failure(what, rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
    if (error.recovery == Recovery::halt) return error;
  }
}

}  // namespace

Error failure(std::string_view what, rd_kafka_resp_err_t code, std::string_view detail) {
  auto message = fmt::format("{}: {}", what, detail.empty() ? rd_kafka_err2str(code) : detail);
  const auto* rule =
      std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& each) { return each.code == code; });
  if (rule == std::end(kRules))
    return Error{Error::Code::unavailable, Recovery::reconnect, std::move(message)};
  return Error{rule->means, rule->recovery, std::move(message), std::string(rule->hint), rule->reason};
}

Status outcome(std::string_view what, const Handle<rd_kafka_error_t>& error) {
  if (!error) return {};
  return failure(what, rd_kafka_error_code(error.get()), rd_kafka_error_string(error.get()));
}

Properties connection_properties(const ConnectionConfig& config) {
  Properties properties{{"client.id", "maia"}, {"client.software.name", "maia"}};
  std::string brokers;
  for (const auto& broker : config.brokers) brokers += (brokers.empty() ? "" : ",") + broker;
  properties["bootstrap.servers"] = brokers;
  properties["security.protocol"] =
      std::string(config.sasl == Sasl::none ? "" : "sasl_") + (config.encrypted() ? "ssl" : "plaintext");
  if (config.encrypted()) {
    properties["enable.ssl.certificate.verification"] = "true";
    properties["ssl.endpoint.identification.algorithm"] = "https";
    if (!config.tls_ca_file.empty()) properties["ssl.ca.location"] = config.tls_ca_file;
    if (!config.tls_certificate_file.empty()) {
      properties["ssl.certificate.location"] = config.tls_certificate_file;
      properties["ssl.key.location"] = config.tls_key_file;
    }
  }
  if (config.sasl != Sasl::none) {
    constexpr const char* kMechanisms[] = {"", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};
    properties["sasl.mechanism"] = kMechanisms[static_cast<int>(config.sasl)];
    properties["sasl.username"] = config.user;
    properties["sasl.password"] = config.password.reveal();
  }
  properties["socket.timeout.ms"] = std::to_string(config.request_timeout.count());
  properties["reconnect.backoff.max.ms"] = "1000";
  return properties;
}

Result<Handle<rd_kafka_t>> make_client(rd_kafka_type_t type, const ConnectionConfig& config,
                                       const Properties& further, const Callbacks& callbacks) {
  auto properties = connection_properties(config);
  for (const auto& [name, value] : further) properties[name] = value;
  Handle<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  char why[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK) {
      // Not its text, which repeats the value.
      return Error{Error::Code::invalid_config, Recovery::halt, "Kafka's client refuses " + name};
    }
  }
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  rd_kafka_conf_set_opaque(conf.get(), callbacks.opaque);
  if (callbacks.delivered) {
    rd_kafka_conf_set_dr_msg_cb(conf.get(), callbacks.delivered);
  } else {
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_ERROR);  // for connection_trouble()
  }
  Handle<rd_kafka_t> client(rd_kafka_new(type, conf.get(), why, sizeof why));
  if (!client) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("Kafka's client cannot be made: {}", why)};
  }
  static_cast<void>(conf.release());  // the client's now
  return client;
}

Result<Handle<const rd_kafka_metadata_t>> metadata_of(rd_kafka_t* client, const ConnectionConfig& config) {
  const auto what = fmt::format("ask {} for the cluster", config.brokers.front());
  const auto deadline = std::chrono::steady_clock::now() + config.request_timeout;
  for (;;) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error = rd_kafka_metadata(client, 1, nullptr, &metadata, kLookMs);
    if (!error) return Handle<const rd_kafka_metadata_t>(metadata);
    // The request itself only knows that no broker was there in time.
    if (auto trouble = connection_trouble(what, client)) return *std::move(trouble);
    if (std::chrono::steady_clock::now() >= deadline) return failure(what, error);
  }
}

}  // namespace maia::kafka
