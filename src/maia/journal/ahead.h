// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "maia/journal/journal.h"
#include "maia/journal/record.h"

namespace maia::journal {

/// The transaction that will have the next sequence if nothing comes in between: none other was running when
/// its first rows came. Cursors may hand its rows out before its commit. Guarded by the mutex of the
/// journal's state.
struct Ahead {
  struct Piece {
    Place place;            ///< of the record
    WindowRef window;       ///< null: to be read from the record
    std::size_t taken = 0;  ///< by so many cursors
  };

  const std::string transaction;
  std::vector<Piece> pieces = {};
  std::uint64_t bytes = 0;  ///< of the pieces that are in memory
  bool taken_back = false;  ///< rolled back, even in part, or overtaken
  WindowRef end = nullptr;  ///< once it has committed: the window without rows that says so

  /// A piece that would take what is in memory beyond the limit is to be read from its record.
  void add(Place place, Window window, std::uint64_t limit_bytes) {
    const auto size = window.byte_size();
    const bool fits = bytes + size <= limit_bytes;
    if (fits) bytes += size;
    pieces.push_back({place, fits ? std::make_shared<const Window>(std::move(window)) : nullptr, 0});
  }
  /// For one of `readers` cursors; what all of them have had is dropped.
  Piece take(std::size_t number, std::size_t readers) {
    auto& piece = pieces[number];
    auto taken = piece;
    if (piece.window && ++piece.taken >= readers) {
      bytes -= piece.window->byte_size();
      piece.window.reset();
    }
    return taken;
  }
};

}  // namespace maia::journal
