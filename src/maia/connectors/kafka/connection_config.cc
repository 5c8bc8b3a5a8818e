// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/connection_config.h"

#include <algorithm>

#include "maia/net/uri.h"

namespace maia::kafka {
namespace {

/// "host:port", "host" or "[address]:port" without what follows the host.
std::string_view host_of(std::string_view broker) {
  if (broker.starts_with('[')) return broker.substr(1, broker.find(']') - 1);
  return broker.substr(0, broker.rfind(':'));
}

Status fits_together(const ConnectionConfig& config) {
  const auto wrong = [](std::string message, std::string hint) {
    return Error{Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
  };
  if (config.brokers.empty()) {
    return wrong("`brokers` is missing", "Name one broker or more, such as brokers: [kafka-1:9092]");
  }
  if ((config.sasl == Sasl::none) != (config.user.empty() && config.password.empty())) {
    return wrong(
        "`sasl` and `user` with `password` belong together",
        "Write sasl: scram-sha-512 (or plain, scram-sha-256) with user and password, or none of them");
  }
  return {};
}

}  // namespace

bool ConnectionConfig::encrypted() const {
  if (tls != net::Tls::automatic) return tls == net::Tls::verify;
  return !std::all_of(brokers.begin(), brokers.end(),
                      [](const auto& broker) { return net::is_local(host_of(broker)); });
}

const config::Spec<ConnectionConfig>& connection_spec() {
  using C = ConnectionConfig;
  static const auto spec =
      config::Spec<C>()
          .add("url", &C::url,
               "Broker, user and password in one text, as kafka://user:password@host:9092?sasl=plain.")
          .example("${env:KAFKA_URL}")
          .add("brokers", &C::brokers, "Brokers to ask first, as host:port; the others are told by them.")
          .example("[kafka-1:9092, kafka-2:9092]")
          .add("tls", &C::tls,
               "auto verifies certificate and host name unless every broker is this machine; verify does so "
               "always; off sends everything in plain text.")
          .add("tls_ca_file", &C::tls_ca_file, "Certificates to trust, in place of the system's.")
          .advanced()
          .add("tls_certificate_file", &C::tls_certificate_file,
               "Our own certificate, if the brokers ask for one.")
          .advanced()
          .add("tls_key_file", &C::tls_key_file, "Private key of our own certificate.")
          .advanced()
          .add("sasl", &C::sasl, "How user and password are shown to the brokers.")
          .add("user", &C::user, "Who logs in.")
          .add("password", &C::password, "Proof of who logs in.")
          .example("${env:KAFKA_PASSWORD}")
          .add("request_timeout", &C::request_timeout,
               "How long an answer may take before the connection counts as broken.")
          .between(std::chrono::seconds(1), std::chrono::minutes(10))
          .advanced()
          .rule(fits_together);
  return spec;
}

Result<config::Node> settings_from_uri(std::string_view text) {
  const auto uri = MAIA_TRY(net::parse_uri(text));
  config::Node::Mapping settings;
  const auto put = [&](std::string name, std::string value, bool secret) {
    settings.push_back({std::move(name), {}, {config::Node::Scalar{std::move(value), true, secret}, {}}});
  };
  const auto host = uri.host.find(':') == uri.host.npos ? uri.host : "[" + uri.host + "]";
  put("brokers", host + ":" + std::to_string(uri.port.value_or(9092)), false);
  if (!uri.user.empty()) put("user", uri.user, false);
  if (uri.password) put("password", uri.password->reveal(), true);
  for (const auto& [name, value] : uri.query) put(name, value, name == "password");
  return config::Node{std::move(settings), {}};
}

Result<config::Node> expand_url(const config::Node& mapping) {
  const auto* url = mapping.find("url");
  if (!url || !url->scalar()) return mapping;
  const auto parts = settings_from_uri(url->scalar()->text);
  if (!parts.ok()) return config::error_at(url->mark, parts.error().message, parts.error().hint);
  config::Node::Mapping out;
  for (const auto& entry : *mapping.mapping()) {
    if (parts->find(entry.key)) {
      return config::error_at(entry.mark, "'" + entry.key + "' is given twice: here and in the url",
                              "keep one of them");
    }
    if (entry.key != "url") out.push_back(entry);
  }
  for (const auto& entry : *parts->mapping()) out.push_back({entry.key, url->mark, entry.value});
  return config::Node{std::move(out), mapping.mark};
}

}  // namespace maia::kafka
