// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "maia/base/result.h"
#include "maia/transforms/mapping.h"
#include "maia/transforms/sandbox.h"

namespace maia::transforms {

/// A parsed `sql:` transform: one SELECT over the relation `input`, row by row, with WHERE at most. Not yet
/// bound to a table.
class SqlSelect {
 public:
  static Result<SqlSelect> parse(Sandbox& sandbox, std::string_view sql);

  /// Names of the input columns that it reads, but for those of `*`.
  const std::set<std::string>& reads() const { return reads_; }
  Result<Mapping> bind(const TableSchema& input) const;

 private:
  /// `*`, with what it leaves out.
  struct Star {
    std::set<std::string> excluded;
  };
  /// A column under its own or another name.
  struct Plain {
    std::string column;
  };
  struct Value {
    std::string sql;
    std::vector<std::string> names;  ///< columns or earlier aliases that it reads
  };
  struct Item {
    std::string alias;
    std::variant<Star, Plain, Value> what;
  };
  friend class SqlSelectReader;
  friend class SqlSelectBinder;

  std::string relation_ = "input";
  std::vector<Item> items_;
  std::optional<Value> filter_;
  std::set<std::string> reads_;
};

}  // namespace maia::transforms
