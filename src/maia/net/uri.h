// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/base/result.h"
#include "maia/base/secret.h"

namespace maia::net {

/// The parts of a URI (RFC 3986), percent-decoded. Without `//` everything after the scheme is the path:
/// "duckdb:shop.duckdb".
struct Uri {
  std::string scheme;  ///< lower-case
  std::string user;
  std::optional<Secret> password;
  std::string host;  ///< an IPv6 address without its brackets; a decoded "%2Ftmp" is a socket's directory
  std::optional<std::uint16_t> port;
  bool has_authority = false;                              ///< there was a `//`
  std::string path;                                        ///< after the authority with its leading slash
  std::vector<std::pair<std::string, std::string>> query;  ///< in order

  /// The path without its leading slash: the name of a database.
  std::string database() const { return path.starts_with('/') ? path.substr(1) : path; }
};

/// Code::invalid_config for what is no URI. No message holds the password.
Result<Uri> parse_uri(std::string_view text);

/// A URI fit to be shown: the password, and the value of each query parameter that sounds like a secret, are
/// "***". Takes any text.
std::string redacted(std::string_view text);

}  // namespace maia::net
