// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/key_range.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "maia/connectors/mysql/catalog.h"
#include "maia/sql/quote.h"

namespace maia::mysql {
namespace {

Error damaged() {
  return Error{Error::Code::corruption, Recovery::halt, "the saved progress of a snapshot is not readable",
               "copy the table again (`maia resync`)"};
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::optional<std::string> unhex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() % 2 != 0) return {};
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = kDigits.find(text[i]), low = kDigits.find(text[i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) return {};
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

/// "3130,61" of ("10", "a").
std::string key_text(const KeyValues& key) {
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) out += (i > 0 ? "," : "") + hex(key[i]);
  return out;
}

std::optional<KeyValues> parse_key(std::string_view text) {
  KeyValues key;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    auto value = unhex(text.substr(at, end - at));
    if (!value) return {};
    key.push_back(*std::move(value));
    at = end + 1;
  }
  return key;
}

bool is_number(const NativeType& type) {
  constexpr std::string_view kNumbers[] = {"tinyint", "smallint", "mediumint", "int",
                                           "bigint",  "decimal",  "year"};
  return std::ranges::find(kNumbers, type.name) != std::end(kNumbers);
}

/// Types whose comparison with a literal is the one that they are sorted by.
bool is_sorted_as_compared(const NativeType& type) {
  constexpr std::string_view kOthers[] = {"char", "varchar", "binary",   "varbinary",
                                          "date", "time",    "datetime", "timestamp"};
  return is_number(type) || std::ranges::find(kOthers, type.name) != std::end(kOthers);
}

Result<std::string> literal(const NativeType& type, const std::string& value) {
  if (is_number(type)) {
    if (value.empty() || value.find_first_not_of("0123456789.-") != value.npos) return damaged();
    return value;
  }
  const bool bytes = type.name == "binary" || type.name == "varbinary";
  return fmt::format("{}X'{}'", bytes ? "" : "_utf8mb4 ", hex(value));
}

/// Rows behind a key in the order of the key: (a > 1) OR (a = 1 AND b > 2). With `equal`, the key's own too.
Result<std::string> beyond(const TableSchema& table, const KeyValues& values, std::string_view op,
                           bool equal) {
  const auto key = table.key();
  if (values.size() != key.size()) return damaged();
  std::string out, same;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto& column = table.columns[key[i]];
    const auto name = MAIA_TRY(sql::mysql_identifier(column.name));
    const auto native = MAIA_TRY(native_of(column));
    const auto value = MAIA_TRY(literal(native, values[i]));
    const bool last = i + 1 == key.size();
    out +=
        fmt::format("{}({}{} {}{} {})", i > 0 ? " OR " : "", same, name, op, equal && last ? "=" : "", value);
    same += fmt::format("{} = {} AND ", name, value);
  }
  return "(" + out + ")";
}

}  // namespace

std::string KeyRange::token() const {
  return (above ? key_text(*above) : "") + "-" + (up_to ? key_text(*up_to) : "");
}

Result<KeyRange> KeyRange::parse(std::string_view token) {
  const auto dash = token.find('-');
  if (dash == token.npos) return damaged();
  KeyRange range;
  const auto take = [](std::string_view text, std::optional<KeyValues>& to) {
    if (text.empty()) return true;
    to = parse_key(text);
    return to.has_value();
  };
  if (!take(token.substr(0, dash), range.above) || !take(token.substr(dash + 1), range.up_to))
    return damaged();
  return range;
}

KeyRange KeyPlan::range(std::size_t chunk) const {
  KeyRange range;
  if (chunk > 0) range.above = boundaries[chunk - 1];
  if (chunk < boundaries.size()) range.up_to = boundaries[chunk];
  return range;
}

std::string KeyPlan::token() const {
  auto out = fmt::format("1 {} {}", hex(key), first);
  for (const auto& boundary : boundaries) out += " " + key_text(boundary);
  return out;
}

Result<KeyPlan> KeyPlan::parse(std::string_view token) {
  if (!token.starts_with("1 ")) return damaged();
  token.remove_prefix(2);
  KeyPlan plan;
  for (std::size_t part = 0, at = 0; at <= token.size(); ++part) {
    const auto end = std::min(token.find(' ', at), token.size());
    const auto text = token.substr(at, end - at);
    at = end + 1;
    if (part == 0) {
      auto key = unhex(text);
      if (!key) return damaged();
      plan.key = *std::move(key);
    } else if (part == 1) {
      const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), plan.first);
      if (failure != std::errc{} || stop != text.data() + text.size()) return damaged();
    } else {
      auto boundary = parse_key(text);
      if (!boundary) return damaged();
      plan.boundaries.push_back(*std::move(boundary));
    }
  }
  return plan;
}

std::string key_signature(const TableSchema& table) {
  std::string out;
  for (const auto column : table.key())
    out += fmt::format("{} {};", table.columns[column].name, table.columns[column].native_type);
  return out;
}

bool can_be_cut(const TableSchema& table) {
  const auto key = table.key();
  return !key.empty() && std::ranges::all_of(key, [&](std::size_t column) {
    const auto native = native_of(table.columns[column]);
    return native.ok() && is_sorted_as_compared(*native);
  });
}

Result<std::string> condition(const TableSchema& table, const KeyRange& range) {
  std::string out;
  if (range.above) out = MAIA_TRY(beyond(table, *range.above, ">", false));
  if (range.up_to) {
    if (!out.empty()) out += " AND ";
    out += MAIA_TRY(beyond(table, *range.up_to, "<", true));
  }
  return out.empty() ? "TRUE" : out;
}

}  // namespace maia::mysql
