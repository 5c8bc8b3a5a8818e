// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/write_order.h"

#include <algorithm>
#include <cstdint>
#include <functional>

#include "maia/sql/row_index.h"

namespace maia::postgres {
namespace {

bool any_key_change(const WriteTarget& target, const Batch& batch) {
  if (!batch.has_before() || !target.by_key()) return false;
  const auto& key = target.target().key;
  for (std::uint32_t row = 0; row < batch.rows(); ++row) {
    if (batch.op(row) != Op::update) continue;
    if (!sql::same_values({&batch, row, sql::Image::before}, {&batch, row, sql::Image::after}, key))
      return true;
  }
  return false;
}

}  // namespace

void parents_first(std::vector<TargetDeliveries>& groups) {
  enum class Mark : std::uint8_t { none, entered, done };
  std::vector<Mark> marks(groups.size(), Mark::none);
  std::vector<TargetDeliveries> ordered;
  std::function<void(std::size_t)> visit = [&](std::size_t i) {
    if (marks[i] != Mark::none) return;
    marks[i] = Mark::entered;
    const auto& parents = groups[i].target->stored().parents;
    for (std::size_t j = 0; j < groups.size(); ++j) {
      if (std::find(parents.begin(), parents.end(), groups[j].target->stored().oid) != parents.end())
        visit(j);
    }
    marks[i] = Mark::done;
    ordered.push_back(groups[i]);
  };
  for (std::size_t i = 0; i < groups.size(); ++i) visit(i);
  groups = std::move(ordered);
}

bool likely_new_rows(const TargetDeliveries& group) {
  if (group.target->meets_rows) return false;
  return std::all_of(group.deliveries.begin(), group.deliveries.end(), [](const Delivery* delivery) {
    const auto ops = delivery->batch->ops();
    return !delivery->converging &&
           std::all_of(ops.begin(), ops.end(), [](Op op) { return op == Op::insert; });
  });
}

bool only_new_rows(const TargetDeliveries& group) {
  return std::all_of(group.deliveries.begin(), group.deliveries.end(), [&](const Delivery* delivery) {
    if (group.target->appends()) return true;
    const auto ops = delivery->batch->ops();
    return (delivery->fresh || !group.target->by_key()) &&
           std::all_of(ops.begin(), ops.end(), [](Op op) { return op == Op::read || op == Op::insert; });
  });
}

std::size_t count_rows(std::span<const TargetDeliveries> groups) {
  std::size_t rows = 0;
  for (const auto& group : groups) {
    for (const auto* delivery : group.deliveries) rows += delivery->batch->rows();
  }
  return rows;
}

bool any_key_change(std::span<const TargetDeliveries> groups) {
  return std::any_of(groups.begin(), groups.end(), [](const TargetDeliveries& group) {
    return std::any_of(group.deliveries.begin(), group.deliveries.end(), [&](const Delivery* delivery) {
      return any_key_change(*group.target, *delivery->batch);
    });
  });
}

bool stopped_by_order(std::string_view sqlstate) {
  // unique, foreign key and exclusion; 23001 is a foreign key with RESTRICT
  return sqlstate == kUniqueViolation || sqlstate == "23503" || sqlstate == "23P01" || sqlstate == "23001";
}

}  // namespace maia::postgres
