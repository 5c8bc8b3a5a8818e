// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/functions.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string>
#include <string_view>

namespace maia::transforms {
namespace {

constexpr const char* kMacros[] = {
    "CREATE MACRO maia_try(x, otherwise) AS (coalesce(TRY({'v': x}), {'v': otherwise})).v",
    "CREATE MACRO maia_json(x) AS CAST(x AS JSON), (x, path) AS json_extract(CAST(x AS JSON), path)",
    "CREATE MACRO redact(x) AS CASE WHEN x IS NOT NULL THEN '[redacted]' END",
    "CREATE MACRO hash(x) AS sha256(CAST(x AS VARCHAR))",
    "CREATE MACRO hmac(x, key) AS maia_hmac(CAST(x AS VARCHAR), CAST(key AS VARCHAR))",
    "CREATE MACRO tokenize(x, key) AS 'tok_' || left(maia_hmac(CAST(x AS VARCHAR), CAST(key AS VARCHAR)), "
    "32)",
    "CREATE MACRO mask(x) AS repeat('*', length(CAST(x AS VARCHAR))), (x, keep) AS "
    "repeat('*', greatest(length(CAST(x AS VARCHAR)) - keep, 0)) || CASE WHEN length(CAST(x AS VARCHAR)) > "
    "keep "
    "THEN right(CAST(x AS VARCHAR), keep) ELSE repeat('*', length(CAST(x AS VARCHAR))) END",
};

std::string_view text_at(duckdb_vector vector, idx_t row) {
  auto* text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector)) + row;
  return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
}

bool is_null(duckdb_vector vector, idx_t row) {
  auto* validity = duckdb_vector_get_validity(vector);
  return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
}

/// HMAC-SHA256 in lower-case hexadecimal digits (RFC 2104, FIPS 180-4).
void hmac(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto values = duckdb_data_chunk_get_vector(input, 0);
  const auto keys = duckdb_data_chunk_get_vector(input, 1);
  for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); ++row) {
    if (is_null(values, row) || is_null(keys, row)) {
      duckdb_vector_ensure_validity_writable(output);
      duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
      continue;
    }
    const auto value = text_at(values, row);
    const auto key = text_at(keys, row);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(value.data()), value.size(), digest, &size) == nullptr) {
      return duckdb_scalar_function_set_error(info, "hmac could not be computed");
    }
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      text += kDigits[digest[i] >> 4];
      text += kDigits[digest[i] & 15];
    }
    duckdb_vector_assign_string_element_len(output, row, text.data(), text.size());
  }
}

}  // namespace

Status register_functions(duckdb_connection connection) {
  const ScalarFunctionHandle function(duckdb_create_scalar_function());
  const LogicalTypeHandle text(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
  duckdb_scalar_function_set_name(function.get(), "maia_hmac");
  duckdb_scalar_function_add_parameter(function.get(), text.get());
  duckdb_scalar_function_add_parameter(function.get(), text.get());
  duckdb_scalar_function_set_return_type(function.get(), text.get());
  duckdb_scalar_function_set_function(function.get(), hmac);
  if (duckdb_register_scalar_function(connection, function.get()) == DuckDBSuccess) return {};
  return Error{Error::Code::internal, Recovery::halt, "the embedded DuckDB does not take the function hmac",
               ""};
}

std::span<const char* const> macros() { return kMacros; }

}  // namespace maia::transforms
