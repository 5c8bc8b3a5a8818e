// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/app/text_table.h"
#include "maia/config/json.h"
#include "maia/config/nearest.h"
#include "maia/transforms/examples.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;
using transforms::Preview;
using transforms::TextRow;

constexpr std::size_t kWidestCell = 60;

/// The first rows of a table, out of the first chunks of a snapshot.
Result<Batch> first_rows(Snapshot& snapshot, const SchemaRef& table, std::uint32_t rows) {
  Batch head(table);
  const auto plan = MAIA_TRY(snapshot.plan(table, std::nullopt));
  const auto reader = MAIA_TRY(snapshot.open_reader());
  const Error enough{Error::Code::cancelled, Recovery::halt, "enough rows", ""};
  for (const auto& chunk : plan.chunks) {
    const auto take = [&](const Batch& batch) -> Status {
      for (std::size_t row = 0; row < batch.rows() && head.rows() < rows; ++row) {
        head.push_row(batch, row);
        head.set_ordinal(head.rows() - 1, head.rows());
      }
      if (head.rows() < rows) return {};
      return enough;
    };
    const auto read = reader->read(table, chunk, take, {});
    if (head.rows() >= rows) break;
    if (!read.ok()) return read.error();
  }
  return head;
}

/// What a screen shows of a value.
std::string cell(const std::optional<std::string>& value) {
  if (!value) return "NULL";
  auto text = *value;
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  if (text.size() <= kWidestCell) return text;
  auto end = kWidestCell;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

void print(std::ostream& out, const std::string& title, const Preview& shown) {
  out << "  " << title << '\n';
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& column : shown.schema->columns) rows[0].push_back(column.name);
  for (const auto& row : shown.rows) {
    auto& cells = rows.emplace_back();
    for (const auto& [name, value] : row) cells.push_back(cell(value));
  }
  print_table(out, rows, 4);
}

Node json_of(const std::vector<TextRow>& rows) {
  Node::Sequence list;
  for (const auto& row : rows) {
    Node::Mapping values;
    for (const auto& [name, value] : row) {
      values.push_back({name, {}, value ? Node::text(*value) : Node{Node::Null{}, {}}});
    }
    list.push_back(Node{std::move(values), {}});
  }
  return Node{std::move(list), {}};
}

/// The transforms that the rows are shown behind: the pipeline's, or where destinations have their own, those
/// of each destination.
struct Chain {
  std::string destination;  ///< "" for all
  std::vector<std::unique_ptr<Transform>> transforms;
};
Result<std::vector<Chain>> chains_of(const config::PipelineSettings& pipeline) {
  std::vector<Chain> chains;
  const auto own = [&](const auto& each) { return each.transforms.size() > pipeline.transforms.size(); };
  if (std::none_of(pipeline.destinations.begin(), pipeline.destinations.end(), own)) {
    chains.push_back({"", MAIA_TRY(compile_transforms(pipeline.transforms))});
    return chains;
  }
  for (const auto& each : pipeline.destinations)
    chains.push_back({each.name, MAIA_TRY(compile_transforms(each.transforms))});
  return chains;
}

Node json_of(const Preview& before, const Preview& after, const std::string& pipeline,
             const std::string& destination) {
  Node::Sequence failures;
  for (const auto& failure : after.failures) {
    failures.push_back(
        Object().set("row", std::uint64_t{failure.row + 1}).set("reason", failure.reason).node());
  }
  return Object()
      .set("pipeline", pipeline)
      .set("destination", destination)
      .set("table", to_string(before.schema->name))
      .set("before", json_of(before.rows))
      .set("after", json_of(after.rows))
      .set("failures", Node{std::move(failures), {}})
      .node();
}

void show_after(std::ostream& out, const std::string& destination, const Preview& after) {
  print(out, destination.empty() ? "after" : "after, at " + destination, after);
  for (const auto& failure : after.failures)
    out << fmt::format("  row {} fails: {}\n", failure.row + 1, failure.reason);
}

bool chosen(const std::vector<std::string>& names, const TableName& table) {
  const auto is = [&](const auto& name) { return name == table.table || name == to_string(table); };
  return names.empty() || std::any_of(names.begin(), names.end(), is);
}

/// Each name that was asked for must be a table of the source.
Status check_names(const std::vector<std::string>& names, const std::vector<SourceTable>& tables) {
  std::vector<std::string> known;
  for (const auto& table : tables) known.push_back(table.schema->name.table);
  for (const auto& name : names) {
    const auto is = [&](const SourceTable& table) { return chosen({name}, table.schema->name); };
    if (std::any_of(tables.begin(), tables.end(), is)) continue;
    auto hint = config::did_you_mean(name, known);
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("the source selects no table '{}'", name),
                 hint.empty() ? "`maia plan` lists the tables" : hint};
  }
  return {};
}

}  // namespace

Result<ExitCode> execute(const PreviewArguments& arguments, Outside& outside) {
  auto code = ExitCode::done;
  Node::Sequence all;
  for (const auto& pipeline : MAIA_TRY(load_pipelines({arguments.file}, outside))) {
    const auto chains = MAIA_TRY(chains_of(pipeline));
    const auto source = MAIA_TRY(open_source(pipeline, arguments.state, outside));
    const auto tables = MAIA_TRY(in("source", source->tables()));
    MAIA_TRY(check_names(arguments.tables, tables));
    const auto snapshot = MAIA_TRY(in("source", source->snapshot()));
    for (const auto& table : tables) {
      if (!table.problem.empty() || !chosen(arguments.tables, table.schema->name)) continue;
      const auto name = to_string(table.schema->name);
      const auto rows = MAIA_TRY(in(name, first_rows(*snapshot, table.schema, arguments.rows)));
      const auto before = MAIA_TRY(transforms::preview({}, rows));
      if (!arguments.json) {
        outside.out << name << '\n';
        print(outside.out, "before", before);
      }
      for (const auto& chain : chains) {
        const auto after = MAIA_TRY(in(name, transforms::preview(chain.transforms, rows)));
        if (!after.failures.empty()) code = ExitCode::check_failed;
        all.push_back(json_of(before, after, pipeline.name, chain.destination));
        if (!arguments.json) show_after(outside.out, chain.destination, after);
      }
    }
  }
  if (arguments.json) outside.out << to_json(Node{std::move(all), {}}, 2) << '\n';
  return code;
}

}  // namespace maia::app
