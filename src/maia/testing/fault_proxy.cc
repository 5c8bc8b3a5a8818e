// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/fault_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "maia/testing/fault_link.h"

namespace maia::testing {
namespace {

using std::chrono::milliseconds;

constexpr int kBacklog = 128;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

Error failed(const char* what) {
  return Error{.code = Error::Code::unavailable,
               .message = std::string("fault proxy: ") + what + ": " + std::strerror(errno)};
}

void close_with_reset(int socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(socket);
}

/// A connection to the server, which does not block once it is there (on the loopback that takes no time); -1
/// if the server is not there.
int connect_to(int port) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  if (server < 0 || connect(server, generic(address), sizeof address) != 0) {
    if (server >= 0) close(server);
    return -1;
  }
  const int on = 1;
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int flags = fcntl(server, F_GETFL);
  fcntl(server, F_SETFL, flags | O_NONBLOCK);
  return server;
}

}  // namespace

Result<std::unique_ptr<FaultProxy>> FaultProxy::start(int server_port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0) return failed("socket");
  auto address = loopback(0);
  socklen_t size = sizeof address;
  const bool listens = bind(listener, generic(address), sizeof address) == 0 &&
                       listen(listener, kBacklog) == 0 &&
                       getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  const int wake = listens ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
  if (wake < 0) {
    auto error = failed("listen");
    close(listener);
    return error;
  }
  return std::unique_ptr<FaultProxy>(new FaultProxy(server_port, listener, ntohs(address.sin_port), wake));
}

FaultProxy::FaultProxy(int server_port, int listener, int port, int wake)
    : listener_(listener),
      port_(port),
      wake_(wake),
      server_port_(server_port),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

FaultProxy::~FaultProxy() {
  thread_.request_stop();
  wake();
  thread_.join();
  links_.clear();
  close(listener_);
  close(wake_);
}

void FaultProxy::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);  // full means that it is awake anyway
}

void FaultProxy::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    wait();
    const std::lock_guard lock(mutex_);
    accept_all();
    const auto now = std::chrono::steady_clock::now();
    for (auto link = links_.begin(); link != links_.end();) {
      (*link)->watch(trap_, traps_set_);
      const bool goes_on = (*link)->work(weather_, now);
      for (const auto way : {Way::to_server, Way::to_client}) {
        passed_[static_cast<int>(way)] += (*link)->take_passed(way);
      }
      if ((*link)->take_struck()) trap_.reset();
      sprung_ += (*link)->take_sprung() ? 1 : 0;
      link = goes_on ? std::next(link) : links_.erase(link);
    }
  }
}

void FaultProxy::wait() {
  std::vector<pollfd> sockets{{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
  std::optional<Time> due;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    for (const auto& link : links_) {
      for (const auto way : {Way::to_server, Way::to_client}) {
        const auto [socket, events] = link->wanted(way, weather_, now);
        if (events != 0) sockets.push_back({socket, events, 0});
      }
      const auto its = link->due(weather_);
      if (its && *its > now) due = due ? std::min(*due, *its) : *its;
    }
  }
  int timeout = -1;
  if (due) {
    const auto left = std::chrono::ceil<milliseconds>(*due - std::chrono::steady_clock::now());
    timeout = static_cast<int>(std::max<std::int64_t>(0, left.count()));
  }
  poll(sockets.data(), sockets.size(), timeout);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = read(wake_, &count, sizeof count);  // so that it can be rung again
}

void FaultProxy::accept_all() {
  for (;;) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    const int server = weather_.refuse ? -1 : connect_to(server_port_);
    if (server < 0) {
      close_with_reset(client);
      continue;
    }
    const int on = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    links_.push_back(std::make_unique<FaultLink>(++accepted_, client, server));
  }
}

void FaultProxy::set(const Weather& weather) {
  const std::lock_guard lock(mutex_);
  weather_ = weather;
  wake();
}

void FaultProxy::lead_to(int server_port) {
  const std::lock_guard lock(mutex_);
  server_port_ = server_port;
}

void FaultProxy::set(Trap trap) {
  const std::lock_guard lock(mutex_);
  trap_ = std::move(trap);
  ++traps_set_;
  // A trap counts bytes that pass from now on, so each connection must know it before any more do.
  for (const auto& link : links_) link->watch(trap_, traps_set_);
  wake();
}

void FaultProxy::reset_all() {
  const std::lock_guard lock(mutex_);
  links_.clear();
  wake();
}

void FaultProxy::heal() {
  const std::lock_guard lock(mutex_);
  weather_ = {};
  trap_.reset();
  for (const auto& link : links_) link->forgive();
  wake();
}

int FaultProxy::sprung() const {
  const std::lock_guard lock(mutex_);
  return sprung_;
}

int FaultProxy::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

int FaultProxy::connected() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(links_.size());
}

std::uint64_t FaultProxy::passed(Way way) const {
  const std::lock_guard lock(mutex_);
  return passed_[static_cast<int>(way)];
}

}  // namespace maia::testing
