// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/comparable_text.h"

#include <utility>

namespace maia::testing {
namespace {

using Kind = ComparedSystem::Kind;

std::string replaced(std::string pattern, const std::string& column) {
  for (std::size_t at = 0; (at = pattern.find('$', at)) != std::string::npos; at += column.size()) {
    pattern.replace(at, 1, column);
  }
  return pattern;
}

/// Expressions over the column `$` for PostgreSQL and for DuckDB, by the type of the DuckDB column.
std::pair<std::string, std::string> patterns(const std::string& duckdb_type) {
  if (duckdb_type == "BLOB") return {"encode($, 'hex')", "lower(hex($))"};
  if (duckdb_type == "DATE") {
    return {"case when isfinite($) then ($ - date '1970-01-01')::text else $::text end",
            "case when isfinite($) then date_diff('day', date '1970-01-01', $)::varchar else $::varchar end"};
  }
  if (duckdb_type.starts_with("TIMESTAMP")) {
    return {"case when isfinite($) then trim_scale(extract(epoch from $) * 1000000)::text else $::text end",
            "case when isfinite($) then epoch_us($)::varchar else $::varchar end"};
  }
  if (duckdb_type == "INTERVAL") {
    const std::string parts =
        "(extract(year from $) * 12 + extract(month from $))::bigint || ' ' || extract(day from $)::bigint "
        "|| ' ' || "
        "((extract(hour from $)::bigint * 60 + extract(minute from $)::bigint) * 60000000 + "
        "extract(microseconds from $)::bigint)";
    return {parts, parts};
  }
  if (duckdb_type.ends_with("[]")) return {"array_to_json($)::text", "to_json($)::varchar"};
  if (duckdb_type == "BOOLEAN") return {"$::text", "$::varchar"};
  // DuckDB prints 0.5 of a DECIMAL(2,2) as .5.
  if (duckdb_type.starts_with("DECIMAL"))
    return {"$::text", "regexp_replace($::varchar, '^(-?)[.]', '\\10.')"};
  // Not a cast to text: that takes the blanks from the end of a character(n).
  return {"case when $ is distinct from null then format('%s', $) end", "$::varchar"};
}

/// The same for PostgreSQL and for MySQL, by the type of the MySQL column.
std::pair<std::string, std::string> mysql_patterns(const std::string& type) {
  if (type == "tinyint(1)") return {"$::int::text", "$"};
  if (type == "longblob") return {"encode($, 'hex')", "lower(hex($))"};
  if (type == "datetime(6)") return {"to_char($, 'YYYY-MM-DD HH24:MI:SS.US')", "$"};
  if (type == "time(6)") return {"to_char($ - time '00:00', 'HH24:MI:SS.US')", "$"};
  if (type == "float") return {"$::text", "$ * 1e0"};  // a float alone is printed with six digits
  return {"case when $ is distinct from null then format('%s', $) end", "$"};
}

}  // namespace

std::string quoted_name(Kind, const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

ComparableText comparable_text(Kind left_kind, const ComparedColumn& left, Kind right_kind,
                               const ComparedColumn& right) {
  // Between two PostgreSQL it is the server's own text.
  const ComparedColumn none;
  const auto& decides = left_kind != Kind::postgres ? left : right_kind != Kind::postgres ? right : none;
  const bool mysql = left_kind == Kind::mysql || right_kind == Kind::mysql;
  const auto side = [&](Kind kind, const ComparedColumn& column) {
    const auto [postgres, other] = mysql ? mysql_patterns(decides.type) : patterns(decides.type);
    return replaced(kind == Kind::postgres ? postgres : other, quoted_name(kind, column.name));
  };
  ComparableText text{.left = side(left_kind, left), .right = side(right_kind, right)};
  if (decides.type == "FLOAT" || decides.type == "float")
    text.as_float = ComparableText::Float::single_precision;
  if (decides.type == "DOUBLE" || decides.type == "double")
    text.as_float = ComparableText::Float::double_precision;
  return text;
}

}  // namespace maia::testing
