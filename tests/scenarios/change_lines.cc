// SPDX-License-Identifier: Apache-2.0
#include "change_lines.h"

#include <simdjson.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace maia::tests {
namespace {

using simdjson::dom::element;

/// Debezium's word for a large value that the source did not send.
constexpr std::string_view kUnavailable = "__debezium_unavailable_value";

std::string text_of(element object, std::string_view pointer) {
  return std::string(object.at_pointer(pointer).get_string().value());
}

std::string joined(const ChangeLines::Columns& columns) {
  std::string text;
  for (const auto& [name, value] : columns) text += (text.empty() ? "" : "|") + value;
  return text;
}

bool is_key(std::string_view table, std::string_view column) {
  if (table == "ledger") return column == "txn" || column == "seq";
  return column == (table == "coin" ? "id" : "key");
}

/// The columns of a row image that belong to the key, or all others.
ChangeLines::Columns columns_of(element image, std::string_view table, bool key) {
  ChangeLines::Columns columns;
  for (const auto [name, value] : image.get_object()) {
    if (is_key(table, name) != key) continue;
    columns.emplace_back(name,
                         value.is_string() ? std::string(std::string_view(value)) : simdjson::minify(value));
  }
  return columns;
}

/// A place in the source's order: where its transaction was committed, and its number there.
using Place = std::pair<std::uint64_t, std::uint64_t>;

/// A position of PostgreSQL is system/timeline/place, perhaps with more behind it; the place in its log is in
/// hex.
Place place_of(element change) {
  const auto position = text_of(change, "/source/position");
  const auto timeline = position.find('/') + 1;
  const auto number = std::string_view(position).substr(position.find('/', timeline) + 1);
  std::uint64_t place = 0;
  std::from_chars(number.data(), number.data() + number.size(), place, 16);
  return {place, change.at_pointer("/transaction/total_order").get_uint64().value()};
}

class Folding {
 public:
  void take(element change) {
    ++result.lines;
    const auto op = text_of(change, "/op");
    const auto table = text_of(change, "/source/table");
    const auto before = key_of(change["before"], table);
    const auto after = key_of(change["after"], table);
    if (op == "r") {
      ++result.snapshot_lines;
    } else {
      check(change, table, before, after);
    }
    auto& rows = result.tables[table];
    ChangeLines::Columns old;
    for (const auto& key : {after, before}) {
      const auto found = key ? rows.find(*key) : rows.end();
      if (found != rows.end()) old = found->second;
    }
    if (before) rows.erase(*before);
    if (!after) return;
    auto columns = columns_of(change["after"], table, false);
    for (std::size_t i = 0; i < columns.size() && i < old.size(); ++i) {
      if (columns[i].second == kUnavailable) columns[i] = old[i];
    }
    rows[*after] = std::move(columns);
  }
  ChangeLines result;

 private:
  static std::optional<std::string> key_of(element image, std::string_view table) {
    if (image.is_null()) return std::nullopt;
    return joined(columns_of(image, table, true));
  }
  void check(element change, const std::string& table, const std::optional<std::string>& before,
             const std::optional<std::string>& after) {
    const auto operation = text_of(change, "/maia/operation");
    if (!result.operations.insert(operation).second) result.faults.push_back(operation + " came twice");
    const auto place = place_of(change);
    for (const auto& key : {before, after}) {
      if (!key) continue;
      auto& last = last_[{table, *key}];
      if (place < last) result.faults.push_back(operation + " came late for " + table + " " + *key);
      last = place;
    }
  }

  std::map<std::pair<std::string, std::string>, Place> last_;  ///< by table and key
};

}  // namespace

std::map<std::string, std::string> ChangeLines::rows(const std::string& table) const {
  std::map<std::string, std::string> result;
  const auto found = tables.find(table);
  if (found == tables.end()) return result;
  for (const auto& [key, columns] : found->second) result[key] = joined(columns);
  return result;
}

ChangeLines read_change_lines(std::istream& lines) {
  Folding folding;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(R"({"before")")) continue;
    element change;
    if (parser.parse(line).get(change) == simdjson::SUCCESS) {
      folding.take(change);
    } else {
      folding.result.faults.push_back("no JSON: " + line);
    }
  }
  return std::move(folding.result);
}

}  // namespace maia::tests
