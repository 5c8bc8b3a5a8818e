// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/server/http.h"

namespace maia::server {

/// What a client may take of us.
struct Limits {
  std::uint32_t header_bytes = 16u << 10;
  std::uint64_t body_bytes = 1u << 20;
  std::chrono::milliseconds read{10'000};   ///< for a whole request, and between two on one connection
  std::chrono::milliseconds write{30'000};  ///< for a whole response
  std::size_t connections = 256;            ///< further ones are closed at once
};

/// Answers HTTP/1.1 on TCP and on Unix sockets, without TLS. One thread moves bytes, a few others run
/// handlers; the destructor closes everything and waits for handlers that run. `listen_*` may be called from
/// any thread, each with routes of its own, so that what is for the owner of the machine is never on a
/// network.
class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> start(const Limits& limits);
  static Result<std::unique_ptr<HttpServer>> start() { return start(Limits{}); }
  virtual ~HttpServer() = default;

  /// `address` is HOST:PORT or [IPV6]:PORT; port 0 takes any free one. Returns the port.
  virtual Result<std::uint16_t> listen_tcp(std::string_view address, Routes routes) = 0;
  /// The socket is for its owner only (mode 0600). A socket that a dead process left is replaced;
  /// Code::unavailable if a living one answers on it. Removed by the destructor.
  virtual Status listen_unix(const std::string& path, Routes routes) = 0;
};

}  // namespace maia::server
