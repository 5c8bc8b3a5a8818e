// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "maia/base/result.h"

namespace maia::demo {

/// How many rows the tables have at first: so many orders of two items each, and fewer customers and
/// products.
struct ShopSize {
  std::uint64_t orders = 300'000;
  std::uint64_t customers() const { return orders / 3 + 1; }
  std::uint64_t products() const { return orders / 15 + 1; }
  std::uint64_t items() const { return 2 * orders; }
  std::uint64_t rows() const { return orders + customers() + products() + items(); }
};

/// Makes the tables of the shop and fills them with realistic types and a few large texts. Asks between two
/// tables whether it is to give up (Code::cancelled).
Status make_shop(const std::string& uri, const ShopSize& size, const std::function<bool()>& give_up);

/// The pipeline file that mirrors the shop into a DuckDB file, with the mapping script of the guide.
std::string pipeline_file(const std::string& uri, const std::string& duckdb_path);

}  // namespace maia::demo
