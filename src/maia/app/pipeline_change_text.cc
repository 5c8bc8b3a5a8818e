// SPDX-License-Identifier: Apache-2.0
// How a change of a pipeline's settings is shown: to people and as JSON.
#include <fmt/format.h>

#include "maia/app/pipeline_change.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;

std::string_view word(TableChange::Kind kind) {
  switch (kind) {
    case TableChange::Kind::added: return "added";
    case TableChange::Kind::removed: return "removed";
    case TableChange::Kind::changed: return "changed";
  }
  return "";
}

std::string_view word(DestinationChange::Kind kind) {
  switch (kind) {
    case DestinationChange::Kind::added: return "added";
    case DestinationChange::Kind::removed: return "removed";
    case DestinationChange::Kind::changed: return "changed";
    case DestinationChange::Kind::same: return "same";
  }
  return "";
}

Node json_of(const TableChange& table) {
  return Object()
      .set("table", table.table)
      .set("target", table.target)
      .set("change", word(table.kind))
      .set("shape", config::text_list(table.shape))
      .set("fidelity", config::text_list(table.fidelity))
      .set("reread", table.reread)
      .set("rows", table.rows)
      .set("refused", table.refused)
      .set("hint", table.hint)
      .node();
}

Node json_of(const DestinationChange& destination) {
  Node::Sequence tables;
  for (const auto& table : destination.tables) tables.push_back(json_of(table));
  auto object = Object()
                    .set("destination", destination.name)
                    .set("change", word(destination.kind))
                    .set("rows_to_read", destination.rows_to_read())
                    .set("tables", Node{std::move(tables), {}});
  if (const auto seconds = destination.seconds()) return std::move(object).set("seconds", *seconds).node();
  return std::move(object).node();
}

void print(std::ostream& out, const TableChange& table) {
  if (!table.refused.empty()) {
    out << fmt::format("    {} cannot be changed in place: {}\n      {}\n", table.table, table.refused,
                       table.hint);
    return;
  }
  switch (table.kind) {
    case TableChange::Kind::added:
      out << fmt::format("    {} is added as {}: about {} rows are copied\n", table.table, table.target,
                         table.rows);
      break;
    case TableChange::Kind::removed:
      out << fmt::format("    {} is removed; {} keeps its rows\n", table.table, table.target);
      break;
    case TableChange::Kind::changed: out << fmt::format("    {}\n", table.table); break;
  }
  for (const auto& each : table.shape) out << fmt::format("      {}: {}\n", table.target, each);
  for (const auto& each : table.fidelity) out << fmt::format("      {}\n", each);
  if (table.kind == TableChange::Kind::changed && !table.reread.empty())
    out << fmt::format("      about {} rows are read again and what differs is mended: {}\n", table.rows,
                       table.reread);
}

void print(std::ostream& out, const DestinationChange& destination) {
  switch (destination.kind) {
    case DestinationChange::Kind::same: return;
    case DestinationChange::Kind::added: out << fmt::format("  {} is new\n", destination.name); break;
    case DestinationChange::Kind::removed:
      out << fmt::format(
          "  {} is removed: it keeps its rows and its checkpoint, until maia drop --destination {}\n",
          destination.name, destination.name);
      return;
    case DestinationChange::Kind::changed: out << fmt::format("  {}\n", destination.name); break;
  }
  for (const auto& table : destination.tables) print(out, table);
  if (const auto seconds = destination.seconds(); seconds && destination.rows_to_read() > 0)
    out << fmt::format("    about {} s at the {} rows a second of its last snapshot\n", *seconds,
                       *destination.rows_per_second);
}

}  // namespace

Node json_of(const PipelineChange& change) {
  Node::Sequence destinations;
  for (const auto& each : change.destinations) destinations.push_back(json_of(each));
  return Object()
      .set("from", change.from)
      .set("settings", change.settings)
      .set("needs_consent", change.needs_consent())
      .set("destinations", Node{std::move(destinations), {}})
      .node();
}

void print(std::ostream& out, const PipelineChange& change) {
  if (change.from.empty()) return;
  if (change.settings.empty()) {
    out << fmt::format("no difference to version {}, which is in use\n", change.from);
    return;
  }
  out << fmt::format("against version {}, which is in use: {}\n", change.from, change.settings);
  for (const auto& each : change.destinations) print(out, each);
}

}  // namespace maia::app
