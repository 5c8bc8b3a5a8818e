// SPDX-License-Identifier: Apache-2.0
#include "maia/app/table_plan.h"

#include <algorithm>

#include "maia/engine/table_route.h"

namespace maia::app {
namespace {

void add_note(std::string& note, const std::string& more) {
  if (more.empty() || note == more) return;
  note += (note.empty() ? "" : "; ") + more;
}

/// The source's mapping of a column that arrives under the same name and type; null for one that is made on
/// the way.
const ColumnMapping* origin_of(const Column& column, const SourceTable& table) {
  const auto found = table.schema->find(column.name);
  if (!found || !(table.schema->columns[*found].type == column.type)) return nullptr;
  return *found < table.mappings.size() ? &table.mappings[*found] : nullptr;
}

}  // namespace

bool TableWay::possible() const {
  return problem.empty() && std::none_of(columns.begin(), columns.end(), [](const ColumnWay& c) {
           return c.fidelity == Fidelity::unsupported;
         });
}

TableWay plan_table(const SourceTable& table, const Destination& destination,
                    std::span<const std::unique_ptr<Transform>> transforms,
                    const engine::DestinationOptions& options) {
  TableWay way;
  way.source = to_string(table.schema->name);
  way.mode = options.mode == TableTarget::Mode::append ? "append" : "upsert";
  way.rows_estimate = table.rows_estimate;
  way.problem = table.problem;
  way.hint = table.hint;
  if (!way.problem.empty()) return way;
  const auto route = engine::TableRoute::bind(table.schema, transforms, options);
  if (!route.ok()) {
    way.problem = route.error().message;
    way.hint = route.error().hint;
    return way;
  }
  const auto& wanted = *route->wanted();
  way.target = to_string(route->target().name);
  way.transforms = route->transform_names();
  const auto stored = destination.plan(wanted);
  for (std::size_t i = 0; i < wanted.columns.size(); ++i) {
    const auto& column = wanted.columns[i];
    ColumnWay c{.name = column.name, .source_type = {}, .canonical = to_string(column.type)};
    c.in_key =
        std::find(route->target().key.begin(), route->target().key.end(), i) != route->target().key.end();
    if (const auto* origin = origin_of(column, table)) {
      c.source_type = origin->native_type;
      c.fidelity = origin->fidelity;
      add_note(c.note, origin->note);
    }
    if (i < stored.size()) {
      c.destination_type = stored[i].native_type;
      c.fidelity = std::max(c.fidelity, stored[i].fidelity);
      add_note(c.note, stored[i].note);
    }
    way.columns.push_back(std::move(c));
  }
  return way;
}

}  // namespace maia::app
