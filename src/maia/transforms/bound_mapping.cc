// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/bound_mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "maia/transforms/script_lexer.h"
#include "maia/transforms/sql_tree.h"

namespace maia::transforms {
namespace {

bool any_missing(const Batch& batch, Image image, const std::vector<std::size_t>& inputs, std::size_t row) {
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](std::size_t input) { return is_missing(batch, image, input, row); });
}

/// Whether the old row is known beyond an unchanged key.
bool has_old_image(const Batch& batch, std::size_t row) {
  if (!batch.has_before()) return false;
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    if (batch.before(i).presence(row) != Presence::unchanged) return true;
  }
  return false;
}

/// A column that is named by mistake without `in.`, out of DuckDB's message.
std::string unknown_name(const std::string& message) {
  constexpr std::string_view kBegin = "Referenced column \"";
  const auto begin = message.find(kBegin);
  if (begin == message.npos) return "";
  const auto name = message.substr(begin + kBegin.size());
  return name.substr(0, name.find('"'));
}

}  // namespace

const ColumnVector& BoundMapping::Computed::value(const Evaluation& evaluation,
                                                  std::size_t expression) const {
  const auto& wanted = evaluation.wanted();
  const auto found = std::lower_bound(wanted.begin(), wanted.end(), expression);
  return values[static_cast<std::size_t>(found - wanted.begin())];
}

std::size_t BoundMapping::Computed::index(std::size_t row) const {
  return static_cast<std::size_t>(std::lower_bound(rows.begin(), rows.end(), row) - rows.begin());
}

Result<std::unique_ptr<BoundTransform>> BoundMapping::prepare(std::shared_ptr<Sandbox> sandbox,
                                                              Mapping mapping, SchemaRef input) {
  std::unique_ptr<BoundMapping> made(
      new BoundMapping(std::move(sandbox), std::move(mapping), std::move(input)));
  made->connection_ = MAIA_TRY(made->sandbox_->connect());
  MAIA_TRY(made->check_expressions());
  MAIA_TRY(made->prepare_evaluations());
  made->make_output();
  return std::unique_ptr<BoundTransform>(std::move(made));
}

Status BoundMapping::check_expressions() {
  if (mapping_.expressions.empty()) return {};
  for (const auto& expression : mapping_.expressions) {
    const auto tree = SqlTree::parse(connection_.get(), fmt::format("SELECT ({})", expression.sql));
    if (!tree.ok()) return script_error(expression.place, tree.error().message, tree.error().hint);
    const auto value = tree->only_value();
    if (!value) return script_error(expression.place, "one expression is expected");
    const auto names = row_wise_names(*value, sandbox_->aggregates());
    if (!names.ok()) return script_error(expression.place, names.error().message, names.error().hint);
  }
  return {};
}

Status BoundMapping::prepare_evaluations() {
  const auto key = input_->key();
  std::set<std::size_t> after;
  std::set<std::size_t> before;
  const auto want = [&](std::size_t expression) {
    after.insert(expression);
    const auto& inputs = mapping_.expressions[expression].inputs;
    const bool of_key = std::includes(key.begin(), key.end(), inputs.begin(), inputs.end());
    if (input_->identity == Identity::full || of_key) before.insert(expression);
  };
  for (const auto& output : mapping_.outputs) {
    if (const auto* computed = std::get_if<Mapping::Computed>(&output.from)) want(computed->expression);
  }
  if (mapping_.filter) want(*mapping_.filter);
  auto prepared =
      Evaluation::prepare(sandbox_, connection_.get(), mapping_, *input_, {after.begin(), after.end()});
  if (!prepared.ok()) return explain(prepared.error());
  after_ = std::move(prepared).value();
  before_ = MAIA_TRY(
      Evaluation::prepare(sandbox_, connection_.get(), mapping_, *input_, {before.begin(), before.end()}));
  if (mapping_.filter) {
    const auto at = std::lower_bound(after_->wanted().begin(), after_->wanted().end(), *mapping_.filter);
    const auto& type = after_->types()[static_cast<std::size_t>(at - after_->wanted().begin())];
    if (type.id != TypeId::boolean) {
      return script_error(mapping_.expressions[*mapping_.filter].place,
                          fmt::format("the filter gives {}, not true or false", to_string(type)),
                          "compare it with something");
    }
  }
  return {};
}

Error BoundMapping::explain(const Error& error) {
  for (std::size_t i = 0; i < mapping_.expressions.size(); ++i) {
    const auto alone = Evaluation::prepare(sandbox_, connection_.get(), mapping_, *input_, {i});
    if (alone.ok()) continue;
    const auto& place = mapping_.expressions[i].place;
    const auto name = unknown_name(alone.error().message);
    if (name.empty()) return script_error(place, alone.error().message, alone.error().hint);
    auto hint = input_->find(name) ? fmt::format("write in.{0} for the column {0}", name)
                                   : "columns are in.<name> and out.<name>; other names are made with let";
    return script_error(place, fmt::format("there is no '{}'", name), std::move(hint));
  }
  return error;
}

void BoundMapping::make_output() {
  auto made = std::make_shared<TableSchema>(*input_);
  made->columns.clear();
  const auto in_key = output_key(mapping_, *input_);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < mapping_.outputs.size(); ++i) {
    const auto& output = mapping_.outputs[i];
    Column column;
    if (const auto* copy = std::get_if<Mapping::Copy>(&output.from)) {
      column = input_->columns[copy->column];
      if (!ids.insert(column.id).second) column.id.clear();
    } else {
      const auto expression = std::get<Mapping::Computed>(output.from).expression;
      const auto& wanted = after_->wanted();
      const auto at = std::lower_bound(wanted.begin(), wanted.end(), expression);
      column.type = after_->types()[static_cast<std::size_t>(at - wanted.begin())];
      column.nullable = !in_key[i];
    }
    column.name = output.name;
    column.in_key = in_key[i];
    column.generated = false;
    made->columns.push_back(std::move(column));
  }
  output_ = std::move(made);
}

bool BoundMapping::is_simple(const Batch& batch) const {
  if (mapping_.filter || batch.has_before()) return false;
  for (const auto op : batch.ops()) {
    if (op == Op::remove) return false;
  }
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    if (batch.after(i).any_unchanged()) return false;
  }
  return true;
}

Result<Batch> BoundMapping::apply_simple(const Batch& batch, Computed after) {
  std::vector<ColumnVector> columns;
  for (const auto& output : mapping_.outputs) {
    if (const auto* copy = std::get_if<Mapping::Copy>(&output.from)) {
      columns.push_back(batch.after(copy->column));
    } else {
      columns.push_back(after.value(*after_, std::get<Mapping::Computed>(output.from).expression));
    }
  }
  return Batch::assemble(output_, {batch.ops().begin(), batch.ops().end()},
                         {batch.ordinals().begin(), batch.ordinals().end()}, std::move(columns), {});
}

Result<Batch> BoundMapping::apply(const Batch& batch, std::vector<RowFailure>& failures) {
  std::vector<RowFailure> failed;
  Computed after;
  for (std::uint32_t row = 0; row < batch.rows(); ++row) {
    if (batch.op(row) != Op::remove) after.rows.push_back(row);
  }
  after.values = MAIA_TRY(after_->run(batch, Image::after, after.rows, failed));
  if (failed.empty() && is_simple(batch)) return apply_simple(batch, std::move(after));

  std::vector<Fate> fates(batch.rows(), Fate::pass);
  for (const auto& failure : failed) fates[failure.row] = Fate::fail;
  const auto fail = [&](std::uint32_t row, std::string reason) {
    fates[row] = Fate::fail;
    failed.push_back({row, std::move(reason)});
  };
  for (const auto row : after.rows) {
    std::string reason;
    if (fates[row] != Fate::fail) fates[row] = fate(batch, after, row, reason);
    if (!reason.empty()) fail(row, std::move(reason));
  }

  Computed before;
  before.rows = rows_with_old_image(batch, fates);
  const auto known = failed.size();
  before.values = MAIA_TRY(before_->run(batch, Image::before, before.rows, failed));
  for (auto i = known; i < failed.size(); ++i) fates[failed[i].row] = Fate::fail;
  for (const auto row : after.rows) {
    if (fates[row] != Fate::ask) continue;
    std::string reason;
    fates[row] = fate_by_old_row(batch, before, row, reason);
    if (!reason.empty()) fail(row, std::move(reason));
  }
  std::sort(failed.begin(), failed.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
  std::move(failed.begin(), failed.end(), std::back_inserter(failures));
  return assemble(batch, after, before, fates);
}

std::vector<std::uint32_t> BoundMapping::rows_with_old_image(const Batch& batch,
                                                             const std::vector<Fate>& fates) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < batch.rows(); ++row) {
    const auto op = batch.op(row);
    if (fates[row] == Fate::fail || (fates[row] == Fate::reject && op != Op::update)) continue;
    if (op == Op::remove || fates[row] == Fate::reject || has_old_image(batch, row)) rows.push_back(row);
  }
  return rows;
}

Batch BoundMapping::assemble(const Batch& batch, const Computed& after, const Computed& before,
                             const std::vector<Fate>& fates) const {
  Batch out(output_);
  std::size_t next_before = 0;
  for (std::uint32_t row = 0; row < batch.rows(); ++row) {
    const bool old_known = next_before < before.rows.size() && before.rows[next_before] == row;
    if (old_known) ++next_before;
    const auto op = batch.op(row);
    if (fates[row] == Fate::fail || (fates[row] == Fate::reject && op != Op::update)) continue;
    const bool enters = fates[row] == Fate::enter;
    out.begin_row(enters ? Op::insert : fates[row] == Fate::reject ? Op::remove : op, batch.ordinal(row));
    if (fates[row] != Fate::reject && op != Op::remove) push_after(batch, after, row, enters, out);
    if (old_known && !enters) push_before(batch, before, row, out);
    out.finish_row();
  }
  return out;
}

BoundMapping::Fate BoundMapping::fate(const Batch& batch, const Computed& after, std::size_t row,
                                      std::string& reason) const {
  if (mapping_.filter) {
    if (any_missing(batch, Image::after, mapping_.expressions[*mapping_.filter].inputs, row)) {
      reason = "the filter reads a column that the source did not send because it did not change";
      return Fate::fail;
    }
    const auto& passes = after.value(*after_, *mapping_.filter);
    const auto index = after.index(row);
    if (!passes.has_value(index) || passes.fixed<std::uint8_t>(index) == 0) return Fate::reject;
  }
  if (const auto column = impossible(batch, row)) {
    reason = fmt::format(
        "{} depends on a column that the source did not send because it did not change, and on others that "
        "may have "
        "changed; REPLICA IDENTITY FULL at the source, or an expression of that column alone, would do",
        *column);
    return Fate::fail;
  }
  const bool may_enter = mapping_.filter && batch.op(row) == Op::update && lacks_values(batch, row) &&
                         !inputs_unchanged(batch, mapping_.expressions[*mapping_.filter].inputs, row);
  return may_enter ? Fate::ask : Fate::pass;
}

bool BoundMapping::lacks_values(const Batch& batch, std::size_t row) const {
  return std::any_of(mapping_.outputs.begin(), mapping_.outputs.end(), [&](const auto& output) {
    if (const auto* copy = std::get_if<Mapping::Copy>(&output.from)) {
      return batch.after(copy->column).presence(row) == Presence::unchanged;
    }
    return any_missing(batch, Image::after, inputs_of(mapping_, output), row);
  });
}

BoundMapping::Fate BoundMapping::fate_by_old_row(const Batch& batch, const Computed& before, std::size_t row,
                                                 std::string& reason) const {
  const bool old_known =
      !any_missing(batch, Image::before, mapping_.expressions[*mapping_.filter].inputs, row);
  if (old_known) {
    const auto& passed = before.value(*before_, *mapping_.filter);
    const auto index = before.index(row);
    if (passed.has_value(index) && passed.fixed<std::uint8_t>(index) != 0) return Fate::pass;
  }
  const bool whole = std::none_of(mapping_.outputs.begin(), mapping_.outputs.end(), [&](const auto& output) {
    return any_missing(batch, Image::after, inputs_of(mapping_, output), row);
  });
  if (old_known && whole) return Fate::enter;
  reason =
      "it may enter the filter by this update, but the source did not send its unchanged large values; "
      "REPLICA "
      "IDENTITY FULL at the source would do";
  return Fate::fail;
}

std::optional<std::string> BoundMapping::impossible(const Batch& batch, std::size_t row) const {
  for (const auto& output : mapping_.outputs) {
    const auto* computed = std::get_if<Mapping::Computed>(&output.from);
    if (computed == nullptr) continue;
    const auto& inputs = mapping_.expressions[computed->expression].inputs;
    if (any_missing(batch, Image::after, inputs, row) && !inputs_unchanged(batch, inputs, row))
      return output.name;
  }
  return {};
}

bool BoundMapping::inputs_unchanged(const Batch& batch, const std::vector<std::size_t>& inputs,
                                    std::size_t row) const {
  if (batch.op(row) != Op::update) return false;
  return std::all_of(inputs.begin(), inputs.end(), [&](std::size_t input) {
    if (batch.after(input).presence(row) == Presence::unchanged) return true;
    // The source sends the old key whenever the key changed.
    return input_->columns[input].in_key &&
           (!batch.has_before() || batch.before(input).presence(row) == Presence::unchanged);
  });
}

void BoundMapping::push_after(const Batch& batch, const Computed& after, std::size_t row, bool whole,
                              Batch& out) const {
  for (std::size_t i = 0; i < mapping_.outputs.size(); ++i) {
    const auto& from = mapping_.outputs[i].from;
    if (const auto* copy = std::get_if<Mapping::Copy>(&from)) {
      const auto& values =
          whole ? image_of(batch, Image::after, copy->column, row) : batch.after(copy->column);
      out.mutable_after(i).push_from(values, row);
      continue;
    }
    const auto expression = std::get<Mapping::Computed>(from).expression;
    if (any_missing(batch, Image::after, mapping_.expressions[expression].inputs, row)) {
      out.mutable_after(i).push_unchanged();
    } else {
      out.mutable_after(i).push_from(after.value(*after_, expression), after.index(row));
    }
  }
}

void BoundMapping::push_before(const Batch& batch, const Computed& before, std::size_t row,
                               Batch& out) const {
  for (std::size_t i = 0; i < mapping_.outputs.size(); ++i) {
    const auto& from = mapping_.outputs[i].from;
    const auto inputs = inputs_of(mapping_, mapping_.outputs[i]);
    auto& column = out.mutable_before(i);
    if (any_missing(batch, Image::before, inputs, row)) {
      column.push_unchanged();
    } else if (const auto* copy = std::get_if<Mapping::Copy>(&from)) {
      column.push_from(image_of(batch, Image::before, copy->column, row), row);
    } else {
      const auto expression = std::get<Mapping::Computed>(from).expression;
      column.push_from(before.value(*before_, expression), before.index(row));
    }
  }
}

}  // namespace maia::transforms
