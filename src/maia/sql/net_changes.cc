// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/net_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace maia::sql {
namespace {

void count_up(std::vector<std::size_t>& columns, std::size_t size) {
  columns.resize(size);
  std::iota(columns.begin(), columns.end(), std::size_t{0});
}

Error missing_value(const TableTarget& target, const RowRef& row, std::span<const std::size_t> columns) {
  const auto missing = std::find_if(columns.begin(), columns.end(),
                                    [&](std::size_t i) { return row.presence(i) == Presence::unchanged; });
  const auto& name = target.schema->columns[missing == columns.end() ? 0 : *missing].name;
  return {Error::Code::data, Recovery::halt,
          fmt::format("table {}: a change came without a value of column {}, which is needed to find its row",
                      to_string(target.name), name),
          target.key.empty()
              ? "A table without a key needs whole old rows from the source; give it a key, or let "
                "the source send whole rows for it."
              : "Let the key be columns that the source sends with every update and delete."};
}

/// The group of the rows that have exactly `columns`; there are few.
template <class Group>
Group& group_of(std::vector<Group>& groups, const std::vector<std::size_t>& columns) {
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    if (group->columns == columns) return *group;
  }
  auto& group = groups.emplace_back();
  group.columns = columns;
  return group;
}

}  // namespace

void NetChanges::start(const TableTarget& target, std::span<const Delivery* const> deliveries) {
  MAIA_ASSERT(!target.key.empty() && target.mode == TableTarget::Mode::upsert);
  target_ = &target;
  deliveries_ = deliveries;
  delivery_ = 0;
  row_ = 0;
  count_up(all_columns_, target.schema->columns.size());
}

Result<const NetRound*> NetChanges::next() {
  index_.start(target_->key);
  entries_.clear();
  links_.clear();
  bool any = false;
  for (; delivery_ < deliveries_.size(); ++delivery_, row_ = 0) {
    const auto& delivery = *deliveries_[delivery_];
    for (; row_ < delivery.batch->rows(); ++row_) {
      if (MAIA_TRY(apply(delivery, row_)) == Step::next_round) {
        finish_round();
        return &round_;
      }
      any = true;
    }
  }
  finish_round();
  return any ? &round_ : nullptr;
}

Result<NetChanges::Step> NetChanges::apply(const Delivery& delivery, std::uint32_t row) {
  const auto& batch = *delivery.batch;
  const auto op = batch.op(row);
  const RowRef old{&batch, row, Image::before};
  const RowRef now{&batch, row, Image::after};
  const auto& needed = op == Op::remove ? old : now;
  if (!needed.complete(target_->key)) return missing_value(*target_, needed, target_->key);
  if (op == Op::remove) {
    erase(entry(index_.number(old)));
    return Step::done;
  }
  if (op == Op::update && batch.has_before() && !same_values(old, now, target_->key)) {
    const auto old_number = index_.number(old);
    const auto new_number = index_.number(now);
    entry(std::max(old_number, new_number));
    return change_key(old_number, new_number, now, whole(now));
  }
  const auto before = index_.size();
  auto& here = entry(index_.number(now));
  if (op == Op::update) return update(here, now, whole(now));
  here.fresh |= delivery.fresh && index_.size() > before;
  return update(here, now, true);
}

NetChanges::Step NetChanges::update(Entry& here, const RowRef& row, bool whole) {
  if (whole) {
    here.state = State::whole;
    here.head = push(row, RowIndex::kNone);
    return Step::done;
  }
  switch (here.state) {
    case State::absent: return Step::done;
    case State::moved: return Step::next_round;
    case State::original:
    case State::whole: here.head = push(row, here.head); return Step::done;
  }
  return Step::done;
}

NetChanges::Step NetChanges::change_key(std::uint32_t old_number, std::uint32_t new_number, const RowRef& row,
                                        bool whole) {
  auto& from = entries_[old_number];
  auto& to = entries_[new_number];
  if (whole || from.state == State::whole) {
    to.head = push(row, whole ? RowIndex::kNone : from.head);
    to.state = State::whole;
    erase(from);
    return Step::done;
  }
  if (from.state == State::absent) return Step::done;
  // What is at the new key stays if there is no row to move, so it must not have an outcome of its own yet.
  const bool untouched = to.state == State::original && to.head == RowIndex::kNone;
  if (from.state == State::moved || !(untouched || to.state == State::absent)) return Step::next_round;
  to.head = push(row, from.head);
  to.state = State::moved;
  to.from = old_number;
  erase(from);
  from.moved_to = new_number;
  return Step::done;
}

std::uint32_t NetChanges::push(const RowRef& row, std::uint32_t older) {
  links_.push_back({row, older});
  return static_cast<std::uint32_t>(links_.size() - 1);
}

NetChanges::Entry& NetChanges::entry(std::uint32_t number) {
  if (number >= entries_.size()) entries_.resize(number + 1);
  return entries_[number];
}

void NetChanges::erase(Entry& entry) {
  entry.state = State::absent;
  entry.erased = true;
  entry.head = RowIndex::kNone;
}

bool NetChanges::whole(const RowRef& row) const {
  return std::all_of(all_columns_.begin(), all_columns_.end(), [&](std::size_t i) {
    return !row.batch->after(i).any_unchanged() || row.presence(i) != Presence::unchanged;
  });
}

void NetChanges::finish_round() {
  round_.removes.clear();
  round_.inserts.clear();
  round_.upserts.clear();
  round_.updates.clear();
  round_.moves.clear();
  if (merged_) merged_->clear();
  if (!merged_ || merged_->schema() != target_->schema) merged_.emplace(target_->schema);
  for (std::uint32_t number = 0; number < entries_.size(); ++number) {
    const auto& here = entries_[number];
    const bool moved_away = here.moved_to != RowIndex::kNone &&
                            entries_[here.moved_to].state == State::moved &&
                            entries_[here.moved_to].from == number;
    const bool gone = here.erased && !here.fresh && !moved_away;
    if (gone && here.state != State::whole) round_.removes.push_back(index_.row(number));
    if (here.head == RowIndex::kNone) continue;
    const auto row = merged(here.head);
    if (here.state == State::whole) {
      (here.fresh ? round_.inserts : round_.upserts).push_back(row);
      continue;
    }
    present_.clear();
    std::copy_if(all_columns_.begin(), all_columns_.end(), std::back_inserter(present_),
                 [&](std::size_t i) { return row.presence(i) != Presence::unchanged; });
    if (here.state == State::original) {
      group_of(round_.updates, present_).rows.push_back(row);
    } else {
      auto& group = group_of(round_.moves, present_);
      group.from.push_back(index_.row(here.from));
      group.rows.push_back(row);
    }
  }
}

RowRef NetChanges::merged(std::uint32_t head) {
  if (links_[head].older == RowIndex::kNone) return links_[head].row;
  const auto row = static_cast<std::uint32_t>(merged_->rows());
  merged_->begin_row(Op::update, 0);
  for (const auto i : all_columns_) {
    auto link = head;
    while (links_[link].row.presence(i) == Presence::unchanged && links_[link].older != RowIndex::kNone) {
      link = links_[link].older;
    }
    merged_->mutable_after(i).push_from(links_[link].row.column(i), links_[link].row.row);
  }
  merged_->finish_row();
  return {&*merged_, row, Image::after};
}

Result<const NetRows*> NetMultiset::reduce(const TableTarget& target,
                                           std::span<const Delivery* const> deliveries) {
  target_ = &target;
  count_up(all_columns_, target.schema->columns.size());
  index_.start(all_columns_);
  counts_.clear();
  for (const auto* delivery : deliveries) {
    const auto& batch = *delivery->batch;
    for (std::uint32_t row = 0; row < batch.rows(); ++row) {
      const auto op = batch.op(row);
      if (op == Op::update || op == Op::remove) MAIA_TRY(add({&batch, row, Image::before}, true));
      if (op != Op::remove) MAIA_TRY(add({&batch, row, Image::after}, false));
    }
  }
  rows_.removes.clear();
  rows_.inserts.clear();
  for (std::uint32_t number = 0; number < counts_.size(); ++number) {
    rows_.removes.insert(rows_.removes.end(), counts_[number].removes, index_.row(number));
    rows_.inserts.insert(rows_.inserts.end(), counts_[number].inserts, index_.row(number));
  }
  return &rows_;
}

Status NetMultiset::add(const RowRef& row, bool removed) {
  if (!row.complete(all_columns_)) return missing_value(*target_, row, all_columns_);
  const auto number = index_.number(row);
  if (number >= counts_.size()) counts_.resize(number + 1);
  auto& count = counts_[number];
  if (!removed) {
    ++count.inserts;
  } else if (count.inserts > 0) {
    --count.inserts;
  } else {
    ++count.removes;
  }
  return {};
}

}  // namespace maia::sql
