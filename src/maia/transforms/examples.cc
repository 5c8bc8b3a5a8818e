// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "maia/config/json.h"
#include "maia/transforms/make_transform.h"
#include "maia/types/value_text.h"

namespace maia::transforms {
namespace {

Result<Batch> to_batch(const SchemaRef& table, std::span<const TextRow> rows) {
  Batch batch(table);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    batch.begin_row(Op::insert, row);
    for (std::size_t i = 0; i < table->columns.size(); ++i) {
      const auto& column = table->columns[i];
      const auto is = [&](const auto& value) { return value.first == column.name; };
      const auto found = std::find_if(rows[row].begin(), rows[row].end(), is);
      if (found == rows[row].end() || !found->second) {
        batch.mutable_after(i).push_null();
        continue;
      }
      const auto where = fmt::format("row {}: {}", row + 1, column.name);
      MAIA_TRY(in(where, push_value_text(batch.mutable_after(i), column.type, *found->second)));
    }
    batch.finish_row();
  }
  return batch;
}

TextRow to_text(const Batch& batch, std::size_t row) {
  TextRow text;
  for (std::size_t i = 0; i < batch.columns(); ++i) {
    const auto& column = batch.schema()->columns[i];
    const auto& values = batch.op(row) == Op::remove ? batch.old_key(i, row) : batch.after(i);
    const auto presence = values.presence(row);
    if (presence == Presence::unchanged) continue;
    text.emplace_back(column.name, std::nullopt);
    if (presence == Presence::value) {
      append_value_text(text.back().second.emplace(), column.type, values, row);
    }
  }
  return text;
}

/// A scalar's text, or JSON for what has parts; nothing for null.
std::optional<std::string> text_of(const config::Node& node) {
  if (node.is_null()) return std::nullopt;
  if (const auto* scalar = node.scalar()) return scalar->text;
  return config::to_json(node);
}

Type type_of(const config::Node& node) {
  const auto* scalar = node.scalar();
  if (scalar == nullptr) return node.is_null() ? Type::text() : Type::of(TypeId::json);
  const auto& text = scalar->text;
  if (scalar->quoted || text.empty()) return Type::text();
  if (text == "true" || text == "false") return Type::of(TypeId::boolean);
  const auto digits = std::string_view(text).substr(text[0] == '-' ? 1 : 0);
  const auto point = digits.find('.');
  if (digits.empty() || digits.find_first_not_of("0123456789.") != digits.npos || digits.size() > 18) {
    return Type::text();
  }
  if (point == digits.npos) return Type::of(TypeId::int64);
  if (digits.find('.', point + 1) != digits.npos) return Type::text();
  return Type::decimal(18, static_cast<std::uint16_t>(digits.size() - point - 1));
}

/// The type that holds the values of both.
Type widest(const Type& a, const Type& b) {
  if (a == b) return a;
  const auto number = [](const Type& type) { return type.id == TypeId::int64 || type.id == TypeId::decimal; };
  if (number(a) && number(b)) return Type::decimal(18, std::max(a.scale, b.scale));
  return Type::text();
}

SchemaRef table_of(const config::ExampleSettings& example) {
  auto table = std::make_shared<TableSchema>();
  const auto point = example.table.find('.');
  table->name = point == std::string::npos
                    ? TableName{"", example.table}
                    : TableName{example.table.substr(0, point), example.table.substr(point + 1)};
  std::vector<bool> typed;
  for (const auto& row : example.input) {
    if (row.mapping() == nullptr) continue;
    for (const auto& [name, mark, value] : *row.mapping()) {
      auto at = table->find(name);
      if (!at) {
        at = table->columns.size();
        table->columns.push_back({.name = name, .type = Type::text(), .id = {}});
        typed.push_back(false);
      }
      if (value.is_null()) continue;
      auto& type = table->columns[*at].type;
      type = typed[*at] ? widest(type, type_of(value)) : type_of(value);
      typed[*at] = true;
    }
  }
  return table;
}

TextRow row_of(const config::Node& node) {
  TextRow row;
  if (node.mapping() == nullptr) return row;
  for (const auto& [name, mark, value] : *node.mapping()) row.emplace_back(name, text_of(value));
  return row;
}

std::string shown(const std::optional<std::string>& value) { return value ? "'" + *value + "'" : "NULL"; }

void compare_rows(std::size_t number, const TextRow& wanted, const TextRow& got, const TableSchema& schema,
                  std::vector<std::string>& differences) {
  for (const auto& [name, value] : wanted) {
    const auto column = schema.find(name);
    if (!column) {
      differences.push_back(fmt::format("row {}: there is no column {} in the output", number, name));
      continue;
    }
    auto expected = value;
    // "true" and "1.50" are written in many ways; compare what they mean for the column.
    ColumnVector parsed(physical(schema.columns[*column].type));
    if (value && push_value_text(parsed, schema.columns[*column].type, *value).ok()) {
      append_value_text(expected.emplace(), schema.columns[*column].type, parsed, 0);
    }
    const auto is = [&](const auto& each) { return each.first == name; };
    const auto found = std::find_if(got.begin(), got.end(), is);
    if (found == got.end() || found->second == expected) continue;
    differences.push_back(
        fmt::format("row {}: {} is {}, not {}", number, name, shown(found->second), shown(expected)));
  }
  for (const auto& [name, value] : got) {
    const auto is = [&](const auto& each) { return each.first == name; };
    if (std::none_of(wanted.begin(), wanted.end(), is)) {
      differences.push_back(fmt::format("row {}: the output has {} too: {}", number, name, shown(value)));
    }
  }
}

ExampleOutcome run_test(const config::ExampleSettings& example,
                        std::span<const std::unique_ptr<Transform>> transforms) {
  ExampleOutcome outcome{example.name, {}};
  std::vector<TextRow> input;
  for (const auto& row : example.input) input.push_back(row_of(row));
  const auto table = table_of(example);
  const auto result = preview(transforms, table, input);
  if (!result.ok()) {
    outcome.differences.push_back(result.error().message);
    return outcome;
  }
  for (const auto& failure : result->failures) {
    outcome.differences.push_back(fmt::format("input row {} fails: {}", failure.row + 1, failure.reason));
  }
  if (result->rows.size() != example.output.size()) {
    outcome.differences.push_back(
        fmt::format("{} rows came out, {} are expected", result->rows.size(), example.output.size()));
  }
  for (std::size_t i = 0; i < std::min(result->rows.size(), example.output.size()); ++i) {
    compare_rows(i + 1, row_of(example.output[i]), result->rows[i], *result->schema, outcome.differences);
  }
  const bool idle = std::none_of(transforms.begin(), transforms.end(),
                                 [&](const auto& transform) { return transform->applies_to(*table); });
  if (idle && !outcome.differences.empty()) {
    outcome.differences.emplace_back(
        "no transform applies: the rows of the input must have every column that it reads");
  }
  return outcome;
}

}  // namespace

Result<Preview> preview(std::span<const std::unique_ptr<Transform>> transforms, const SchemaRef& table,
                        std::span<const TextRow> rows) {
  return preview(transforms, MAIA_TRY(to_batch(table, rows)));
}

Result<Preview> preview(std::span<const std::unique_ptr<Transform>> transforms, const Batch& batch) {
  Preview result;
  auto current = batch.clone();
  for (const auto& transform : transforms) {
    if (!transform->applies_to(*current.schema())) continue;
    const auto bound = MAIA_TRY(in(transform->name(), transform->bind(current.schema())));
    std::vector<RowFailure> failures;
    auto next = MAIA_TRY(in(transform->name(), bound->apply(current, failures)));
    for (auto& failure : failures) {
      // Ordinals are kept, so they tell which row of the first input it was.
      const auto ordinals = batch.ordinals();
      const auto at = std::lower_bound(ordinals.begin(), ordinals.end(), current.ordinal(failure.row));
      failure.row = static_cast<std::size_t>(at - ordinals.begin());
      result.failures.push_back(std::move(failure));
    }
    current = std::move(next);
  }
  result.schema = current.schema();
  for (std::size_t row = 0; row < current.rows(); ++row) result.rows.push_back(to_text(current, row));
  return result;
}

Result<std::vector<ExampleOutcome>> run_tests(const config::PipelineSettings& pipeline) {
  std::map<std::string, std::vector<std::unique_ptr<Transform>>> chains;
  chains.emplace("", MAIA_TRY(make_transforms(pipeline.transforms)));
  for (const auto& destination : pipeline.destinations)
    chains.emplace(destination.name, MAIA_TRY(make_transforms(destination.transforms)));
  std::vector<ExampleOutcome> outcomes;
  for (const auto& example : pipeline.tests)
    outcomes.push_back(run_test(example, chains.at(example.destination)));
  return outcomes;
}

}  // namespace maia::transforms
