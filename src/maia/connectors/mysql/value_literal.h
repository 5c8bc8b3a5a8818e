// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/base/result.h"
#include "maia/types/column_vector.h"
#include "maia/types/type.h"

namespace maia::mysql {

/// Appends a value, or NULL, as SQL source that stands for exactly it in a session of Connection. Code::data,
/// without the value and with nothing appended, for what no column of MySQL holds: infinities, NaN, and years
/// before 1 or after 9999. `unchanged` is a mistake of the caller.
Status append_literal(std::string& sql, const Type& type, const ColumnVector& column, std::size_t row);

void append_text_literal(std::string& sql, std::string_view text);
void append_binary_literal(std::string& sql, std::string_view bytes);

}  // namespace maia::mysql
