// SPDX-License-Identifier: Apache-2.0
#include "maia/codec/change_walk.h"

#include <algorithm>

namespace maia::codec {

const Transaction& transaction_at(std::span<const Transaction> transactions, std::uint64_t ordinal) {
  static const Transaction kUnknown;
  if (transactions.empty()) return kUnknown;
  const auto after =
      std::upper_bound(transactions.begin(), transactions.end(), ordinal,
                       [](std::uint64_t at, const Transaction& t) { return at < t.first_ordinal; });
  return after == transactions.begin() ? *after : *(after - 1);
}

std::vector<ChangePlace> changes_in_order(const Window& window) {
  std::vector<ChangePlace> places;
  places.reserve(window.rows());
  for (std::size_t item = 0; item < window.items.size(); ++item) {
    if (const auto* batch = std::get_if<Batch>(&window.items[item])) {
      for (std::size_t row = 0; row < batch->rows(); ++row)
        places.push_back({item, row, batch->ordinal(row)});
    } else if (const auto* truncate = std::get_if<Truncate>(&window.items[item])) {
      places.push_back({item, 0, truncate->ordinal});
    } else {
      places.push_back({item, 0, std::get<SchemaChange>(window.items[item]).ordinal});
    }
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
  return places;
}

}  // namespace maia::codec
