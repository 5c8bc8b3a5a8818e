// SPDX-License-Identifier: Apache-2.0
#include "maia/app/query_output.h"

#include "maia/app/text_table.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

void show_table(const Destination::QueryResult& result, std::ostream& out) {
  std::vector<std::vector<std::string>> rows{result.columns};
  for (const auto& row : result.rows) {
    auto& cells = rows.emplace_back();
    for (const auto& cell : row) cells.push_back(cell.value_or("NULL"));
  }
  print_table(out, rows);
}

/// One object a row; names that come twice come twice.
void show_json(const Destination::QueryResult& result, std::ostream& out) {
  out << "[";
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    out << (i == 0 ? "\n" : ",\n") << "  {";
    for (std::size_t column = 0; column < result.columns.size(); ++column) {
      const auto& cell = result.rows[i][column];
      out << (column == 0 ? "" : ", ") << config::json_quoted(result.columns[column]) << ": "
          << (cell ? config::json_quoted(*cell) : "null");
    }
    out << "}";
  }
  out << (result.rows.empty() ? "]\n" : "\n]\n");
}

/// RFC 4180; NULL is an empty field, an empty text a quoted one.
std::string csv(const std::optional<std::string>& cell) {
  if (!cell) return "";
  if (!cell->empty() && cell->find_first_of(",\"\r\n") == cell->npos) return *cell;
  std::string out = "\"";
  for (const char c : *cell) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

void show_csv(const Destination::QueryResult& result, std::ostream& out) {
  const auto line = [&](const auto& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) out << (i == 0 ? "" : ",") << csv(cells[i]);
    out << "\r\n";
  };
  line(result.columns);
  for (const auto& row : result.rows) line(row);
}

}  // namespace

void show(const Destination::QueryResult& result, QueryArguments::Format format, std::uint64_t most_rows,
          Outside& outside) {
  switch (format) {
    case QueryArguments::Format::table: show_table(result, outside.out); break;
    case QueryArguments::Format::json: show_json(result, outside.out); break;
    case QueryArguments::Format::csv: show_csv(result, outside.out); break;
  }
  if (result.truncated)
    outside.err << "only the first " << most_rows << " rows are shown; ask for more with --rows\n";
}

}  // namespace maia::app
