// SPDX-License-Identifier: Apache-2.0
#include "maia/app/text_table.h"

#include <algorithm>

namespace maia::app {
namespace {

/// Characters, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows, int indent) {
  std::vector<std::size_t> widths;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    widths.resize(std::max(widths.size(), rows[r].size()), 0);
    for (std::size_t c = 0; r > 0 && c < rows[r].size(); ++c)
      widths[c] = std::max(widths[c], width(rows[r][c]));
  }
  for (std::size_t c = 0; !rows.empty() && c < rows[0].size(); ++c) {
    if (widths[c] > 0) widths[c] = std::max(widths[c], width(rows[0][c]));
  }
  for (const auto& row : rows) {
    std::string line(static_cast<std::size_t>(indent), ' ');
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (widths[c] == 0) continue;
      line += row[c] + std::string(widths[c] - std::min(widths[c], width(row[c])) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

}  // namespace maia::app
