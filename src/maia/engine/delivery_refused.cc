// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that finds the row because of which a destination has refused a window.
#include <algorithm>

#include "maia/engine/delivery.h"

namespace maia::engine {
namespace {

/// Rows that are looked for between two commits; when more are refused, it is not a matter of rows.
constexpr std::size_t kMostRows = 16;

struct RowPlace {
  const Window* window = nullptr;
  const Batch* batch = nullptr;
  std::size_t row = 0;
};

RowPlace row_of(const std::vector<WindowRef>& windows, std::uint64_t ordinal) {
  for (const auto& window : windows) {
    for (const auto& item : window->items) {
      const auto* batch = std::get_if<Batch>(&item);
      if (!batch) continue;
      const auto ordinals = batch->ordinals();
      const auto at = std::lower_bound(ordinals.begin(), ordinals.end(), ordinal);
      if (at != ordinals.end() && *at == ordinal)
        return {window.get(), batch, static_cast<std::size_t>(at - ordinals.begin())};
    }
  }
  return {};
}

std::uint64_t after_last_row(const std::vector<WindowRef>& windows) {
  std::uint64_t end = 0;
  for (const auto& window : windows) {
    for (const auto& item : window->items) {
      if (const auto* batch = std::get_if<Batch>(&item); batch && batch->rows() > 0)
        end = std::max(end, batch->ordinal(batch->rows() - 1) + 1);
    }
  }
  return end;
}

}  // namespace

/// Writes what comes before the ordinal, and takes it back. Whether the destination would take it; if not,
/// `why` says what it said.
Result<bool> Delivery::would_take(const std::vector<WindowRef>& windows, const Lane& lane,
                                  std::uint64_t before, std::string& why) {
  MAIA_TRY(load_tables());
  if (lane.catching_up) find_joining();
  write_refused_ = false;
  limit_ = before;
  const auto tried = [&]() -> Status {
    MAIA_TRY(destination_->begin());
    for (const auto& window : windows) {
      MAIA_TRY(take(window, lane));
      MAIA_TRY(flush());
    }
    return {};
  }();
  limit_.reset();
  interrupt();
  if (tried.ok()) return true;
  if (!write_refused_) return tried.error();
  why = tried.error().message;
  return false;
}

Result<bool> Delivery::set_refused_row_aside() {
  const Lane& lane = catching_up_in_hand_ ? catch_up_ : stream_;
  interrupt();
  MAIA_TRY(load_tables());
  if (rows_refused_ >= kMostRows) return false;
  auto from = checkpoint_.sequence;
  if (lane.catching_up) {
    for (const auto* entry : find_joining()) from = std::min(from, entry->fact.held->sequence);
  }
  std::vector<WindowRef> windows;
  const auto cursor = MAIA_TRY(parts_.journal.read(from));
  while (windows.empty() || windows.back()->continues) {
    auto window = MAIA_TRY(cursor->next(parts_.patience, {}));
    if (!window) return false;
    windows.push_back(std::move(*window));
  }
  if (windows.back()->sequence < last_taken_) {
    // Windows are delivered one by one up to the one that was refused, so that only it is looked at.
    if (alone_until_ >= last_taken_) return false;
    alone_until_ = last_taken_;
    return true;
  }
  // Nothing is taken and all is refused. Halving what lies between ends at a row that makes the difference.
  std::string why;
  std::uint64_t taken = 0;
  auto refused = after_last_row(windows);
  ++rows_refused_;
  if (refused == 0 || MAIA_TRY(would_take(windows, lane, refused, why))) {
    MAIA_TRY(load_tables());
    return true;
  }
  while (refused - taken > 1) {
    const auto middle = taken + (refused - taken) / 2;
    (MAIA_TRY(would_take(windows, lane, middle, why)) ? taken : refused) = middle;
  }
  MAIA_TRY(load_tables());
  const auto found = row_of(windows, taken);
  if (!found.batch) return false;
  const auto entry = tables_.find(found.batch->schema()->id);
  if (entry == tables_.end()) return false;
  MAIA_TRY(bury(*found.batch, entry->second, found.window->transactions, {{found.row, why}}, Stage::write));
  return true;
}

}  // namespace maia::engine
