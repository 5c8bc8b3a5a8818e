// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "maia/testing/fault_proxy.h"

namespace maia::testing {

/// One connection through a FaultProxy, which calls it under its lock.
class FaultLink {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Takes over both sockets, which do not block.
  FaultLink(int number, int client, int server);
  FaultLink(const FaultLink&) = delete;
  FaultLink& operator=(const FaultLink&) = delete;
  /// Closes both, in order if both ways have come to their end, with a reset otherwise.
  ~FaultLink();

  /// The trap that is set, if there is one; `id` tells whether it is the one that was known. One that has
  /// struck here and waits for its answer goes on waiting.
  void watch(const std::optional<Trap>& trap, int id);
  /// No trap any more, not even one that has struck.
  void forgive() { stage_ = Stage::off; }

  /// Reads, holds back and passes on what may go now. False once the connection is over.
  bool work(const Weather& weather, Time now);
  /// Whether the trap has struck since this was asked last, and whether it has done all of its deed.
  bool take_struck();
  bool take_sprung();
  /// Bytes passed since this was asked last.
  std::size_t take_passed(Way way);

  /// What poll(2) shall wait for at either end; 0: for nothing, not even a hang-up.
  struct Wanted {
    int socket;
    short events;
  };
  Wanted wanted(Way from, const Weather& weather, Time now) const;
  /// When bytes that are held back are due.
  std::optional<Time> due(const Weather& weather) const;

 private:
  struct Piece {
    Time due;
    std::string bytes;
  };
  /// One way: from the socket that is read to the one that is written.
  struct Lane {
    int from = -1;
    int to = -1;
    std::deque<Piece> held;
    std::size_t held_bytes = 0;
    Time free;           ///< when the throttle lets the next bytes go
    bool ended = false;  ///< no more bytes come
    bool closed = false;
    bool discards = false;  ///< whatever still comes is thrown away
    std::size_t passed = 0;
  };
  enum class Stage : std::uint8_t { off, armed, awaits_answer };

  /// Both: false when the connection is over.
  bool read(Way way, const Weather& weather, Time now);
  bool pass(Way way, const Weather& weather, Time now);
  /// Sends what may go of these bytes: how many went, or nothing if the connection broke.
  std::optional<std::size_t> send(Lane& lane, std::string_view bytes);
  /// Where in the bytes the armed trap springs: behind the last byte that makes it.
  std::optional<std::size_t> spring_in(std::string_view bytes) const;
  /// Strikes, with these bytes at hand of which the first `at` make the spring. False: the connection is
  /// over.
  bool strike(Lane& lane, std::string_view bytes, std::size_t at);
  void remember(std::string_view bytes);
  bool may_read(Way way, const Weather& weather) const;
  bool may_pass(Way way, const Weather& weather) const;
  static void drop_front(Lane& lane, std::size_t bytes);

  Lane& lane(Way way) { return lanes_[static_cast<int>(way)]; }
  const Lane& lane(Way way) const { return lanes_[static_cast<int>(way)]; }

  const int number_;
  const int client_;
  const int server_;
  Lane lanes_[2];

  Stage stage_ = Stage::off;
  Trap trap_;
  int trap_id_ = 0;
  std::size_t seen_ = 0;   ///< bytes that the trap has watched
  std::string recent_;     ///< the last of them, as many as may be the beginning of its pattern
  std::string came_back_;  ///< of the answer
  bool struck_ = false;
  bool sprung_ = false;
};

}  // namespace maia::testing
