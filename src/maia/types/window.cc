// SPDX-License-Identifier: Apache-2.0
#include "maia/types/window.h"

namespace maia {

std::string Transaction::operation_id(std::uint64_t ordinal) const {
  return position.token + "/" + std::to_string(ordinal - first_ordinal);
}

std::size_t Window::rows() const {
  std::size_t rows = 0;
  for (const auto& item : items) {
    if (const auto* batch = std::get_if<Batch>(&item)) rows += batch->rows();
  }
  return rows;
}

std::size_t Window::byte_size() const {
  std::size_t size = sizeof(Window);
  for (const auto& transaction : transactions) {
    size += sizeof(Transaction) + transaction.position.token.capacity() + transaction.id.capacity();
  }
  for (const auto& item : items) {
    if (const auto* batch = std::get_if<Batch>(&item)) size += batch->byte_size();
  }
  return size;
}

}  // namespace maia
