// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/running_transactions.h"

#include <algorithm>

namespace maia::journal {
namespace {

std::uint64_t first_ordinal(const Window::Item& item) {
  if (const auto* batch = std::get_if<Batch>(&item))
    return batch->rows() == 0 ? UINT64_MAX : batch->ordinal(0);
  if (const auto* truncate = std::get_if<Truncate>(&item)) return truncate->ordinal;
  return std::get<SchemaChange>(item).ordinal;
}

}  // namespace

std::vector<SchemaUse> schema_uses(const Window& window) {
  std::vector<SchemaUse> uses;
  for (const auto& item : window.items) {
    if (const auto* batch = std::get_if<Batch>(&item)) {
      if (batch->rows() > 0)
        uses.push_back({batch->ordinal(0), table_key(*batch->schema()), batch->schema()});
    } else if (const auto* change = std::get_if<SchemaChange>(&item)) {
      const auto& shape = change->after ? change->after : change->before;
      if (shape) uses.push_back({change->ordinal, table_key(*shape), change->after});
    }
  }
  std::stable_sort(uses.begin(), uses.end(),
                   [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
  return uses;
}

void apply(LatestSchemas& latest, const SchemaUse& use) {
  if (use.schema) {
    latest[use.table] = use.schema;
  } else {
    latest.erase(use.table);
  }
}

bool RunningTransactions::add(const std::string& transaction, Place place, const Window& window) {
  std::uint64_t first = UINT64_MAX;
  for (const auto& item : window.items) first = std::min(first, first_ordinal(item));
  if (first == UINT64_MAX) return false;
  running_[transaction].push_back({FragmentRef{place, UINT64_MAX}, first, schema_uses(window)});
  return true;
}

void RunningTransactions::abort(const std::string& transaction, std::uint64_t from_ordinal) {
  const auto found = running_.find(transaction);
  if (found == running_.end()) return;
  auto& fragments = found->second;
  std::erase_if(fragments, [&](const auto& fragment) { return fragment.first_ordinal >= from_ordinal; });
  for (auto& fragment : fragments) {
    fragment.ref.keep_below = std::min(fragment.ref.keep_below, from_ordinal);
    std::erase_if(fragment.schemas, [&](const auto& use) { return use.ordinal >= from_ordinal; });
  }
  if (fragments.empty()) running_.erase(found);
}

RunningTransactions::Committed RunningTransactions::commit(const std::string& transaction) {
  Committed committed;
  const auto found = running_.find(transaction);
  if (found == running_.end()) return committed;
  for (auto& fragment : found->second) {
    committed.fragments.push_back(fragment.ref);
    std::move(fragment.schemas.begin(), fragment.schemas.end(), std::back_inserter(committed.schemas));
  }
  running_.erase(found);
  return committed;
}

std::optional<std::uint64_t> RunningTransactions::oldest_segment() const {
  std::optional<std::uint64_t> oldest;
  for (const auto& [name, fragments] : running_) {
    const auto first = fragments.front().ref.place.segment;
    if (!oldest || first < *oldest) oldest = first;
  }
  return oldest;
}

void drop_from(Window& window, std::uint64_t ordinal) {
  for (auto& item : window.items) {
    auto* batch = std::get_if<Batch>(&item);
    if (batch == nullptr) continue;
    while (batch->rows() > 0 && batch->ordinal(batch->rows() - 1) >= ordinal) batch->drop_last_row();
  }
  std::erase_if(window.items, [&](const auto& item) { return first_ordinal(item) >= ordinal; });
}

}  // namespace maia::journal
