// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/compare.h"

#include <xxhash.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "maia/testing/comparable_text.h"

namespace maia::testing {
namespace {

using Floats = std::vector<ComparableText::Float>;

/// One query per side, with columns in the same order.
struct Queries {
  std::vector<std::string> columns;
  std::string left;
  std::string right;
  Floats floats;
};

/// A number's exact value in a form that does not depend on how a system prints it.
std::string float_text(const std::string& text, ComparableText::Float kind) {
  char exact[64];
  const double number = kind == ComparableText::Float::single_precision
                            ? static_cast<double>(std::strtof(text.c_str(), nullptr))
                            : std::strtod(text.c_str(), nullptr);
  std::snprintf(exact, sizeof exact, "%a", number);
  return number != number ? "nan" : exact;
}

/// The row as a line of COPY text: tabs between values, \N for NULL.
std::string line_of(const Row& row, const Floats& floats) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) line += '\t';
    if (!row[i]) {
      line += "\\N";
      continue;
    }
    const auto value = floats[i] == ComparableText::Float::no ? *row[i] : float_text(*row[i], floats[i]);
    for (const char c : value) {
      switch (c) {
        case '\\': line += "\\\\"; break;
        case '\t': line += "\\t"; break;
        case '\n': line += "\\n"; break;
        default: line += c;
      }
    }
  }
  return line;
}

const ComparedColumn* find(const std::vector<ComparedColumn>& columns, const std::string& name) {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::string table_name(const ComparedSystem& system, const ComparedTable& table) {
  return quoted_name(system.kind(), table.schema) + "." + quoted_name(system.kind(), table.name);
}

Result<Queries> queries_of(ComparedSystem& left, ComparedSystem& right, const CompareOptions& options) {
  const auto left_columns = MAIA_TRY(left.columns(options.left.schema, options.left.name));
  const auto right_columns = MAIA_TRY(right.columns(options.right.schema, options.right.name));
  const auto is_left_out = [&](const std::string& name) {
    return std::find(options.except.begin(), options.except.end(), name) != options.except.end();
  };
  Queries queries;
  for (const auto& column : left_columns) {
    if (is_left_out(column.name)) continue;
    const auto* peer = find(right_columns, column.name);
    if (peer == nullptr) {
      return Error{.code = Error::Code::data,
                   .message = options.right.name + " has no column " + column.name + " on the right"};
    }
    const auto text = comparable_text(left.kind(), column, right.kind(), *peer);
    const auto* separator = queries.columns.empty() ? "select " : ", ";
    const auto alias = " as c" + std::to_string(queries.columns.size());
    queries.left += separator + text.left + alias;
    queries.right += separator + text.right + alias;
    queries.floats.push_back(text.as_float);
    queries.columns.push_back(column.name);
  }
  for (const auto& column : right_columns) {
    if (options.allow_more_columns_on_right || is_left_out(column.name)) continue;
    if (find(left_columns, column.name) == nullptr) {
      return Error{.code = Error::Code::data,
                   .message = options.left.name + " has no column " + column.name + " on the left"};
    }
  }
  queries.left += " from " + table_name(left, options.left);
  queries.right += " from " + table_name(right, options.right);
  return queries;
}

Result<TableDigest> digest(ComparedSystem& system, const std::string& sql, const Floats& floats) {
  TableDigest result;
  MAIA_TRY(system.each_row(sql, [&](Row&& row) {
    const auto line = line_of(row, floats);
    ++result.rows;
    result.checksum += XXH3_64bits(line.data(), line.size());
  }));
  return result;
}

Result<std::vector<std::string>> sorted_lines(ComparedSystem& system, const std::string& sql,
                                              const Floats& floats) {
  std::vector<std::string> lines;
  MAIA_TRY(system.each_row(sql, [&](Row&& row) { lines.push_back(line_of(row, floats)); }));
  std::sort(lines.begin(), lines.end());
  return lines;
}

void keep_difference(const std::vector<std::string>& ours, const std::vector<std::string>& theirs,
                     std::size_t shown, std::vector<std::string>& rows, std::uint64_t& count) {
  std::set_difference(ours.begin(), ours.end(), theirs.begin(), theirs.end(), std::back_inserter(rows));
  count = rows.size();
  if (rows.size() > shown) rows.resize(shown);
}

}  // namespace

Result<Comparison> compare(ComparedSystem& left, ComparedSystem& right, const CompareOptions& options) {
  const auto queries = MAIA_TRY(queries_of(left, right, options));
  Comparison result{.columns = queries.columns};
  result.left = MAIA_TRY(digest(left, queries.left, queries.floats));
  result.right = MAIA_TRY(digest(right, queries.right, queries.floats));
  if (result.equal()) return result;
  const auto left_lines = MAIA_TRY(sorted_lines(left, queries.left, queries.floats));
  const auto right_lines = MAIA_TRY(sorted_lines(right, queries.right, queries.floats));
  keep_difference(left_lines, right_lines, options.shown, result.only_left, result.only_left_rows);
  keep_difference(right_lines, left_lines, options.shown, result.only_right, result.only_right_rows);
  return result;
}

std::string Comparison::report() const {
  if (equal()) return "equal: " + std::to_string(left.rows) + " rows";
  std::string text = "differs: " + std::to_string(left.rows) + " rows on the left, " +
                     std::to_string(right.rows) + " on the right; " + std::to_string(only_left_rows) +
                     " only left (-), " + std::to_string(only_right_rows) + " only right (+)\n ";
  for (const auto& column : columns) text += " " + column;
  for (const auto& row : only_left) text += "\n- " + row;
  for (const auto& row : only_right) text += "\n+ " + row;
  return text;
}

}  // namespace maia::testing
