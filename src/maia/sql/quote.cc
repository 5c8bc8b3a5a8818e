// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/quote.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

namespace maia::sql {
namespace {

constexpr std::size_t kPostgresNameBytes = 63;
constexpr std::ptrdiff_t kMysqlNameCharacters = 64;

Error unusable(std::string_view what, std::string_view why) {
  return Error{.code = Error::Code::data, .message = fmt::format("{} {}", what, why)};
}

Status check(std::string_view what, std::string_view text) {
  if (text.find('\0') != text.npos) return unusable(what, "contains a NUL byte");
  if (!simdjson::validate_utf8(text.data(), text.size())) return unusable(what, "is not valid UTF-8");
  return {};
}

std::string between(std::string_view open, std::string_view text, char close, std::string_view doubled) {
  std::string out;
  out.reserve(open.size() + text.size() + 1);
  out += open;
  for (const char c : text) {
    if (doubled.find(c) != doubled.npos) out += c;
    out += c;
  }
  out += close;
  return out;
}

Result<std::string> identifier(std::string_view name) {
  MAIA_TRY(check("a name", name));
  if (name.empty()) return unusable("a name", "is empty");
  return between("\"", name, '"', "\"");
}

Result<std::string> qualified(const TableName& name, Result<std::string> (*quote)(std::string_view)) {
  auto table = MAIA_TRY(quote(name.table));
  if (name.schema.empty()) return table;
  return MAIA_TRY(quote(name.schema)) + "." + table;
}

}  // namespace

Result<std::string> postgres_identifier(std::string_view name) {
  auto quoted = MAIA_TRY(identifier(name));
  if (name.size() > kPostgresNameBytes) {
    return Error{.code = Error::Code::data,
                 .message = fmt::format("the name {} has {} bytes; PostgreSQL cuts names after {}", quoted,
                                        name.size(), kPostgresNameBytes),
                 .hint = "give it a shorter name at the destination with routes or a transform"};
  }
  return quoted;
}

Result<std::string> postgres_literal(std::string_view text) {
  MAIA_TRY(check("a text", text));
  if (text.find('\\') == text.npos) return between("'", text, '\'', "'");
  return between(" E'", text, '\'', "'\\");
}

Result<std::string> postgres_table(const TableName& name) { return qualified(name, postgres_identifier); }

Result<std::string> mysql_identifier(std::string_view name) {
  MAIA_TRY(check("a name", name));
  if (name.empty()) return unusable("a name", "is empty");
  auto quoted = between("`", name, '`', "`");
  const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; };
  const auto needs_four_bytes = [](char c) { return static_cast<unsigned char>(c) >= 0xf0U; };
  const char* why = nullptr;
  if (std::count_if(name.begin(), name.end(), starts_character) > kMysqlNameCharacters)
    why = "has more than 64 characters";
  if (std::any_of(name.begin(), name.end(), needs_four_bytes)) why = "has a character beyond U+FFFF";
  if (name.ends_with(' ')) why = "ends with a blank";
  if (why == nullptr) return quoted;
  return Error{.code = Error::Code::data,
               .message = fmt::format("the name {} {}, which MySQL and MariaDB do not take", quoted, why),
               .hint = "give it another name at the destination with routes or a transform"};
}

Result<std::string> mysql_literal(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return unusable("a text", "is not valid UTF-8");
  auto quoted = between("'", text, '\'', "'\\");
  for (auto at = quoted.find('\0'); at != quoted.npos; at = quoted.find('\0', at + 2))
    quoted.replace(at, 1, "\\0");
  return quoted;
}

Result<std::string> mysql_table(const TableName& name) { return qualified(name, mysql_identifier); }

Result<std::string> duckdb_identifier(std::string_view name) { return identifier(name); }

Result<std::string> duckdb_literal(std::string_view text) {
  MAIA_TRY(check("a text", text));
  return between("'", text, '\'', "'");
}

Result<std::string> duckdb_table(const TableName& name) { return qualified(name, duckdb_identifier); }

}  // namespace maia::sql
