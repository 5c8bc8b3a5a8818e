// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that finds the row because of which a destination has refused a window.
#include <algorithm>

#include "maia/engine/delivery.h"

namespace maia::engine {
namespace {

/// Rows that are looked for between two commits, or in one batch of a copy; when more are refused, it is not
/// a matter of rows.
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

Result<bool> Delivery::set_refused_aside() {
  if (pipeline_.row_errors.write == RowErrorPolicy::stop) return false;
  if (copy_) {
    if (auto refused = copy_->take_refused()) return set_copied_rows_aside(std::move(*refused));
  }
  return write_refused_ && MAIA_TRY(set_refused_row_aside());
}

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
  MAIA_TRY(blamed(entry->first, bury(*found.batch, entry->second, found.window->transactions,
                                     {{found.row, why}}, Stage::write)));
  return true;
}

/// What the destination says to some of the rows by themselves; nothing if it would take them.
Result<std::optional<std::string>> Delivery::refusal_of(const SnapshotCopy::Refused& refused,
                                                        std::size_t from, std::size_t until) {
  auto& entry = tables_.at(refused.table_id);
  Batch some(refused.batch.schema());
  for (auto row = from; row < until; ++row) some.push_row(refused.batch, row);
  // Those that a transform refuses were put aside before.
  std::vector<RowFailure> failures;
  const std::span transactions(&refused.snapshot, 1);
  const auto routed = MAIA_TRY(entry.route.apply(some, transactions, failures));
  MAIA_TRY(destination_->begin());
  const maia::Delivery delivery{.target = &entry.route.target(),
                                .batch = routed.batch,
                                .fresh = refused.fresh,
                                .converging = !refused.fresh,
                                .transactions = transactions};
  const auto written = destination_->write({&delivery, 1});
  destination_->rollback();
  if (written.ok()) return std::optional<std::string>();
  if (written.error().code != Error::Code::data) return written.error();
  return std::optional(written.error().message);
}

Result<bool> Delivery::set_copied_rows_aside(SnapshotCopy::Refused refused) {
  interrupt();
  MAIA_TRY(load_tables());
  const auto entry = tables_.find(refused.table_id);
  if (entry == tables_.end()) return false;
  std::vector<RowFailure> failures;
  std::vector<std::pair<std::size_t, std::size_t>> left{{0, refused.batch.rows()}};
  while (!left.empty() && failures.size() <= kMostRows) {
    const auto [from, until] = left.back();
    left.pop_back();
    auto why = MAIA_TRY(refusal_of(refused, from, until));
    if (!why) continue;
    if (until - from <= 1) {
      // Where it refuses to write nothing, it is not a matter of rows.
      if (until == from) return false;
      failures.push_back({from, *std::move(why)});
      continue;
    }
    // The first half on top, so that rows are found in their order.
    const auto middle = from + (until - from) / 2;
    left.emplace_back(middle, until);
    left.emplace_back(from, middle);
  }
  if (failures.empty() || failures.size() > kMostRows) return false;
  const std::span transactions(&refused.snapshot, 1);
  MAIA_TRY(
      blamed(refused.table_id, bury(refused.batch, entry->second, transactions, failures, Stage::write)));
  return true;
}

}  // namespace maia::engine
