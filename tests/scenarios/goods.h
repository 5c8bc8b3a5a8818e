// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/testing/postgres_session.h"

namespace maia::tests {

/// Where SQL is spoken.
enum class Dialect { postgres, mysql, duckdb };

/// The table shop.goods, as every system of the matrix can have it: numbers, a decimal, texts beyond ASCII,
/// times, JSON, bytes, and NULL in each of them. Its rows by id; their values are texts that are equal where
/// the values are, whatever the system.
using Goods = std::map<std::int64_t, testing::Row>;

std::string create_goods(Dialect dialect);
/// Rows with the ids from `first` on, whose values depend on the id alone.
std::string insert_goods(Dialect dialect, std::int64_t first, int count);
/// One transaction of every kind of change; another one for each `round`.
std::string change_goods(Dialect dialect, int round);
/// Adds a column with a default that the rows there get too.
extern const char* const kChangeShape;

using Query = std::function<Result<testing::Rows>(const std::string&)>;
/// What a system's own client shows. The session must be in UTC.
Result<Goods> read_goods(Dialect dialect, const Query& query);
/// What any reader of a log of Debezium envelopes holds after the last one. A row of before the change of
/// shape has the new column's default.
Result<Goods> fold_goods(const std::vector<std::string>& envelopes);

/// What is not the same, a few rows of it; empty if all is.
std::string differences(const Goods& source, const Goods& copy);

}  // namespace maia::tests
