// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/fault_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <set>

namespace maia::testing {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = Clock::now() + kPatience;
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Reads give up after a while, so that a broken proxy fails a test and does not hang it.
int tcp_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

/// Answers every connection with what it sends, and remembers it.
class EchoServer {
 public:
  EchoServer() : listener_(tcp_socket()) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  ~EchoServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int each : open_) shutdown(each, SHUT_RDWR);
    }
    sessions_.clear();
    close(listener_);
  }
  int port() const { return port_; }
  std::string heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  int ended() const { return ended_; }

 private:
  void accept_all() {
    for (int client = 0; (client = accept(listener_, nullptr, nullptr)) >= 0;) {
      const std::lock_guard lock(mutex_);
      open_.insert(client);
      sessions_.emplace_back([this, client] { echo(client); });
    }
  }
  void echo(int client) {
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(client, buffer, sizeof buffer, 0)) > 0;) {
      {
        const std::lock_guard lock(mutex_);
        heard_.append(buffer, static_cast<std::size_t>(n));
      }
      if (send(client, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL) < 0) break;
    }
    ++ended_;
    const std::lock_guard lock(mutex_);
    open_.erase(client);
    close(client);
  }

  int listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::string heard_;
  std::set<int> open_;
  std::atomic<int> ended_ = 0;
  std::list<std::jthread> sessions_;
  std::jthread acceptor_;
};

class Client {
 public:
  explicit Client(int port) : socket_(tcp_socket()) {
    const auto address = loopback(port);
    connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(socket_); }
  bool connected() const { return connected_; }
  void say(std::string_view text) const {
    EXPECT_EQ(send(socket_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// So many bytes, or fewer when the connection ends before.
  std::string hear(std::size_t bytes) {
    std::string text(bytes, 0);
    const auto count = recv(socket_, text.data(), bytes, MSG_WAITALL);
    failure_ = count < 0 ? errno : 0;
    text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return text;
  }
  /// Whether bytes are there at this moment.
  bool hears() const {
    char byte = 0;
    return recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }
  /// How the connection ended: 0 in order, or the error, once what was still to come has been read.
  int end() {
    while (!hear(1).empty()) continue;
    return failure_;
  }

 private:
  int socket_;
  bool connected_ = false;
  int failure_ = 0;
};

class Proxy : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = FaultProxy::start(server.port());
    ASSERT_TRUE(started.ok()) << started.error().message;
    proxy = std::move(*started);
  }
  EchoServer server;
  std::unique_ptr<FaultProxy> proxy;
};

TEST_F(Proxy, passes_everything_on_in_fair_weather) {
  Client client(proxy->port());
  std::string much;
  for (int i = 0; i < 100'000; ++i) much += std::to_string(i) + " ";
  std::jthread speaker([&] { client.say(much); });
  EXPECT_EQ(client.hear(much.size()), much);
  EXPECT_EQ(proxy->passed(Way::to_server), much.size());
  EXPECT_EQ(proxy->passed(Way::to_client), much.size());
  EXPECT_EQ(proxy->accepted(), 1);
  EXPECT_EQ(proxy->connected(), 1);
}

TEST_F(Proxy, an_end_passes_through) {
  { Client client(proxy->port()); }
  EXPECT_TRUE(eventually([&] { return server.ended() == 1 && proxy->connected() == 0; }));
}

TEST_F(Proxy, delays) {
  Client client(proxy->port());
  proxy->set(Weather{.delay = milliseconds(100)});
  const auto before = Clock::now();
  client.say("hello");
  EXPECT_EQ(client.hear(5), "hello");
  EXPECT_GE(Clock::now() - before, milliseconds(200)) << "there and back";
}

TEST_F(Proxy, throttles) {
  Client client(proxy->port());
  proxy->set(Weather{.bytes_per_second = 10'000});
  const auto before = Clock::now();
  client.say(std::string(3000, 'x'));
  EXPECT_EQ(client.hear(3000).size(), 3000u);
  EXPECT_GE(Clock::now() - before, milliseconds(250));
}

TEST_F(Proxy, holds_either_way_back_until_it_heals) {
  Client client(proxy->port());
  client.say("a");
  ASSERT_EQ(client.hear(1), "a");
  proxy->set(Weather{.stall_to_client = true});
  client.say("b");
  ASSERT_TRUE(eventually([&] { return server.heard() == "ab"; }));
  EXPECT_FALSE(client.hears());
  proxy->set(Weather{.stall_to_server = true});
  EXPECT_EQ(client.hear(1), "b");
  const auto passed = proxy->passed(Way::to_server);
  client.say("c");
  Client another(proxy->port());
  EXPECT_TRUE(another.connected());
  EXPECT_EQ(proxy->passed(Way::to_server), passed);
  EXPECT_EQ(server.heard(), "ab");
  proxy->heal();
  EXPECT_EQ(client.hear(1), "c");
}

TEST_F(Proxy, refuses_new_connections_for_a_time) {
  Client old(proxy->port());
  old.say("a");
  ASSERT_EQ(old.hear(1), "a");
  proxy->set(Weather{.refuse = true});
  Client refused(proxy->port());
  EXPECT_EQ(refused.end(), ECONNRESET);
  old.say("b");
  EXPECT_EQ(old.hear(1), "b");
  proxy->heal();
  Client fresh(proxy->port());
  fresh.say("c");
  EXPECT_EQ(fresh.hear(1), "c");
}

TEST_F(Proxy, resets_everyone_at_once) {
  Client one(proxy->port());
  Client two(proxy->port());
  for (auto* client : {&one, &two}) {
    client->say("x");
    ASSERT_EQ(client->hear(1), "x");
  }
  proxy->reset_all();
  EXPECT_EQ(one.end(), ECONNRESET);
  EXPECT_EQ(two.end(), ECONNRESET);
  EXPECT_EQ(proxy->connected(), 0);
}

TEST_F(Proxy, resets_after_so_many_bytes_of_either_way) {
  Client sends(proxy->port());
  proxy->set(Trap{.after = 5});
  sends.say("12345678");
  EXPECT_EQ(sends.end(), ECONNRESET);
  EXPECT_EQ(proxy->sprung(), 1);
  EXPECT_EQ(proxy->passed(Way::to_server), 5u);
  Client hears(proxy->port());
  proxy->set(Trap{.way = Way::to_client, .after = 3});
  hears.say("abcdefgh");
  EXPECT_EQ(hears.end(), ECONNRESET);
  EXPECT_EQ(proxy->sprung(), 2);
}

TEST_F(Proxy, a_trap_strikes_once_and_only_the_connection_that_it_is_for) {
  Client first(proxy->port());
  first.say("x");
  ASSERT_EQ(first.hear(1), "x");
  proxy->set(Trap{.after = 1, .connection = 2});
  Client second(proxy->port());
  first.say("yyyy");
  EXPECT_EQ(first.hear(4), "yyyy");
  second.say("z");
  EXPECT_EQ(second.end(), ECONNRESET);
  Client third(proxy->port());
  third.say("free");
  EXPECT_EQ(third.hear(4), "free");
  EXPECT_EQ(proxy->sprung(), 1);
}

TEST_F(Proxy, resets_before_a_pattern_passes_even_if_it_comes_in_pieces) {
  Client client(proxy->port());
  proxy->set(Trap{.deed = Trap::Deed::reset_before, .pattern = "commit"});
  client.say("com");
  ASSERT_EQ(client.hear(3), "com");
  client.say("mit!");
  EXPECT_EQ(client.end(), ECONNRESET);
  EXPECT_EQ(server.heard(), "com");
}

TEST_F(Proxy, a_pattern_counts_only_after_so_many_bytes) {
  Client client(proxy->port());
  proxy->set(Trap{.after = 8, .pattern = "end"});
  client.say("end");
  ASSERT_EQ(client.hear(3), "end");
  client.say("....end....");
  EXPECT_EQ(client.end(), ECONNRESET);
  EXPECT_EQ(proxy->passed(Way::to_server), 10u) << "up to the pattern's last byte";
}

TEST_F(Proxy, loses_the_answer_to_what_has_passed) {
  Client client(proxy->port());
  proxy->set(Trap{.deed = Trap::Deed::lose_answer, .pattern = "commit", .answer = "done"});
  client.say("before ");
  ASSERT_EQ(client.hear(7), "before ");
  client.say("commit");
  ASSERT_TRUE(eventually([&] { return server.heard() == "before commit"; }));
  EXPECT_EQ(proxy->sprung(), 0) << "its answer is still to come";
  EXPECT_FALSE(client.hears());
  client.say(" done");
  EXPECT_EQ(client.end(), ECONNRESET);
  EXPECT_EQ(server.heard(), "before commit done");
  EXPECT_EQ(proxy->sprung(), 1);
  EXPECT_EQ(proxy->passed(Way::to_client), 7u);
}

TEST_F(Proxy, closes_one_way_and_leaves_the_other_open) {
  Client client(proxy->port());
  client.say("a");
  ASSERT_EQ(client.hear(1), "a");
  proxy->set(Trap{.deed = Trap::Deed::half_close, .way = Way::to_client, .after = 2});
  client.say("bcd");
  EXPECT_EQ(client.hear(3), "bc");
  client.say("e");
  EXPECT_TRUE(eventually([&] { return server.heard() == "abcde"; }));
  EXPECT_EQ(client.end(), 0) << "an end in order, not a reset";
  EXPECT_EQ(proxy->connected(), 1);
}

TEST_F(Proxy, is_as_dead_as_the_server_behind_it) {
  auto nobody = std::make_unique<EchoServer>();
  auto lonely = FaultProxy::start(nobody->port()).value();
  nobody.reset();
  Client client(lonely->port());
  EXPECT_EQ(client.end(), ECONNRESET);
}

}  // namespace
}  // namespace maia::testing
