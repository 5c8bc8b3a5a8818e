// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "maia/engine/status.h"

namespace maia::app {

/// Numbers that grow, as a rate over the last few seconds.
class RecentRate {
 public:
  void add(std::chrono::milliseconds now, std::uint64_t count);
  /// 0 until there is something to compare with.
  double per_second() const;

 private:
  struct Sample {
    std::chrono::milliseconds at;
    std::uint64_t count;
  };
  std::deque<Sample> samples_;
};

/// Renders what a pipeline does as a table for a terminal: per table its state, snapshot progress with rows
/// per second and time left, changes and changes per second, and the lag. Remembers the last pictures to tell
/// rates. Used from one thread.
class LiveTable {
 public:
  struct Room {
    int columns = 100;
    int lines = 40;
  };
  /// One picture, lines ended by '\n'. Where there is not room for all tables, those that want attention are
  /// shown and the others counted. No line is wider than the room if that has 72 columns. Colours only if
  /// `colour`.
  std::string render(const engine::PipelineStatus& status, std::chrono::milliseconds since_start, Room room,
                     bool colour);

 private:
  struct Rates {
    RecentRate copied;
    RecentRate changes;
  };
  std::string row(const engine::DestinationStatus& destination, const engine::TableStatus& table, int columns,
                  bool colour) const;
  std::string rows(const engine::DestinationStatus& destination, Room room, bool colour) const;

  std::map<std::pair<std::string, std::string>, Rates> rates_;  ///< by destination and table id
};

/// Draws pictures over each other on a terminal that is standard output; `finish` leaves the last one
/// standing.
class LiveScreen {
 public:
  void draw(const std::string& picture);
  void finish();
  static LiveTable::Room room();

 private:
  int lines_ = 0;
};

}  // namespace maia::app
