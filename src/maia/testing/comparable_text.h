// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/testing/compare.h"

namespace maia::testing {

std::string quoted_name(ComparedSystem::Kind kind, const std::string& name);

/// SQL expressions for a column at each side whose texts are equal exactly if the values are. How they look
/// is decided by both types: between two PostgreSQL it is the server's own text; a DuckDB column decides by
/// its type.
struct ComparableText {
  std::string left;
  std::string right;
  enum class Float { no, single_precision, double_precision } as_float = Float::no;  ///< compare as numbers
};
ComparableText comparable_text(ComparedSystem::Kind left_kind, const ComparedColumn& left,
                               ComparedSystem::Kind right_kind, const ComparedColumn& right);

}  // namespace maia::testing
