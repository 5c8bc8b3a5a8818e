// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/window_builder.h"

namespace maia::sql {

Batch& WindowBuilder::batch(const SchemaRef& schema) {
  const auto [place, is_new] = open_.try_emplace(schema.get(), items_.size());
  if (is_new) items_.emplace_back(std::in_place_type<Batch>, schema);
  return std::get<Batch>(items_[place->second]);
}

void WindowBuilder::add_barrier(Truncate truncate) {
  items_.emplace_back(std::move(truncate));
  open_.clear();
}

void WindowBuilder::add_barrier(SchemaChange change) {
  items_.emplace_back(std::move(change));
  open_.clear();
}

std::vector<Window::Item> WindowBuilder::take() {
  open_.clear();
  auto items = std::exchange(items_, {});
  // A row that could not be decoded may have left its batch without rows.
  std::erase_if(items, [](const auto& item) {
    const auto* batch = std::get_if<Batch>(&item);
    return batch != nullptr && batch->rows() == 0;
  });
  return items;
}

std::pair<std::vector<Window::Item>, std::vector<Window::Item>> split(std::vector<Window::Item> items,
                                                                      std::uint64_t ordinal) {
  std::vector<Window::Item> before, rest;
  for (auto& item : items) {
    if (auto* batch = std::get_if<Batch>(&item)) {
      Batch tail(batch->schema());
      auto keep = batch->rows();
      while (keep > 0 && batch->ordinal(keep - 1) >= ordinal) --keep;
      for (auto row = keep; row < batch->rows(); ++row) {
        tail.push_row(*batch, row);
        tail.set_ordinal(tail.rows() - 1, batch->ordinal(row) - ordinal);
      }
      while (batch->rows() > keep) batch->drop_last_row();
      if (batch->rows() > 0) before.emplace_back(std::move(*batch));
      if (tail.rows() > 0) rest.emplace_back(std::move(tail));
      continue;
    }
    const auto place = [&](auto& barrier) {
      auto& side = barrier.ordinal < ordinal ? before : rest;
      if (barrier.ordinal >= ordinal) barrier.ordinal -= ordinal;
      side.emplace_back(std::move(barrier));
    };
    if (auto* truncate = std::get_if<Truncate>(&item)) place(*truncate);
    if (auto* change = std::get_if<SchemaChange>(&item)) place(*change);
  }
  return {std::move(before), std::move(rest)};
}

}  // namespace maia::sql
