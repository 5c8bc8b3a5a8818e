// SPDX-License-Identifier: Apache-2.0
// The only file that includes Boost.Beast, because that takes long to compile.
#include "maia/server/http_server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <optional>
#include <thread>
#include <vector>

namespace maia::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using LocalSocket = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kHandlerThreads = 4;
constexpr std::chrono::seconds kLinger{2};

http::response<http::string_body> wire_response(Response&& from, unsigned version, bool keep_alive,
                                                bool head) {
  http::response<http::string_body> response;
  response.version(version);
  response.result(from.status);
  response.set(http::field::content_type, from.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.keep_alive(keep_alive);
  const auto length = from.body.size();
  if (!head) response.body() = std::move(from.body);
  response.content_length(length);
  return response;
}

/// The answer to bytes that are no request we take, or nothing where the client is gone or too slow.
std::optional<Response> refusal(const error_code& error) {
  if (error == http::error::body_limit) return error_response(413, "the request is too large");
  if (error == http::error::header_limit) return error_response(431, "the request's header is too large");
  if (error.category() != http::make_error_code(http::error::end_of_stream).category()) return std::nullopt;
  if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
  return error_response(400, "this is not an HTTP/1.1 request");
}

/// Runs the handler, on the executor that it is spawned on; whatever it throws stays here.
asio::awaitable<Response> answer(const Routes& routes, const Request& request) {
  try {
    co_return routes.answer(request);
  } catch (const std::exception& failure) {
    co_return error_response(500, failure.what());
  } catch (...) {
    co_return error_response(500, "the handler failed");
  }
}

struct HostAndPort {
  std::string host;
  std::string port;
};

Result<HostAndPort> split_address(std::string_view address) {
  const auto colon = address.rfind(':');
  auto host = address.substr(0, colon);
  const auto port = colon == address.npos ? std::string_view{} : address.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (host.empty() || error != std::errc{} || end != port.data() + port.size()) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("'{}' is not an address to listen on", address),
                 "Write HOST:PORT, such as 127.0.0.1:7400"};
  }
  return HostAndPort{std::string(host), std::string(port)};
}

Error listen_error(std::string_view where, const error_code& error) {
  return Error{Error::Code::unavailable, Recovery::halt,
               fmt::format("cannot listen on {}: {}", where, error.message()), "Choose another address"};
}

class BeastServer final : public HttpServer {
 public:
  explicit BeastServer(const Limits& limits) : limits_(limits) {
    thread_ = std::thread([this] { io_.run(); });
  }
  ~BeastServer() override {
    io_.stop();
    thread_.join();
    handlers_.join();
    for (const auto& path : socket_paths_) ::unlink(path.c_str());
  }

  Result<std::uint16_t> listen_tcp(std::string_view address, Routes routes) override;
  Status listen_unix(const std::string& path, Routes routes) override;

 private:
  template <class Acceptor>
  void accept_on(Acceptor acceptor, Routes routes) {
    asio::co_spawn(io_, accept_all(std::move(acceptor), std::make_shared<const Routes>(std::move(routes))),
                   asio::detached);
  }
  template <class Acceptor>
  asio::awaitable<void> accept_all(Acceptor acceptor, std::shared_ptr<const Routes> routes);
  template <class Protocol>
  asio::awaitable<void> serve(beast::basic_stream<Protocol> stream, std::shared_ptr<const Routes> routes);
  template <class Stream>
  asio::awaitable<bool> exchange(Stream& stream, beast::flat_buffer& buffer, const Routes& routes);
  template <class Stream>
  asio::awaitable<bool> respond(Stream& stream, http::response<http::string_body> response);
  template <class Stream>
  asio::awaitable<void> drain(Stream& stream);

  const Limits limits_;
  std::atomic<std::size_t> connections_{0};
  std::vector<std::string> socket_paths_;  // written by listen_unix, read by the destructor
  asio::thread_pool handlers_{kHandlerThreads};
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
};

Result<std::uint16_t> BeastServer::listen_tcp(std::string_view address, Routes routes) {
  const auto parts = MAIA_TRY(split_address(address));
  error_code error;
  const auto found = Tcp::resolver(io_).resolve(parts.host, parts.port, Tcp::resolver::passive, error);
  if (error || found.empty()) return listen_error(address, error);
  const auto endpoint = found.begin()->endpoint();
  Tcp::acceptor acceptor(io_);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(Tcp::acceptor::max_listen_connections, error);
  if (error) return listen_error(address, error);
  const auto port = acceptor.local_endpoint(error).port();
  accept_on(std::move(acceptor), std::move(routes));
  return port;
}

Status BeastServer::listen_unix(const std::string& path, Routes routes) {
  constexpr std::size_t kLongestPath = 107;
  if (path.size() > kLongestPath) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("{} is too long for the path of a socket ({} characters)", path, kLongestPath),
                 "Choose a state directory with a shorter path"};
  }
  error_code error;
  const LocalSocket::endpoint endpoint(path);
  LocalSocket::socket probe(io_);
  probe.connect(endpoint, error);
  if (!error) {
    return Error{Error::Code::unavailable, Recovery::halt, "another maia answers on " + path,
                 "Stop it first, or use another state directory"};
  }
  ::unlink(path.c_str());
  LocalSocket::acceptor acceptor(io_);
  acceptor.open(endpoint.protocol(), error);
  // Nobody can connect before listen, so the mode is right from the first connection on.
  if (!error) acceptor.bind(endpoint, error);
  if (!error && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0)
    error = {errno, boost::system::system_category()};
  if (!error) acceptor.listen(LocalSocket::acceptor::max_listen_connections, error);
  if (error) return listen_error(path, error);
  socket_paths_.push_back(path);
  accept_on(std::move(acceptor), std::move(routes));
  return {};
}

template <class Acceptor>
asio::awaitable<void> BeastServer::accept_all(Acceptor acceptor, std::shared_ptr<const Routes> routes) {
  using Protocol = typename Acceptor::protocol_type;
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(kAwait);
    if (error) {
      // Out of descriptors, say: wait for others to close.
      asio::steady_timer pause(io_, std::chrono::milliseconds(100));
      co_await pause.async_wait(kAwait);
      continue;
    }
    if (connections_.load() >= limits_.connections) continue;
    beast::basic_stream<Protocol> stream(std::move(socket));
    asio::co_spawn(io_, serve<Protocol>(std::move(stream), routes), asio::detached);
  }
}

template <class Protocol>
asio::awaitable<void> BeastServer::serve(beast::basic_stream<Protocol> stream,
                                         std::shared_ptr<const Routes> routes) {
  ++connections_;
  beast::flat_buffer buffer;
  for (bool more = true; more;) more = co_await exchange(stream, buffer, *routes);
  stream.close();
  --connections_;
}

/// One request and its response. False when the connection is at its end.
template <class Stream>
asio::awaitable<bool> BeastServer::exchange(Stream& stream, beast::flat_buffer& buffer,
                                            const Routes& routes) {
  http::request_parser<http::string_body> parser;
  parser.header_limit(limits_.header_bytes);
  parser.body_limit(limits_.body_bytes);
  stream.expires_after(limits_.read);
  const auto [error, size] = co_await http::async_read(stream, buffer, parser, kAwait);
  if (error) {
    if (auto refused = refusal(error)) {
      co_await respond(stream, wire_response(*std::move(refused), 11, false, false));
      co_await drain(stream);
    }
    co_return false;
  }
  auto message = parser.release();
  Request request{.method = std::string(message.method_string()), .body = std::move(message.body())};
  Response response;
  if (parse_target({message.target().data(), message.target().size()}, request)) {
    stream.expires_never();
    auto [thrown, answered] =
        co_await asio::co_spawn(handlers_.get_executor(), answer(routes, request), kAwait);
    response = thrown ? error_response(500, "the handler failed") : std::move(answered);
  } else {
    response = error_response(400, "the request names no path");
  }
  const bool keep = message.keep_alive();
  const bool head = message.method() == http::verb::head;
  const bool sent =
      co_await respond(stream, wire_response(std::move(response), message.version(), keep, head));
  co_return sent&& keep;
}

template <class Stream>
asio::awaitable<bool> BeastServer::respond(Stream& stream, http::response<http::string_body> response) {
  stream.expires_after(limits_.write);
  http::response_serializer<http::string_body> serializer(response);
  error_code error;
  // A HEAD response has a length but no body.
  if (response.body().empty()) {
    const auto [failed, size] = co_await http::async_write_header(stream, serializer, kAwait);
    error = failed;
  } else {
    const auto [failed, size] = co_await http::async_write(stream, serializer, kAwait);
    error = failed;
  }
  co_return !error;
}

/// Lets a client that is still sending read our refusal before the connection is reset.
template <class Stream>
asio::awaitable<void> BeastServer::drain(Stream& stream) {
  error_code ignored;
  stream.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  stream.expires_after(kLinger);
  char scratch[4096];
  for (;;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(scratch), kAwait);
    if (error) co_return;
  }
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Limits& limits) {
  try {
    return std::unique_ptr<HttpServer>(std::make_unique<BeastServer>(limits));
  } catch (const std::exception& failure) {
    return Error{Error::Code::unavailable, Recovery::halt,
                 fmt::format("cannot start the HTTP server: {}", failure.what()), ""};
  }
}

}  // namespace maia::server
