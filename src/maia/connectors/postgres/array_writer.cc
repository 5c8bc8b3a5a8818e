// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/array_writer.h"

#include <algorithm>

#include "maia/types/value_text.h"

namespace maia::postgres {
namespace {

using sql::RowRef;

/// An element of an array literal, in quotes, which any element may be.
void append_element(std::string& out, std::string_view text) {
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '"' && text[i] != '\\') continue;
    out.append(text, from, i - from);
    out += '\\';
    from = i;
  }
  out.append(text, from);
  out += '"';
}

}  // namespace

Result<bool> ArrayWriter::write(std::span<const TargetDeliveries> groups, const std::string& savepoint) {
  removes_.clear();
  rows_.clear();
  arrays_used_ = 0;
  for (const auto& group : groups) {
    if (!MAIA_TRY(collect(group))) return false;
  }
  expected_.clear();
  statements_.start();
  MAIA_TRY(pipeline_.start());
  auto sent = send(savepoint);
  auto finished = pipeline_.finish();
  if (!sent.ok() || !finished.ok()) statements_.failed();
  if (!sent.ok()) return std::move(sent).error();
  MAIA_TRY(expected_.check(pipeline_, std::move(finished)));
  return true;
}

Result<bool> ArrayWriter::collect(const TargetDeliveries& group) {
  const auto& target = *group.target;
  const bool converging = std::any_of(group.deliveries.begin(), group.deliveries.end(),
                                      [](const auto* each) { return each->converging; });
  if (target.by_key()) return collect_by_key(group, converging);
  if (target.appends()) return false;
  MAIA_TRY(collect_as_multiset(group));
  return true;
}

Result<bool> ArrayWriter::collect_by_key(const TargetDeliveries& group, bool converging) {
  const auto& target = *group.target;
  net_.start(target.target(), group.deliveries);
  const auto* net = MAIA_TRY(net_.next());
  if (net == nullptr) return true;
  if (!net->moves.empty()) return false;
  const auto& key = target.target().key;
  MAIA_TRY(add(removes_,
               {.target = &target, .statement = Statement::remove_many, .columns = {}, .what = "remove"}, key,
               net->removes));
  for (const auto& update : net->updates) {
    const bool only_key = std::all_of(update.columns.begin(), update.columns.end(),
                                      [&](std::size_t i) { return target.in_key(i); });
    if (only_key) continue;
    std::vector<std::size_t> columns;
    std::copy_if(
        update.columns.begin(), update.columns.end(), std::back_inserter(columns), [&](std::size_t i) {
          return std::find(target.written().begin(), target.written().end(), i) != target.written().end();
        });
    Queued queued{.target = &target,
                  .statement = Statement::update_many,
                  .columns = columns,
                  .must_exist = !converging,
                  .what = "update"};
    MAIA_TRY(add(rows_, std::move(queued), columns, update.rows));
  }
  for (const auto* rows : {&net->inserts, &net->upserts}) {
    MAIA_TRY(add(rows_,
                 {.target = &target, .statement = Statement::upsert_many, .columns = {}, .what = "insert"},
                 target.written(), *rows));
  }
  return MAIA_TRY(net_.next()) == nullptr;
}

Status ArrayWriter::collect_as_multiset(const TargetDeliveries& group) {
  const auto& target = *group.target;
  const auto* net = MAIA_TRY(multiset_.reduce(target.target(), group.deliveries));
  MAIA_TRY(add(removes_,
               {.target = &target,
                .statement = Statement::remove_each,
                .columns = {},
                .must_exist = true,
                .what = "remove"},
               target.written(), net->removes));
  return add(rows_, {.target = &target, .statement = Statement::insert_many, .columns = {}, .what = "insert"},
             target.written(), net->inserts);
}

Status ArrayWriter::add(std::vector<Queued>& list, Queued queued, std::span<const std::size_t> given,
                        std::span<const RowRef> rows) {
  if (rows.empty()) return {};
  queued.first_array = arrays_used_;
  queued.rows = rows.size();
  for (const auto i : given) {
    if (arrays_used_ == arrays_.size()) arrays_.emplace_back();
    auto& array = arrays_[arrays_used_++];
    array.clear();
    array += '{';
    const auto& type = queued.target->target().schema->columns[i].type;
    for (const auto& row : rows) {
      if (array.size() > 1) array += ',';
      const auto& column = row.column(i);
      if (!column.has_value(row.row)) {
        array += "NULL";
        continue;
      }
      text_.clear();
      append_value_text(text_, type, column, row.row);
      if (text_.find('\0') != text_.npos) return zero_byte(*queued.target, i);
      append_element(array, text_);
    }
    array += '}';
  }
  list.push_back(std::move(queued));
  return {};
}

Status ArrayWriter::send(const std::string& savepoint) {
  MAIA_TRY(pipeline_.run("savepoint " + savepoint));
  for (auto each = removes_.rbegin(); each != removes_.rend(); ++each) MAIA_TRY(send(*each));
  for (const auto& each : rows_) MAIA_TRY(send(each));
  return pipeline_.run("release savepoint " + savepoint);
}

Status ArrayWriter::send(const Queued& queued) {
  const auto& target = *queued.target;
  const auto count = queued.statement == Statement::update_many   ? queued.columns.size()
                     : queued.statement == Statement::remove_many ? target.target().key.size()
                                                                  : target.written().size();
  values_.clear();
  for (std::size_t i = 0; i < count; ++i) values_.push_back(arrays_[queued.first_array + i].c_str());
  const auto rows = queued.must_exist ? std::optional(queued.rows) : std::nullopt;
  return statements_.execute(pipeline_, target, queued.statement, queued.columns, values_,
                             expected_.add(target, queued.what, rows));
}

}  // namespace maia::postgres
