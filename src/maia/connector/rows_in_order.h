// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>

#include "maia/base/result.h"
#include "maia/connector/destination.h"

namespace maia {

/// Calls `each` for every row of the deliveries, in the order in which the source made them, until one fails.
/// For destinations that write changes one after the other.
Status rows_in_order(std::span<const Delivery> deliveries,
                     const std::function<Status(const Delivery&, std::size_t row)>& each);

}  // namespace maia
