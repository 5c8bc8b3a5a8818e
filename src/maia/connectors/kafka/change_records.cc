// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/change_records.h"

#include <algorithm>

namespace maia::kafka {
namespace {

/// The update of a key as two rows: the old row is removed, the new one inserted.
Batch moved(const TableTarget& target, const Batch& batch, std::size_t row) {
  Batch out(batch.schema());
  out.begin_row(Op::remove, batch.ordinal(row));
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const bool in_key = std::find(target.key.begin(), target.key.end(), i) != target.key.end();
    out.mutable_before(i).push_from(in_key ? batch.old_key(i, row) : batch.before(i), row);
  }
  out.finish_row();
  out.begin_row(Op::insert, batch.ordinal(row));
  for (std::size_t i = 0; i < batch.columns(); ++i) out.mutable_after(i).push_from(batch.after(i), row);
  out.finish_row();
  return out;
}

}  // namespace

Result<const std::vector<ChangeRecord>*> ChangeRecords::of_row(const std::string& topic,
                                                               const TableTarget& target, const Batch& batch,
                                                               std::size_t row,
                                                               const Transaction& transaction,
                                                               WallMicros written_at) {
  records_.clear();
  if (MAIA_TRY(key_changes(topic, target, batch, row))) {
    const auto rows = moved(target, batch, row);
    MAIA_TRY(append(topic, target, rows, 0, transaction, written_at));
    MAIA_TRY(append(topic, target, rows, 1, transaction, written_at));
  } else {
    MAIA_TRY(append(topic, target, batch, row, transaction, written_at));
  }
  return &records_;
}

Result<bool> ChangeRecords::key_changes(const std::string& topic, const TableTarget& target,
                                        const Batch& batch, std::size_t row) {
  if (batch.op(row) != Op::update || !batch.has_before() || target.key.empty()) return false;
  const auto before = MAIA_TRY(encoder_->key(topic, target, batch, row, KeyImage::before));
  const auto after = MAIA_TRY(encoder_->key(topic, target, batch, row, KeyImage::after));
  return before != after;
}

Status ChangeRecords::append(const std::string& topic, const TableTarget& target, const Batch& batch,
                             std::size_t row, const Transaction& transaction, WallMicros written_at) {
  ChangeRecord record;
  if (!target.key.empty()) {
    record.key = MAIA_TRY(encoder_->key(topic, target, batch, row, KeyImage::before));
  }
  const bool tombstone = tombstones_ && record.key && batch.op(row) == Op::remove;
  record.value = MAIA_TRY(encoder_->value(topic, target, batch, row, transaction, written_at));
  records_.push_back(std::move(record));
  if (tombstone) records_.push_back({records_.back().key, std::nullopt});
  return {};
}

}  // namespace maia::kafka
