// SPDX-License-Identifier: Apache-2.0
#include "maia/server/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <latch>
#include <thread>

#include "maia/server/http_client.h"
#include "maia/testing/temporary_directory.h"

namespace maia::server {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

/// A plain TCP client that says exactly what it is told.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// Everything until the server closes, or until `enough` has come.
  std::string receive(std::string_view enough = {}) const {
    std::string out;
    char buffer[4096];
    for (;;) {
      pollfd poll{socket_, POLLIN, 0};
      if (::poll(&poll, 1, 20'000) <= 0) return out + "<no end>";
      const auto got = ::recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) return out;
      out.append(buffer, static_cast<std::size_t>(got));
      if (!enough.empty() && out.find(enough) != out.npos) return out;
    }
  }

 private:
  const int socket_;
};

Routes test_routes() {
  Routes routes;
  routes.add("GET", "/livez",
             [](const Request&) { return Response{.content_type = "text/plain", .body = "ok"}; });
  routes.add("POST", "/echo", [](const Request& request) { return Response{.body = request.body}; });
  routes.add("GET", "/query",
             [](const Request& request) { return Response{.body = request.query.at("sql")}; });
  routes.add("GET", "/throw", [](const Request&) -> Response { throw std::runtime_error("broken"); });
  return routes;
}

class HttpServerTest : public ::testing::Test {
 protected:
  void serve(const Limits& limits = {}) {
    server_ = HttpServer::start(limits).value();
    const auto port = server_->listen_tcp("127.0.0.1:0", test_routes());
    ASSERT_TRUE(port.ok()) << port.error().message;
    port_ = *port;
    const auto status = server_->listen_unix(socket_, test_routes());
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  std::string ask(std::string_view request) const {
    const RawClient client(port_);
    client.send(request);
    return client.receive();
  }
  Result<Response> ask_socket(const Request& request, milliseconds limit = milliseconds(20'000)) const {
    return request_over_socket(socket_, request, limit);
  }

  testing::TemporaryDirectory directory_ = testing::TemporaryDirectory::make().value();
  const std::string socket_ = (directory_ / "control.sock").string();
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
};

TEST_F(HttpServerTest, answers_over_tcp) {
  serve();
  const auto answer = ask("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nok"));
}

TEST_F(HttpServerTest, answers_over_the_unix_socket_which_only_its_owner_may_use) {
  serve();
  const auto answer = ask_socket({.path = "/livez"});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->status, 200u);
  EXPECT_EQ(answer->content_type, "text/plain");
  EXPECT_EQ(answer->body, "ok");
  struct stat found {};
  ASSERT_EQ(::stat(socket_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(HttpServerTest, large_bodies_go_both_ways) {
  serve();
  const std::string body((1u << 20) - 7, 'x');
  const auto answer = ask_socket({.method = "POST", .path = "/echo", .body = body});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->body, body);
}

TEST_F(HttpServerTest, one_connection_takes_several_requests) {
  serve();
  const RawClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.receive("\r\n\r\nok"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  client.send("GET /query?sql=select%201 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.receive().ends_with("\r\n\r\nselect 1"));
}

TEST_F(HttpServerTest, head_has_a_length_but_no_body) {
  serve();
  const auto answer = ask("HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServerTest, what_is_not_there_and_what_fails_is_said) {
  serve();
  EXPECT_THAT(ask("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(ask("POST /livez HTTP/1.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 405"));
  const auto failed = ask("GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(failed, StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(failed, HasSubstr("{\"error\":\"broken\"}"));
  EXPECT_THAT(ask("GET /% HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, bytes_that_are_no_http_are_refused) {
  serve();
  EXPECT_THAT(ask("\x16\x03\x01 hello\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /livez HTTP/9.9\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpServerTest, oversized_headers_and_bodies_are_refused) {
  serve();
  EXPECT_THAT(ask("GET /livez HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(ask("POST /echo HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + std::string(3'000'000, 'x')),
              StartsWith("HTTP/1.1 413"));
  const auto answer = ask_socket({.method = "POST", .path = "/echo", .body = std::string(3'000'000, 'x')});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->status, 413u);
}

TEST_F(HttpServerTest, a_client_that_does_not_finish_its_request_is_let_go) {
  serve({.read = milliseconds(200)});
  const RawClient silent(port_);
  const RawClient slow(port_);
  slow.send("GET /livez HT");
  EXPECT_THAT(silent.receive(), IsEmpty());
  EXPECT_THAT(slow.receive(), IsEmpty());
}

TEST_F(HttpServerTest, a_client_that_does_not_read_its_answer_is_let_go) {
  std::atomic<bool> asked = false;
  Routes routes;
  routes.add("GET", "/huge", [&](const Request&) {
    asked = true;
    return Response{.body = std::string(64u << 20, 'x')};
  });
  server_ = HttpServer::start({.write = milliseconds(200), .connections = 1}).value();
  port_ = server_->listen_tcp("127.0.0.1:0", std::move(routes)).value();
  const RawClient client(port_);
  client.send("GET /huge HTTP/1.1\r\n\r\n");
  while (!asked) std::this_thread::yield();
  // The only connection is free again once the server has given up on this one.
  std::string answer;
  while (answer.empty()) answer = ask("GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServerTest, a_slow_handler_does_not_hold_up_others) {
  std::latch release(1);
  Routes routes = test_routes();
  routes.add("GET", "/slow", [&](const Request&) {
    release.wait();
    return Response{.body = "late"};
  });
  server_ = HttpServer::start().value();
  port_ = server_->listen_tcp("127.0.0.1:0", std::move(routes)).value();
  const RawClient slow(port_);
  slow.send("GET /slow HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(ask("GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  release.count_down();
  EXPECT_TRUE(slow.receive().ends_with("late"));
}

TEST_F(HttpServerTest, many_clients_at_once_are_all_answered) {
  serve();
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < 16; ++i) {
      clients.emplace_back([&] {
        for (int n = 0; n < 10; ++n) {
          const auto answer = ask_socket({.method = "POST", .path = "/echo", .body = "x"});
          if (answer.ok() && answer->body == "x") ++answered;
        }
      });
    }
  }
  EXPECT_EQ(answered, 160);
}

TEST_F(HttpServerTest, connections_beyond_the_limit_are_closed_at_once) {
  serve({.connections = 1});
  const RawClient first(port_);
  first.send("GET /livez HTTP/1.1\r\n\r\n");
  EXPECT_THAT(first.receive("\r\n\r\nok"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask("GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n"), IsEmpty());
}

TEST_F(HttpServerTest, a_socket_left_by_a_dead_process_is_replaced_but_a_living_one_is_respected) {
  serve();
  const auto second = HttpServer::start().value();
  const auto refused = second->listen_unix(socket_, test_routes());
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("another maia answers"));
  server_.reset();
  EXPECT_NE(::access(socket_.c_str(), F_OK), 0) << "the socket should be gone with its server";
  std::ofstream(socket_) << "";
  const auto status = second->listen_unix(socket_, test_routes());
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_TRUE(ask_socket({.path = "/livez"}).ok());
}

TEST_F(HttpServerTest, addresses_that_cannot_be_listened_on_are_named) {
  serve();
  for (const std::string address : {"", "localhost", ":80", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:x"}) {
    const auto port = server_->listen_tcp(address, {});
    ASSERT_FALSE(port.ok()) << address;
    EXPECT_EQ(port.error().code, Error::Code::invalid_config) << address;
  }
  const auto taken = server_->listen_tcp("127.0.0.1:" + std::to_string(port_), {});
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.error().message, HasSubstr("cannot listen on 127.0.0.1:"));
  EXPECT_FALSE(server_->listen_unix("/tmp/" + std::string(200, 'x'), {}).ok());
}

TEST_F(HttpServerTest, the_client_says_when_nobody_listens_and_when_nobody_answers) {
  const auto nobody = ask_socket({.path = "/livez"});
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().code, Error::Code::unavailable);
  EXPECT_THAT(nobody.error().hint, HasSubstr("Is a pipeline running"));
  std::latch release(1);
  Routes routes;
  routes.add("GET", "/slow", [&](const Request&) {
    release.wait();
    return Response{};
  });
  server_ = HttpServer::start().value();
  ASSERT_TRUE(server_->listen_unix(socket_, std::move(routes)).ok());
  const auto late = ask_socket({.path = "/slow"}, milliseconds(50));
  release.count_down();
  server_.reset();  // waits for the handler, which refers to the latch
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, Error::Code::timeout);
}

}  // namespace
}  // namespace maia::server
