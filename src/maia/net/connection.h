// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "maia/base/result.h"
#include "maia/base/secret.h"
#include "maia/config/spec.h"
#include "maia/net/uri.h"

namespace maia::net {

/// How a connection is protected.
enum class Tls : std::uint8_t {
  automatic,  ///< verified, host name too, unless the peer is on loopback or a Unix socket
  verify,     ///< verified always
  off,        ///< plain text; must be written out
};

/// Where a server is and who we are there: the settings that every connector to a server shares. A connector
/// includes them in its own Spec and hands each mapping through `expand_url` first.
struct ConnectionSettings {
  Secret url;
  std::string host = "localhost";     ///< name, address, or the directory of a Unix socket
  std::optional<std::uint16_t> port;  ///< absent: the system's usual one
  std::string user;
  Secret password;
  std::string database;
  Tls tls = Tls::automatic;
  std::string tls_ca_file;  ///< roots to trust; empty: the system's
  std::string tls_certificate_file;
  std::string tls_key_file;

  /// Whether the peer's certificate and name must be verified.
  bool verifies() const;
};

const config::Spec<ConnectionSettings>& connection_spec();

/// Whether a host is this machine: loopback by name or address, or a path of a Unix socket.
bool is_local(std::string_view host);

/// The mapping that a URI stands for: host, port, user, password and database, and each query parameter as
/// the setting of its name. The password is secret.
config::Node settings_of(const Uri& uri);

/// A mapping whose `url`, if it has one, is replaced by what it stands for. A setting that is given both ways
/// is an error with its place.
Result<config::Node> expand_url(const config::Node& mapping);

/// Reads the connection's settings anew, as after a password was changed.
using ConnectionAgain = std::function<Result<ConnectionSettings>()>;

/// One for a connector whose settings `spec` reads and have the connection as `connection`. `settings` gives
/// the mapping as it is now; empty where nothing can be read again. `spec` must outlive what is returned.
template <class Config>
ConnectionAgain connection_again(std::function<Result<config::Node>()> settings,
                                 const config::Spec<Config>& spec, std::string where) {
  if (!settings) return {};
  return [settings = std::move(settings), &spec, where = std::move(where)]() -> Result<ConnectionSettings> {
    const auto now = MAIA_TRY(settings());
    const auto expanded = MAIA_TRY(expand_url(now));
    auto config = MAIA_TRY(spec.read(expanded, where));
    return std::move(config.connection);
  };
}

}  // namespace maia::net

template <>
inline constexpr maia::config::Choice<maia::net::Tls> maia::config::choices_of<maia::net::Tls>[] = {
    {"auto", maia::net::Tls::automatic}, {"verify", maia::net::Tls::verify}, {"off", maia::net::Tls::off}};
