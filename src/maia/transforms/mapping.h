// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "maia/types/schema.h"

namespace maia::transforms {

/// A place in the text of a script or statement; both count from 1.
struct TextPlace {
  int line = 1;
  int column = 1;
};
/// "line 2, column 7"
std::string to_string(const TextPlace& place);

/// A value that DuckDB computes for each row.
struct Expression {
  std::string name;  ///< by which later expressions read it; unique in its mapping
  std::string sql;
  std::vector<std::size_t> inputs;  ///< input columns it reads, through other expressions too; ascending
  std::vector<std::size_t> uses;    ///< earlier expressions that its SQL names; ascending
  TextPlace place;
};

/// What a script or a SELECT means for one table: where each output column comes from. Plain copies never
/// pass through DuckDB, so they keep their type, and what was not sent stays so.
struct Mapping {
  struct Copy {
    std::size_t column = 0;  ///< of the input
  };
  struct Computed {
    std::size_t expression = 0;
  };
  struct Output {
    std::string name;
    std::variant<Copy, Computed> from;
  };

  std::string relation = "input";         ///< what the SQL calls the input
  std::vector<std::string> column_names;  ///< what the SQL calls each input column
  std::vector<Expression> expressions;    ///< each reads only earlier ones
  std::vector<Output> outputs;
  std::optional<std::size_t> filter;  ///< expression; only rows where it is true pass
};

/// Input columns that an output reads; ascending.
std::vector<std::size_t> inputs_of(const Mapping& mapping, const Mapping::Output& output);
/// `wanted` and everything they use; ascending.
std::vector<std::size_t> closure(const Mapping& mapping, const std::vector<std::size_t>& wanted);
/// Marks the key of the output: the copies of the key columns if all are copied; otherwise the columns that
/// depend on key columns alone, if together they read the whole key; otherwise nothing.
std::vector<bool> output_key(const Mapping& mapping, const TableSchema& input);

/// The statement that computes `wanted` for each row of `source` (SQL for the input relation), in its order;
/// `casts` has an SQL type, "to_json" or "" for each. Expressions that read others stand in outer levels, so
/// that each is computed once.
std::string select(const Mapping& mapping, const std::vector<std::size_t>& wanted,
                   const std::vector<std::string>& casts, const std::string& source);

/// "name" for DuckDB, whatever its characters.
std::string quoted(std::string_view name);
/// 'text' for DuckDB.
std::string literal(std::string_view text);

}  // namespace maia::transforms
