// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/row_images.h"

#include "maia/connectors/kafka/field_name.h"

namespace maia::kafka {

bool has_before(const Batch& batch, std::size_t row) {
  for (std::size_t i = 0; batch.has_before() && i < batch.columns(); ++i) {
    if (batch.before(i).presence(row) != Presence::unchanged) return true;
  }
  return false;
}

std::vector<std::string> unchanged_fields(const TableSchema& schema, const Batch& batch, std::size_t row) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < batch.columns() && batch.op(row) != Op::remove; ++i) {
    if (batch.after(i).presence(row) == Presence::unchanged)
      names.push_back(field_name(schema.columns[i].name));
  }
  return names;
}

}  // namespace maia::kafka
