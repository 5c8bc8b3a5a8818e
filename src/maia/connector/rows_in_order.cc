// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/rows_in_order.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace maia {
namespace {

using Each = std::function<Status(const Delivery&, std::size_t row)>;

Status merged(std::span<const Delivery> deliveries, const Each& each) {
  std::vector<std::size_t> next(deliveries.size());
  const auto place = [&](std::size_t i) {
    return std::pair(deliveries[i].window, deliveries[i].batch->ordinal(next[i]));
  };
  for (;;) {
    std::optional<std::size_t> least;
    for (std::size_t i = 0; i < deliveries.size(); ++i) {
      if (next[i] < deliveries[i].batch->rows() && (!least || place(i) < place(*least))) least = i;
    }
    if (!least) return {};
    MAIA_TRY(each(deliveries[*least], next[*least]++));
  }
}

}  // namespace

Status rows_in_order(std::span<const Delivery> deliveries, const Each& each) {
  // Ordinals compare only within a window, and the deliveries of one window share their transactions.
  while (!deliveries.empty()) {
    const auto* window = deliveries.front().transactions.data();
    const auto end = std::find_if(deliveries.begin(), deliveries.end(),
                                  [&](const Delivery& other) { return other.transactions.data() != window; });
    const auto count = static_cast<std::size_t>(end - deliveries.begin());
    MAIA_TRY(merged(deliveries.first(count), each));
    deliveries = deliveries.subspan(count);
  }
  return {};
}

}  // namespace maia
