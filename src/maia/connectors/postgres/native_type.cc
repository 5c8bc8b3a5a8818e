// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/native_type.h"

#include <fmt/format.h>

#include <charconv>

namespace maia::postgres {

// A type is an array when its element type names it as its array; int2vector and point, say, have elements
// too and are none.
const std::string_view kTypeCatalogueQuery = R"sql(
WITH RECURSIVE wanted(oid) AS (
  SELECT pg_catalog.unnest($1::pg_catalog.oid[])
  UNION
  SELECT rests_on.oid
  FROM wanted JOIN pg_catalog.pg_type t ON t.oid = wanted.oid,
       LATERAL (VALUES (t.typbasetype), (t.typelem)) AS rests_on(oid)
  WHERE rests_on.oid <> 0
)
SELECT t.oid, n.nspname, t.typname, kind.code, kind.inner_oid, t.typtypmod,
       CASE WHEN kind.inner_oid <> 0 THEN pg_catalog.format_type(kind.inner_oid, t.typtypmod) END,
       t.typdelim, e.enumlabel
FROM wanted
JOIN pg_catalog.pg_type t ON t.oid = wanted.oid
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type element ON element.oid = t.typelem AND element.typarray = t.oid
CROSS JOIN LATERAL (SELECT
  CASE WHEN element.oid IS NOT NULL THEN 'a' ELSE t.typtype::pg_catalog.text END AS code,
  CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE COALESCE(element.oid, 0) END AS inner_oid) kind
LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
ORDER BY t.oid, e.enumsortorder
)sql";

namespace {

constexpr int kMaxNesting = 64;

Error malformed(std::string_view what) {
  return {.code = Error::Code::internal,
          .recovery = Recovery::halt,
          .message = fmt::format("the type catalogue's answer has {}", what),
          .hint = {}};
}

template <class T>
std::optional<T> number(const std::optional<std::string_view>& text) {
  T value = 0;
  if (!text) return {};
  const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failure != std::errc{} || end != text->data() + text->size()) return {};
  return value;
}

std::optional<TypeKind> kind_of(std::string_view code) {
  if (code == "b") return TypeKind::base;
  if (code == "a") return TypeKind::array;
  if (code == "d") return TypeKind::domain;
  if (code == "e") return TypeKind::enumeration;
  if (code == "c") return TypeKind::composite;
  if (code == "r") return TypeKind::range;
  if (code == "m") return TypeKind::multirange;
  if (code == "p") return TypeKind::pseudo;
  return {};
}

std::string without_brackets(std::string spelled) {
  if (spelled.ends_with("[]")) spelled.resize(spelled.size() - 2);
  return spelled;
}

}  // namespace

Status TypeCatalogue::add_row(std::span<const std::optional<std::string_view>> values) {
  if (values.size() != 9) return malformed(fmt::format("{} columns where 9 were asked for", values.size()));
  const auto oid = number<Oid>(values[0]);
  const auto kind = kind_of(values[3].value_or(""));
  const auto inner = number<Oid>(values[4]);
  const auto typmod = number<std::int32_t>(values[5]);
  if (!oid || !inner || !typmod || !values[1] || !values[2] || !values[7] || values[7]->size() != 1) {
    return malformed("a row that does not follow its query");
  }
  if (!kind) {
    return Error{.code = Error::Code::unsupported,
                 .recovery = Recovery::halt,
                 .message = fmt::format("type {}.{} is of an unknown kind '{}'", *values[1], *values[2],
                                        values[3].value_or("")),
                 .hint = {}};
  }
  auto& row = rows_[*oid];
  row.schema = *values[1];
  row.name = *values[2];
  row.kind = *kind;
  row.inner = *inner;
  row.inner_typmod = *typmod;
  row.inner_spelled = values[6].value_or("");
  row.delimiter = values[7]->front();
  if (values[8]) row.labels.emplace_back(*values[8]);
  return {};
}

Result<NativeType> TypeCatalogue::resolve(Oid oid, std::int32_t typmod, std::string spelled) const {
  return resolve(oid, typmod, std::move(spelled), 0);
}

Result<NativeType> TypeCatalogue::resolve(Oid oid, std::int32_t typmod, std::string spelled,
                                          int nesting) const {
  const auto found = rows_.find(oid);
  if (found == rows_.end() || nesting > kMaxNesting) {
    return Error{
        .code = Error::Code::unsupported,
        .recovery = Recovery::halt,
        .message = fmt::format("type {} (oid {}) is not in the catalogue that was read", spelled, oid),
        .hint = {}};
  }
  const auto& row = found->second;
  NativeType type{.oid = oid,
                  .typmod = typmod,
                  .schema = row.schema,
                  .name = row.name,
                  .spelled = std::move(spelled),
                  .kind = row.kind,
                  .inner = nullptr,
                  .delimiter = row.delimiter,
                  .labels = row.labels};
  if (row.kind == TypeKind::array) {
    type.inner = std::make_shared<const NativeType>(
        MAIA_TRY(resolve(row.inner, typmod, without_brackets(type.spelled), nesting + 1)));
  } else if (row.kind == TypeKind::domain) {
    auto stands_for = MAIA_TRY(resolve(row.inner, row.inner_typmod, row.inner_spelled, nesting + 1));
    type.inner = stands_for.kind == TypeKind::domain
                     ? stands_for.inner
                     : std::make_shared<const NativeType>(std::move(stands_for));
  }
  return type;
}

}  // namespace maia::postgres
