// SPDX-License-Identifier: Apache-2.0
// The part of Delivery that puts rows aside.
#include <fmt/format.h>

#include <algorithm>

#include "maia/engine/delivery.h"
#include "maia/engine/letter.h"

namespace maia::engine {

DeadLetter Delivery::letter_of(const Batch& batch, std::size_t row, const TableEntry& entry,
                               const Transaction& transaction) const {
  const auto change = single_change(batch, row, transaction);
  return DeadLetter{.operation_id = letter_operation_id(batch, row, transaction),
                    .destination = options_.name,
                    .table = to_string(entry.fact.source->name),
                    .table_id = batch.schema()->id,
                    .stage = {},
                    .reason = {},
                    .row = row_as_json(batch, row),
                    .change = encode_change(change),
                    .key = key_before(batch, row),
                    .moved = batch.op(row) == Op::update ? key_after(batch, row) : std::string(),
                    .position = parts_.source.describe(transaction.position),
                    .token = transaction.position.token,
                    .ordinal = change.batch.ordinal(0),
                    .transaction = transaction.id,
                    .file_version = pipeline_.file_version,
                    .failed_at = parts_.clock.wall()};
}

Status Delivery::keep(TableEntry& entry, const std::vector<DeadLetter>& letters) {
  if (letters.empty()) return {};
  // While rows are tried out, nothing is said for good.
  if (!limit_) {
    if (burial_.empty()) burial_ = fmt::format("{}.{}", epoch_.value, ++burials_);
    MAIA_TRY(parts_.dead_letters.record(letters, burial_));
  }
  for (const auto& letter : letters) waiting_.add(letter);
  if (!limit_) entry.dead_letters += letters.size();
  const auto count = waiting_.count(letters[0].table_id);
  if (count <= pipeline_.row_errors.max_dead_letters) return {};
  return Error{
      Error::Code::data, Recovery::halt,
      fmt::format("{} has {} dead letters waiting, more than errors.max_dead_letters allows ({}); the "
                  "last: {}",
                  letters[0].table, count, pipeline_.row_errors.max_dead_letters, letters.back().reason),
      "mend what they have in common, then `maia dlq replay` or `maia dlq purge`"};
}

Status Delivery::bury(const Batch& batch, TableEntry& entry, std::span<const Transaction> transactions,
                      const std::vector<RowFailure>& failures, Stage stage) {
  const bool transform = stage == Stage::transform;
  switch (transform ? pipeline_.row_errors.transform : pipeline_.row_errors.write) {
    case RowErrorPolicy::stop:
      return Error{
          Error::Code::data, Recovery::halt,
          fmt::format("{}: a row failed: {}", to_string(entry.fact.source->name), failures[0].reason),
          fmt::format("mend the {}, or set errors.{} to dead_letter",
                      transform ? "transform or the row" : "row or the destination's table",
                      transform ? "transform" : "write")};
    case RowErrorPolicy::skip:
      for (const auto& failure : failures) {
        const auto& transaction = transaction_of(transactions, batch.ordinal(failure.row));
        auto& skipped = entry.lacks_rows() ? skipped_copied_ : skipped_;
        skipped.insert(letter_operation_id(batch, failure.row, transaction));
        parts_.observer.event(Observer::Level::warning, "a row was skipped",
                              {{"destination", options_.name},
                               {"table", to_string(entry.fact.source->name)},
                               {"operation", transaction.operation_id(batch.ordinal(failure.row))},
                               {"reason", failure.reason}});
      }
      entry.skipped += failures.size();
      return {};
    case RowErrorPolicy::dead_letter: break;
  }
  std::vector<DeadLetter> letters;
  for (const auto& failure : failures) {
    letters.push_back(
        letter_of(batch, failure.row, entry, transaction_of(transactions, batch.ordinal(failure.row))));
    letters.back().stage = transform ? "transform" : "write";
    letters.back().reason = failure.reason;
  }
  return keep(entry, letters);
}

namespace {

/// Whether the change says all of the row, so that it does not matter what was there before.
bool complete(const Batch& batch, std::size_t row) {
  if (batch.op(row) == Op::remove) return true;
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    if (batch.after(i).presence(row) != Presence::unchanged) continue;
    if (!batch.has_before() || batch.before(i).presence(row) == Presence::unchanged) return false;
  }
  return true;
}

}  // namespace

Result<std::optional<Batch>> Delivery::sift(const Batch& batch, TableEntry& entry,
                                            std::span<const Transaction> transactions) {
  const auto& id = batch.schema()->id;
  const auto& skipped = entry.lacks_rows() ? skipped_copied_ : skipped_;
  if (waiting_.none(id) && skipped.empty()) return std::optional<Batch>();
  std::vector<DeadLetter> behind;
  std::vector<std::string> overtaken;
  std::vector<std::size_t> free;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const auto& transaction = transaction_of(transactions, batch.ordinal(row));
    if (!skipped.empty() && skipped.contains(letter_operation_id(batch, row, transaction))) continue;
    auto found = waiting_.find(batch, row, transaction);
    if (found.place == WaitingRows::Place::own) continue;
    if (found.place == WaitingRows::Place::free) {
      free.push_back(row);
      continue;
    }
    if (!pipeline_.row_errors.later_changes_wait && complete(batch, row)) {
      free.push_back(row);
      for (const auto& letter : found.before) waiting_.overtake(id, letter);
      std::move(found.before.begin(), found.before.end(), std::back_inserter(overtaken));
      continue;
    }
    behind.push_back(letter_of(batch, row, entry, transaction));
    behind.back().stage = "order";
    behind.back().reason = "an earlier change of this row is a dead letter: " + found.before.front();
    // At once, because the next row may be one that comes after this one.
    waiting_.add(behind.back());
  }
  if (!overtaken.empty() && !limit_) MAIA_TRY(parts_.dead_letters.overtake(options_.name, overtaken));
  MAIA_TRY(keep(entry, behind));
  if (free.size() == batch.rows()) return std::optional<Batch>();
  Batch rows(batch.schema());
  for (const auto row : free) rows.push_row(batch, row);
  return std::optional(std::move(rows));
}

}  // namespace maia::engine
