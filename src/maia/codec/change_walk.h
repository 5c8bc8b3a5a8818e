// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "maia/types/window.h"

namespace maia::codec {

/// The transaction that an ordinal belongs to; an empty one if there is none. Lives as long as
/// `transactions`.
const Transaction& transaction_at(std::span<const Transaction> transactions, std::uint64_t ordinal);

/// One change of a window: a row of a batch, or a barrier.
struct ChangePlace {
  std::size_t item = 0;  ///< of the window
  std::size_t row = 0;   ///< of the item, if that is a batch
  std::uint64_t ordinal = 0;
};
/// All changes of a window in the order in which they were made.
std::vector<ChangePlace> changes_in_order(const Window& window);

}  // namespace maia::codec
