// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/row_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>

#include "maia/types/value_text.h"

namespace maia::postgres {
namespace {

using sql::Image;
using sql::RowRef;

}  // namespace

Error zero_byte(const WriteTarget& target, std::size_t column) {
  return Error{
      .code = Error::Code::data,
      .message = fmt::format("table {}, column {}: PostgreSQL does not store text with a zero byte",
                             to_string(target.target().name), target.target().schema->columns[column].name),
      .hint = "remove it in a transform, or store the column as bytes"};
}

Status RowWriter::write(std::span<const TargetDeliveries> groups, const std::string& savepoint) {
  expected_.clear();
  statements_.start();
  MAIA_TRY(pipeline_.start());
  auto queued = pipeline_.run("savepoint " + savepoint);
  if (queued.ok()) queued = queue(groups);
  if (queued.ok()) queued = pipeline_.run("release savepoint " + savepoint);
  auto finished = pipeline_.finish();
  if (!queued.ok() || !finished.ok()) statements_.failed();
  if (!queued.ok()) return queued;
  return expected_.check(pipeline_, std::move(finished));
}

Status RowWriter::queue(std::span<const TargetDeliveries> groups) {
  struct Next {
    std::uint64_t window;
    std::uint64_t ordinal;
    std::size_t run;  ///< deliveries of one target with equal ordinals stay in order
    auto operator<=>(const Next&) const = default;
  };
  struct Run {
    WriteTarget* target;
    const Delivery* delivery;
    std::uint32_t row = 0;
  };
  std::vector<Run> runs;
  std::priority_queue<Next, std::vector<Next>, std::greater<>> next;
  for (const auto& group : groups) {
    for (const auto* delivery : group.deliveries) {
      if (delivery->batch->rows() == 0) continue;
      next.push({delivery->window, delivery->batch->ordinal(0), runs.size()});
      runs.push_back({group.target, delivery});
    }
  }
  while (!next.empty()) {
    auto& run = runs[next.top().run];
    const auto number = next.top().run;
    next.pop();
    const auto& batch = *run.delivery->batch;
    // Up to where another batch has something to do in between.
    do {
      MAIA_TRY(queue_row(*run.target, *run.delivery, run.row++));
    } while (run.row < batch.rows() &&
             (next.empty() || Next{run.delivery->window, batch.ordinal(run.row), number} < next.top()));
    if (run.row < batch.rows()) next.push({run.delivery->window, batch.ordinal(run.row), number});
  }
  return {};
}

Status RowWriter::queue_row(WriteTarget& target, const Delivery& delivery, std::uint32_t row) {
  const auto& batch = *delivery.batch;
  const RowRef now{&batch, row, Image::after};
  const RowRef old{&batch, row, Image::before};
  const auto op = batch.op(row);
  if (op == Op::read || op == Op::insert) {
    return whole_row(target, target.by_key() ? Statement::upsert : Statement::insert, now);
  }
  if (!target.by_key()) {
    begin_values();
    MAIA_TRY(push(target, old, target.written()));
    MAIA_TRY(execute(target, Statement::remove_one, {}, true, "remove"));
    return op == Op::remove ? Status{} : whole_row(target, Statement::insert, now);
  }
  const auto& key = target.target().key;
  if (op == Op::remove) {
    begin_values();
    MAIA_TRY(push(target, old, key));
    return execute(target, Statement::remove, {}, false, "remove");
  }
  if (batch.has_before() && !sql::same_values(old, now, key))
    return move(target, old, now, delivery.converging);
  return update(target, now, delivery.converging);
}

Status RowWriter::update(WriteTarget& target, const RowRef& now, bool converging) {
  if (sql::find_present(now, target.written(), present_)) return whole_row(target, Statement::upsert, now);
  changes_.clear();
  std::copy_if(present_.begin(), present_.end(), std::back_inserter(changes_),
               [&](std::size_t i) { return !target.in_key(i); });
  if (changes_.empty()) return {};
  begin_values();
  MAIA_TRY(push(target, now, changes_));
  MAIA_TRY(push(target, now, target.target().key));
  return execute(target, Statement::update, changes_, !converging, "update");
}

Status RowWriter::move(WriteTarget& target, const RowRef& old, const RowRef& now, bool converging) {
  const auto& key = target.target().key;
  const bool whole = sql::find_present(now, target.written(), present_);
  if (whole && converging) {
    begin_values();
    MAIA_TRY(push(target, old, key));
    MAIA_TRY(execute(target, Statement::remove, {}, false, "remove"));
    return whole_row(target, Statement::upsert, now);
  }
  if (converging) {
    begin_values();
    MAIA_TRY(push(target, now, key));
    MAIA_TRY(push(target, old, key));
    MAIA_TRY(execute(target, Statement::make_room, {}, false, "remove"));
  }
  begin_values();
  MAIA_TRY(push(target, now, present_));
  MAIA_TRY(push(target, old, key));
  MAIA_TRY(execute(target, Statement::move, present_, !whole && !converging, "change the key of"));
  // A row that is not there yet, because a filter kept it away until now, comes whole.
  return whole ? whole_row(target, Statement::insert_absent, now) : Status{};
}

Status RowWriter::whole_row(WriteTarget& target, Statement kind, const RowRef& row) {
  begin_values();
  MAIA_TRY(push(target, row, target.written()));
  return execute(target, kind, {}, false, "insert");
}

Status RowWriter::push(const WriteTarget& target, const RowRef& row, std::span<const std::size_t> columns) {
  for (const auto i : columns) {
    const auto& column = row.column(i);
    switch (column.presence(row.row)) {
      case Presence::unchanged:
        return Error{
            .code = Error::Code::data,
            .message = fmt::format("table {}: a change came without the value of column {}",
                                   to_string(target.target().name), target.target().schema->columns[i].name),
            .hint =
                "let the source send whole old rows for this table (REPLICA IDENTITY FULL), or give it "
                "a key"};
      case Presence::null: ends_.push_back(std::string::npos); continue;
      case Presence::value: break;
    }
    const auto begin = texts_.size();
    append_value_text(texts_, target.target().schema->columns[i].type, column, row.row);
    if (texts_.find('\0', begin) != std::string::npos) return zero_byte(target, i);
    texts_ += '\0';
    ends_.push_back(begin);
  }
  return {};
}

Status RowWriter::execute(WriteTarget& target, Statement kind, std::span<const std::size_t> columns,
                          bool must_exist, const char* what) {
  values_.clear();
  for (const auto begin : ends_) {
    values_.push_back(begin == std::string::npos ? nullptr : texts_.data() + begin);
  }
  const auto rows = must_exist ? std::optional<std::size_t>(1) : std::nullopt;
  return statements_.execute(pipeline_, target, kind, columns, values_, expected_.add(target, what, rows));
}

}  // namespace maia::postgres
