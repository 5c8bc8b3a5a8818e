// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "maia/engine/status.h"

namespace maia::app {

/// Renders what a pipeline does as a table for a terminal: per table its state, snapshot progress with rows
/// per second and time left, changes and changes per second, and the lag. Remembers the last picture to tell
/// rates. Used from one thread.
class LiveTable {
 public:
  /// One picture, lines ended by '\n', none wider than `width` columns; colours only if `colour`.
  std::string render(const engine::PipelineStatus& status, std::chrono::milliseconds since_start, int width,
                     bool colour);

 private:
  struct Seen {
    std::uint64_t changes = 0;
    std::chrono::milliseconds at{0};
    double per_second = 0;
  };
  double changes_per_second(const std::string& key, std::uint64_t changes, std::chrono::milliseconds now);

  std::map<std::string, Seen> seen_;
};

/// Draws pictures over each other on a terminal that is standard output; `finish` leaves the last one
/// standing.
class LiveScreen {
 public:
  void draw(const std::string& picture);
  void finish();
  static int width();

 private:
  int lines_ = 0;
};

}  // namespace maia::app
