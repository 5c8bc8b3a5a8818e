// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/registry_text.h"

#include "maia/codec/array_json.h"
#include "maia/types/value_text.h"

namespace maia::kafka {

std::string registry_text(const Type& type, const ColumnVector& column, std::size_t row) {
  std::string text;
  if (type.id == TypeId::array) {
    codec::append_array_json(text, column.text(row), *type.element);
  } else {
    append_value_text(text, type, column, row);
  }
  return text;
}

}  // namespace maia::kafka
