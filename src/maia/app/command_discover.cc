// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "maia/app/commands.h"
#include "maia/app/pipelines.h"
#include "maia/app/text_table.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

/// The source of a file's only pipeline, or the one that a URI names.
Result<std::unique_ptr<Source>> source_of(const DiscoverArguments& arguments, const Outside& outside) {
  config::PipelineSettings pipeline;
  if (std::filesystem::exists(arguments.source)) {
    auto pipelines = MAIA_TRY(load_pipelines({arguments.source}, outside));
    if (pipelines.size() != 1)
      return Error{Error::Code::invalid_config, Recovery::halt, arguments.source + " has several pipelines",
                   "give a file with one, or the URI of the source"};
    pipeline = std::move(pipelines.front());
  } else {
    const auto* connector = MAIA_TRY(connector_of_uri(outside.connectors, arguments.source));
    if (connector->source_settings.empty())
      return Error{Error::Code::invalid_config, Recovery::halt, connector->name + " cannot be a source", ""};
    pipeline.name = "discover";
    pipeline.source.type = connector->name;
    pipeline.source.settings = MAIA_TRY(connector->settings_from_uri(arguments.source));
  }
  return open_source(pipeline, arguments.state, outside);
}

config::Node json_of(const SourceTable& table) {
  config::Node::Sequence columns;
  for (std::size_t i = 0; i < table.schema->columns.size(); ++i) {
    const auto& column = table.schema->columns[i];
    columns.push_back(config::Object()
                          .set("name", column.name)
                          .set("type", column.native_type)
                          .set("canonical", to_string(column.type))
                          .set("nullable", column.nullable)
                          .set("key", column.in_key)
                          .node());
  }
  return config::Object()
      .set("name", to_string(table.schema->name))
      .set("rows_estimate", table.rows_estimate)
      .set("problem", table.problem)
      .set("hint", table.hint)
      .set("columns", config::Node{std::move(columns), {}})
      .node();
}

std::string key_of(const TableSchema& schema) {
  std::string key;
  for (const auto column : schema.key()) key += (key.empty() ? "" : ", ") + schema.columns[column].name;
  return key;
}

}  // namespace

Result<ExitCode> execute(const DiscoverArguments& arguments, Outside& outside) {
  const auto source = MAIA_TRY(source_of(arguments, outside));
  const auto tables = MAIA_TRY(source->tables());
  config::Node::Sequence all;
  std::vector<std::vector<std::string>> rows = {{"table", "columns", "key", "rows (about)", "problem"}};
  for (const auto& table : tables) {
    all.push_back(json_of(table));
    rows.push_back({to_string(table.schema->name), std::to_string(table.schema->columns.size()),
                    key_of(*table.schema), std::to_string(table.rows_estimate), table.problem});
  }
  if (arguments.json)
    outside.out << to_json(config::Node{std::move(all), {}}, 2) << '\n';
  else if (tables.empty())
    outside.out << "the source offers no tables\n";
  else
    print_table(outside.out, rows);
  return ExitCode::done;
}

}  // namespace maia::app
