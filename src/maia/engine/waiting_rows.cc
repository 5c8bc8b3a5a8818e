// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/waiting_rows.h"

#include <algorithm>

#include "maia/engine/letter.h"
#include "maia/types/value_text.h"

namespace maia::engine {

void WaitingRows::load(std::span<const DeadLetter> letters) {
  tables_.clear();
  for (const auto& letter : letters) add(letter);
}

void WaitingRows::add(const DeadLetter& letter) {
  auto& table = tables_[letter.table_id];
  if (!table.letters.insert(letter.operation_id).second || letter.overtaken) return;
  const Letter each{letter.operation_id, Position{letter.token}, letter.ordinal};
  for (const auto& key : {letter.key, letter.moved}) {
    if (!key.empty()) table.by_key[key].push_back(each);
  }
}

void WaitingRows::overtake(const std::string& table_id, const std::string& operation_id) {
  const auto found = tables_.find(table_id);
  if (found == tables_.end()) return;
  auto& table = found->second;
  for (auto& [key, letters] : table.by_key)
    std::erase_if(letters, [&](const Letter& each) { return each.operation_id == operation_id; });
  std::erase_if(table.by_key, [](const auto& each) { return each.second.empty(); });
}

void WaitingRows::forget(const std::string& table_id, const std::string& operation_id) {
  overtake(table_id, operation_id);
  const auto found = tables_.find(table_id);
  if (found == tables_.end()) return;
  found->second.letters.erase(operation_id);
  if (found->second.letters.empty()) tables_.erase(found);
}

std::size_t WaitingRows::count(const std::string& table_id) const {
  const auto found = tables_.find(table_id);
  return found == tables_.end() ? 0 : found->second.letters.size();
}

void WaitingRows::look(const Table& table, const std::string& key, const Position& position,
                       std::uint64_t ordinal, Found& found) const {
  if (key.empty()) return;
  const auto letters = table.by_key.find(key);
  if (letters == table.by_key.end()) return;
  for (const auto& letter : letters->second) {
    const auto order = source_.compare(letter.position, position);
    const bool earlier = order < 0 || (order == 0 && letter.ordinal < ordinal);
    if (!earlier) continue;
    found.place = Place::behind;
    if (std::find(found.before.begin(), found.before.end(), letter.operation_id) == found.before.end())
      found.before.push_back(letter.operation_id);
  }
}

WaitingRows::Found WaitingRows::find(const Batch& batch, std::size_t row,
                                     const Transaction& transaction) const {
  Found found;
  const auto known = tables_.find(batch.schema()->id);
  if (known == tables_.end()) return found;
  if (known->second.letters.contains(letter_operation_id(batch, row, transaction))) {
    found.place = Place::own;
    return found;
  }
  // Rows of a snapshot are newer than all that waits when they are read.
  if (batch.op(row) == Op::read) return found;
  const auto ordinal = batch.ordinal(row) - transaction.first_ordinal;
  look(known->second, key_before(batch, row), transaction.position, ordinal, found);
  if (batch.op(row) == Op::update)
    look(known->second, key_after(batch, row), transaction.position, ordinal, found);
  return found;
}

std::string letter_operation_id(const Batch& batch, std::size_t row, const Transaction& transaction) {
  if (batch.op(row) != Op::read) return transaction.operation_id(batch.ordinal(row));
  std::string id;
  std::string text;
  for (const auto column : batch.schema()->key()) {
    if (!batch.after(column).has_value(row)) return transaction.operation_id(batch.ordinal(row));
    text.clear();
    append_value_text(text, batch.schema()->columns[column].type, batch.after(column), row);
    id += (id.empty() ? "read/" + batch.schema()->id + "/" : std::string(",")) + text;
  }
  return id.empty() ? transaction.operation_id(batch.ordinal(row)) : id;
}

}  // namespace maia::engine
