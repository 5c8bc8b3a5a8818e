// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "maia/base/byte_size.h"
#include "maia/config/spec.h"

namespace maia::duckdb {

/// What arrays of one dimension become. Others are always text.
enum class Arrays : std::uint8_t { list, text };
/// What a numeric of any size becomes.
enum class Numerics : std::uint8_t { text, as_double };
/// What NaN and infinity in a numeric of limited size become; DuckDB's DECIMAL has neither.
enum class SpecialNumerics : std::uint8_t { refuse, null };

/// Less than this is not enough for a load.
inline constexpr ByteSize kLeastMemory = ByteSize::mib(32);

/// A DuckDB file as a destination.
struct Config {
  std::string path;
  /// Of DuckDB's own buffers; the process takes about 90 MB more for a load (docs/decisions).
  ByteSize memory_limit = ByteSize::mib(96);
  std::uint16_t threads = 1;
  Arrays arrays = Arrays::list;
  Numerics unbounded_numerics = Numerics::text;
  SpecialNumerics special_numerics = SpecialNumerics::refuse;
};

const config::Spec<Config>& config_spec();

}  // namespace maia::duckdb

template <>
inline constexpr maia::config::Choice<maia::duckdb::Arrays> maia::config::choices_of<maia::duckdb::Arrays>[] =
    {{"list", maia::duckdb::Arrays::list}, {"text", maia::duckdb::Arrays::text}};
template <>
inline constexpr maia::config::Choice<maia::duckdb::Numerics>
    maia::config::choices_of<maia::duckdb::Numerics>[] = {{"text", maia::duckdb::Numerics::text},
                                                          {"double", maia::duckdb::Numerics::as_double}};
template <>
inline constexpr maia::config::Choice<maia::duckdb::SpecialNumerics>
    maia::config::choices_of<maia::duckdb::SpecialNumerics>[] = {
        {"refuse", maia::duckdb::SpecialNumerics::refuse}, {"null", maia::duckdb::SpecialNumerics::null}};
