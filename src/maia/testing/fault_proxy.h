// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "maia/base/result.h"

namespace maia::testing {

class FaultLink;

/// Which way bytes go, as the client sees it that connected.
enum class Way : std::uint8_t { to_server, to_client };

/// What the network does to every connection, those there are and those to come, until it is told otherwise.
struct Weather {
  std::chrono::milliseconds delay{0};  ///< every byte arrives so much later
  std::size_t bytes_per_second = 0;    ///< of each way of each connection; 0: as fast as it goes
  bool stall_to_server = false;        ///< nothing passes, nothing is lost, nobody is told
  bool stall_to_client = false;
  bool refuse = false;  ///< new connections are reset
};

/// Waits for its moment in the bytes of one connection, and strikes once. Bytes count from when it was set
/// or, in a later connection, from that one's first.
struct Trap {
  enum class Deed : std::uint8_t {
    reset,         ///< what sprang it has passed; both ends get a reset
    reset_before,  ///< what would have sprung it never passes; both ends get a reset
    lose_answer,   ///< what sprang it has passed; once `answer` came back, which never passes, as reset
    half_close,    ///< what sprang it has passed; that way is at its end, the other goes on
  };
  Deed deed = Deed::reset;
  Way way = Way::to_server;  ///< the bytes that it watches
  std::size_t after = 0;     ///< springs when so many bytes have passed, or at once
  std::string pattern;       ///< and not before these bytes went by, unless empty
  std::string answer;        ///< of lose_answer: what must come back; empty: any byte
  std::optional<int>
      connection;  /// only this one, counted from 1 as they are made; otherwise whichever comes
};

/// A TCP proxy on a free port of the loopback in front of a server there, which passes bytes on as a healthy
/// network does until it is told to misbehave. What a call asks for is in force when it returns. Thread-safe.
class FaultProxy {
 public:
  static Result<std::unique_ptr<FaultProxy>> start(int server_port);
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;
  /// Resets what is connected.
  ~FaultProxy();

  int port() const { return port_; }

  void set(const Weather& weather);
  /// Connections to come go to the server at this port, as when a name is given to another one.
  void lead_to(int server_port);
  /// One at a time; in place of the one before.
  void set(Trap trap);
  /// Resets every connection now.
  void reset_all();
  /// Fair weather, no trap. What was held back passes on.
  void heal();

  /// How many traps have struck, with a lost answer counted once it came.
  int sprung() const;
  /// Connections made so far, and those that are there.
  int accepted() const;
  int connected() const;
  /// Bytes that have passed.
  std::uint64_t passed(Way way) const;

 private:
  using Time = std::chrono::steady_clock::time_point;

  FaultProxy(int server_port, int listener, int port, int wake);
  void run(const std::stop_token& stop);
  /// Waits until there is something to do, at most until some bytes are due.
  void wait();
  void accept_all();
  void wake() const;

  const int listener_;
  const int port_;
  const int wake_;  ///< an eventfd: a look at what has changed is due

  mutable std::mutex mutex_;  // guards what follows
  int server_port_;
  Weather weather_;
  std::optional<Trap> trap_;
  int traps_set_ = 0;
  int sprung_ = 0;
  int accepted_ = 0;
  std::uint64_t passed_[2] = {0, 0};
  std::list<std::unique_ptr<FaultLink>> links_;

  std::jthread thread_;
};

}  // namespace maia::testing
