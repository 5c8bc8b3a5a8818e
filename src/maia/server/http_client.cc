// SPDX-License-Identifier: Apache-2.0
#include "maia/server/http_client.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>
#include <optional>

namespace maia::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostBytes = 512u << 20;

/// One connection, from connect to the end of the answer.
class Exchange {
 public:
  Exchange(const std::string& path, std::chrono::milliseconds limit)
      : path_(path), deadline_(Clock::now() + limit) {}
  ~Exchange() {
    if (socket_ >= 0) ::close(socket_);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Status connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path_.size() >= sizeof address.sun_path)
      return failure("has too long a path", Error::Code::unavailable);
    std::memcpy(address.sun_path, path_.c_str(), path_.size());
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) return failure(std::strerror(errno), Error::Code::unavailable);
    while (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      // A Unix socket whose queue is full says EAGAIN; there is nothing to poll for.
      if (errno != EAGAIN && errno != EINTR) return failure(std::strerror(errno), Error::Code::unavailable);
      if (Clock::now() >= deadline_) return failure("does not answer", Error::Code::timeout);
      ::poll(nullptr, 0, 10);
    }
    return {};
  }

  Status send(std::string_view bytes) {
    while (!bytes.empty()) {
      MAIA_TRY(await(POLLOUT));
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      // A server that refuses a request may answer and close before it has read all of it.
      if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return {};
      if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        return failure(std::strerror(errno), Error::Code::unavailable);
      }
    }
    return {};
  }

  Result<std::string> receive_all() {
    std::string bytes;
    char buffer[16 << 10];
    while (bytes.size() < kMostBytes) {
      MAIA_TRY(await(POLLIN));
      const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got == 0) return bytes;
      if (got > 0) bytes.append(buffer, static_cast<std::size_t>(got));
      if (got < 0 && errno == ECONNRESET && !bytes.empty()) return bytes;
      if (got < 0 && errno != EAGAIN && errno != EINTR) {
        return failure(std::strerror(errno), Error::Code::unavailable);
      }
    }
    return failure("sent an answer that is too large", Error::Code::unsupported);
  }

  Error failure(std::string_view what, Error::Code code) const {
    return Error{code, Recovery::retry, fmt::format("{} {}", path_, what),
                 code == Error::Code::unavailable ? "Is a pipeline running with this state directory?" : ""};
  }

 private:
  Status await(short events) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    if (left.count() <= 0) return failure("does not answer in time", Error::Code::timeout);
    pollfd poll{socket_, events, 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000)));
    if (ready == 0) return failure("does not answer in time", Error::Code::timeout);
    return {};
  }

  const std::string& path_;
  const Clock::time_point deadline_;
  int socket_ = -1;
};

/// What our own server sends: a status line, headers with the content type, and a body that ends with the
/// connection and is as long as Content-Length says.
std::optional<Response> parse_response(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == bytes.npos || !bytes.starts_with("HTTP/1.1 ") || bytes.size() < 12) return std::nullopt;
  Response response;
  std::from_chars(bytes.data() + 9, bytes.data() + 12, response.status);
  response.body = bytes.substr(end + 4);
  auto headers = bytes.substr(0, end + 2);
  std::size_t length = 0;
  while (!headers.empty()) {
    const auto line = headers.substr(0, headers.find("\r\n"));
    headers.remove_prefix(line.size() + 2);
    constexpr std::string_view kType = "Content-Type: ";
    constexpr std::string_view kLength = "Content-Length: ";
    if (line.starts_with(kType)) response.content_type = line.substr(kType.size());
    if (line.starts_with(kLength)) {
      std::from_chars(line.data() + kLength.size(), line.data() + line.size(), length);
    }
  }
  if (response.body.size() != length) return std::nullopt;
  return response;
}

}  // namespace

Result<Response> request_over_socket(const std::string& socket_path, const Request& request,
                                     std::chrono::milliseconds limit) {
  Exchange exchange(socket_path, limit);
  MAIA_TRY(exchange.connect());
  const auto head =
      fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                  request.method, request.path, request.body.size());
  MAIA_TRY(exchange.send(head));
  MAIA_TRY(exchange.send(request.body));
  const auto bytes = MAIA_TRY(exchange.receive_all());
  auto response = parse_response(bytes);
  if (!response) return exchange.failure("broke off its answer", Error::Code::unavailable);
  return *std::move(response);
}

}  // namespace maia::server
