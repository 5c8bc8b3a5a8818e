// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/fault_link.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace maia::testing {
namespace {

/// So much of one way may be held back; then its sender has to wait.
constexpr std::size_t kHeldBytes = 4 << 20;
constexpr std::size_t kReadBytes = 64 << 10;
/// A throttled way sends so many portions a second.
constexpr std::size_t kPortions = 50;

Way other(Way way) { return way == Way::to_server ? Way::to_client : Way::to_server; }

bool stalled(Way way, const Weather& weather) {
  return way == Way::to_server ? weather.stall_to_server : weather.stall_to_client;
}

}  // namespace

FaultLink::FaultLink(int number, int client, int server) : number_(number), client_(client), server_(server) {
  lane(Way::to_server).from = lane(Way::to_client).to = client;
  lane(Way::to_client).from = lane(Way::to_server).to = server;
}

FaultLink::~FaultLink() {
  const bool in_order = lanes_[0].closed && lanes_[1].closed;
  for (const int socket : {client_, server_}) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    if (!in_order) setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(socket);
  }
}

void FaultLink::watch(const std::optional<Trap>& trap, int id) {
  if (!trap || (trap->connection && *trap->connection != number_)) {
    if (stage_ == Stage::armed) stage_ = Stage::off;
    return;
  }
  if (id == trap_id_) return;
  trap_ = *trap;
  trap_id_ = id;
  stage_ = Stage::armed;
  seen_ = 0;
  recent_.clear();
  came_back_.clear();
}

bool FaultLink::may_read(Way way, const Weather& weather) const {
  return !lane(way).ended && !stalled(way, weather) && lane(way).held_bytes < kHeldBytes;
}

bool FaultLink::may_pass(Way way, const Weather& weather) const {
  const bool is_answer = stage_ == Stage::awaits_answer && way != trap_.way;
  return !lane(way).held.empty() && !stalled(way, weather) && !is_answer;
}

FaultLink::Wanted FaultLink::wanted(Way from, const Weather& weather, Time now) const {
  // What comes the other way is written to the socket that this way reads.
  const auto& back = lane(other(from));
  const bool sends = may_pass(other(from), weather) && back.held.front().due <= now && back.free <= now;
  const int events = (may_read(from, weather) ? POLLIN : 0) | (sends ? POLLOUT : 0);
  return {lane(from).from, static_cast<short>(events)};
}

std::optional<FaultLink::Time> FaultLink::due(const Weather& weather) const {
  std::optional<Time> first;
  for (const auto way : {Way::to_server, Way::to_client}) {
    if (!may_pass(way, weather)) continue;
    const auto at = std::max(lane(way).held.front().due, lane(way).free);
    first = first ? std::min(*first, at) : at;
  }
  return first;
}

bool FaultLink::work(const Weather& weather, Time now) {
  for (const auto way : {Way::to_server, Way::to_client}) {
    if (!read(way, weather, now) || !pass(way, weather, now)) return false;
  }
  return !(lanes_[0].closed && lanes_[1].closed);
}

bool FaultLink::read(Way way, const Weather& weather, Time now) {
  auto& lane = this->lane(way);
  std::array<char, kReadBytes> buffer;
  while (may_read(way, weather)) {
    const auto count = recv(lane.from, buffer.data(), buffer.size(), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
    if (stage_ == Stage::awaits_answer && way != trap_.way) {
      came_back_.append(bytes);
      if (count > 0 && came_back_.find(trap_.answer) == came_back_.npos) continue;
      sprung_ = true;
      return false;
    }
    if (count == 0) {
      lane.ended = true;
    } else if (!lane.discards) {
      lane.held.push_back({now + weather.delay, std::string(bytes)});
      lane.held_bytes += bytes.size();
    }
  }
  return true;
}

bool FaultLink::pass(Way way, const Weather& weather, Time now) {
  auto& lane = this->lane(way);
  while (may_pass(way, weather) && lane.held.front().due <= now && lane.free <= now) {
    std::string_view bytes = lane.held.front().bytes;
    if (weather.bytes_per_second > 0) {
      bytes = bytes.substr(0, std::max<std::size_t>(1, weather.bytes_per_second / kPortions));
    }
    const bool watched = stage_ == Stage::armed && way == trap_.way;
    const auto at = watched ? spring_in(bytes) : std::nullopt;
    if (at) return strike(lane, bytes, *at);
    const auto sent = send(lane, bytes);
    if (!sent) return false;
    if (*sent == 0) return true;
    if (watched) remember(bytes.substr(0, *sent));
    if (weather.bytes_per_second > 0) {
      lane.free = now + std::chrono::microseconds(*sent * 1'000'000 / weather.bytes_per_second);
    }
    drop_front(lane, *sent);
  }
  if (lane.ended && lane.held.empty() && !lane.closed && !stalled(way, weather)) {
    lane.closed = true;
    shutdown(lane.to, SHUT_WR);
  }
  return true;
}

void FaultLink::drop_front(Lane& lane, std::size_t bytes) {
  auto& front = lane.held.front().bytes;
  front.erase(0, bytes);
  if (front.empty()) lane.held.pop_front();
  lane.held_bytes -= bytes;
}

std::optional<std::size_t> FaultLink::send(Lane& lane, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto count = ::send(lane.to, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) return std::nullopt;
    if (count < 0) break;
    done += static_cast<std::size_t>(count);
  }
  lane.passed += done;
  return done;
}

std::optional<std::size_t> FaultLink::spring_in(std::string_view bytes) const {
  if (seen_ + bytes.size() < trap_.after) return std::nullopt;
  const auto earliest = trap_.after > seen_ ? trap_.after - seen_ : 0;
  if (trap_.pattern.empty()) return earliest;
  const auto text = recent_ + std::string(bytes);
  for (auto at = text.find(trap_.pattern); at != text.npos; at = text.find(trap_.pattern, at + 1)) {
    const auto end = at + trap_.pattern.size() - recent_.size();
    if (end >= earliest) return end;
  }
  return std::nullopt;
}

void FaultLink::remember(std::string_view bytes) {
  seen_ += bytes.size();
  if (trap_.pattern.empty()) return;
  recent_.append(bytes);
  const auto kept = trap_.pattern.size() - 1;
  if (recent_.size() > kept) recent_.erase(0, recent_.size() - kept);
}

bool FaultLink::strike(Lane& lane, std::string_view bytes, std::size_t at) {
  stage_ = Stage::off;
  struck_ = true;
  sprung_ = trap_.deed != Trap::Deed::lose_answer;
  switch (trap_.deed) {
    case Trap::Deed::reset_before: return false;
    case Trap::Deed::reset: send(lane, bytes.substr(0, at)); return false;
    case Trap::Deed::half_close:
      send(lane, bytes.substr(0, at));
      shutdown(lane.to, SHUT_WR);
      lane.closed = lane.discards = true;
      lane.held.clear();
      lane.held_bytes = 0;
      return true;
    case Trap::Deed::lose_answer: break;
  }
  const auto sent = send(lane, bytes);
  if (!sent) return false;
  drop_front(lane, *sent);
  stage_ = Stage::awaits_answer;
  return true;
}

bool FaultLink::take_struck() { return std::exchange(struck_, false); }

bool FaultLink::take_sprung() { return std::exchange(sprung_, false); }

std::size_t FaultLink::take_passed(Way way) { return std::exchange(lane(way).passed, 0); }

}  // namespace maia::testing
