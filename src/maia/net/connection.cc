// SPDX-License-Identifier: Apache-2.0
#include "maia/net/connection.h"

#include <fmt/format.h>

namespace maia::net {
namespace {

config::Node secret_text(std::string text) { return {config::Node::Scalar{std::move(text), true, true}, {}}; }

Status check_tls(const ConnectionSettings& c) {
  const auto refuse = [](std::string why, std::string hint) {
    return Error{Error::Code::invalid_config, Recovery::halt, std::move(why), std::move(hint)};
  };
  if (c.tls_certificate_file.empty() != c.tls_key_file.empty())
    return refuse("tls_certificate_file and tls_key_file belong together", "give both, or neither");
  if (c.tls == Tls::off && !(c.tls_ca_file.empty() && c.tls_certificate_file.empty()))
    return refuse("TLS files are given but tls is off", "remove tls: off, or the files");
  return {};
}

}  // namespace

bool is_local(std::string_view host) {
  return host.empty() || host == "localhost" || host == "::1" || host.starts_with('/') ||
         host.starts_with('@') ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos);
}

bool ConnectionSettings::verifies() const {
  return tls == Tls::verify || (tls == Tls::automatic && !is_local(host));
}

const config::Spec<ConnectionSettings>& connection_spec() {
  using C = ConnectionSettings;
  static const auto spec =
      config::Spec<C>()
          .add("url", &C::url,
               "The whole connection in one text, in place of host, port, user, password and database.")
          .example("${env:DATABASE_URL}")
          .add("host", &C::host, "Name or address of the server, or the directory of its Unix socket.")
          .example("db.example.com")
          .add("port", &C::port, "TCP port; the system's usual one if not given.")
          .between(1, 65535)
          .add("user", &C::user, "Who logs in.")
          .add("password", &C::password, "Proof of who logs in.")
          .example("${env:DB_PASSWORD}")
          .add("database", &C::database, "Database to connect to.")
          .add("tls", &C::tls,
               "auto verifies certificate and host name unless the server is this machine; verify does so "
               "always; "
               "off sends everything in plain text.")
          .add("tls_ca_file", &C::tls_ca_file, "Certificates to trust, in place of the system's.")
          .advanced()
          .add("tls_certificate_file", &C::tls_certificate_file,
               "Our own certificate, if the server asks for one.")
          .advanced()
          .add("tls_key_file", &C::tls_key_file, "Private key of our own certificate.")
          .advanced()
          .rule(check_tls);
  return spec;
}

config::Node settings_of(const Uri& uri) {
  config::Node::Mapping settings;
  const auto add = [&](std::string name, config::Node value) {
    settings.push_back({std::move(name), {}, std::move(value)});
  };
  if (!uri.host.empty()) add("host", config::Node::text(uri.host));
  if (uri.port) add("port", {config::Node::Scalar{std::to_string(*uri.port)}, {}});
  if (!uri.user.empty()) add("user", config::Node::text(uri.user));
  if (uri.password) add("password", secret_text(uri.password->reveal()));
  if (!uri.database().empty()) add("database", config::Node::text(uri.database()));
  for (const auto& [name, value] : uri.query)
    add(name, name == "password" ? secret_text(value) : config::Node{config::Node::Scalar{value}, {}});
  return {std::move(settings), {}};
}

Result<config::Node> expand_url(const config::Node& mapping) {
  const auto* url = mapping.find("url");
  if (!url || !url->scalar()) return mapping;
  const auto uri = parse_uri(url->scalar()->text);
  if (!uri.ok()) return config::error_at(url->mark, uri.error().message, uri.error().hint);
  config::Node out{config::Node::Mapping{}, mapping.mark};
  auto& entries = std::get<config::Node::Mapping>(out.value);
  for (const auto& entry : *mapping.mapping()) {
    if (entry.key != "url") entries.push_back(entry);
  }
  auto parts = settings_of(*uri);
  for (auto& entry : std::get<config::Node::Mapping>(parts.value)) {
    if (const auto* given = out.find(entry.key))
      return config::error_at(given->mark, fmt::format("'{}' is given twice: here and in the url", entry.key),
                              "keep one of them");
    entry.mark = entry.value.mark = url->mark;
    entries.push_back(std::move(entry));
  }
  return out;
}

}  // namespace maia::net
