// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/copy_rows.h"

namespace maia::postgres {
namespace {

/// Bytes that are encoded before they are sent.
constexpr std::size_t kPiece = 256 << 10;

}  // namespace

Status put_rows(Connection& connection, WriteTarget& target, const Batch& batch) {
  auto& encoder = target.copy_encoder();
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    encoder.begin_row();
    std::size_t field = 0;
    for (const auto i : target.written()) {
      const auto written = encoder.value(field++, batch.after(i), row);
      if (written.ok()) continue;
      connection.copy_in_abort("a value cannot be stored");
      return in("column " + target.target().schema->columns[i].name, written);
    }
    encoder.end_row();
    if (encoder.buffer().size() < kPiece) continue;
    MAIA_TRY(connection.copy_in_put(encoder.buffer()));
    encoder.buffer().clear();
  }
  return {};
}

Status finish_rows(Connection& connection, WriteTarget& target) {
  target.copy_encoder().end();
  MAIA_TRY(connection.copy_in_put(target.copy_encoder().buffer()));
  MAIA_TRY(connection.copy_in_finish());
  return {};
}

}  // namespace maia::postgres
