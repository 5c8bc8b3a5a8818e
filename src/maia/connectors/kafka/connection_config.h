// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "maia/base/secret.h"
#include "maia/config/spec.h"
#include "maia/net/connection.h"

namespace maia::kafka {

/// How we say who we are.
enum class Sasl : std::uint8_t { none, plain, scram_sha_256, scram_sha_512 };

/// Where the cluster is and who we are there.
struct ConnectionConfig {
  Secret url;
  std::vector<std::string> brokers;
  net::Tls tls = net::Tls::automatic;
  std::string tls_ca_file;
  std::string tls_certificate_file;
  std::string tls_key_file;
  Sasl sasl = Sasl::none;
  std::string user;
  Secret password;
  /// How long an answer may take before the connection counts as broken.
  std::chrono::milliseconds request_timeout{30'000};

  /// Whether connections are encrypted; where they are, the certificate and the name are verified.
  bool encrypted() const;
};

const config::Spec<ConnectionConfig>& connection_spec();

/// A mapping whose `url`, if it has one, is replaced by what it stands for.
Result<config::Node> expand_url(const config::Node& mapping);
/// The mapping that kafka://user:password@host:port stands for.
Result<config::Node> settings_from_uri(std::string_view uri);

}  // namespace maia::kafka

template <>
inline constexpr maia::config::Choice<maia::kafka::Sasl> maia::config::choices_of<maia::kafka::Sasl>[] = {
    {"none", maia::kafka::Sasl::none},
    {"plain", maia::kafka::Sasl::plain},
    {"scram-sha-256", maia::kafka::Sasl::scram_sha_256},
    {"scram-sha-512", maia::kafka::Sasl::scram_sha_512}};
