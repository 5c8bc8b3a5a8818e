// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/table_route.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/engine/rewrite.h"

namespace maia::engine {
namespace {

/// What the star of `pattern` matches in `text`; nothing if the pattern does not match.
std::optional<std::string> match(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) {
    return pattern == text ? std::optional<std::string>("") : std::nullopt;
  }
  const auto head = pattern.substr(0, star);
  const auto tail = pattern.substr(star + 1);
  if (text.size() < head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) {
    return std::nullopt;
  }
  return std::string(text.substr(head.size(), text.size() - head.size() - tail.size()));
}

std::string fill(std::string_view pattern, std::string_view star_text) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return std::string(pattern);
  return fmt::format("{}{}{}", pattern.substr(0, star), star_text, pattern.substr(star + 1));
}

struct Parts {
  std::string_view schema, table;
};

std::optional<Parts> split(std::string_view pattern) {
  const auto dot = pattern.find('.');
  if (dot == pattern.npos) return Parts{"*", pattern};
  if (pattern.find('.', dot + 1) != pattern.npos) return std::nullopt;
  return Parts{pattern.substr(0, dot), pattern.substr(dot + 1)};
}

std::string list(const TableSchema& schema) {
  std::string names;
  for (const auto& column : schema.columns) names += (names.empty() ? "" : ", ") + column.name;
  return names;
}

}  // namespace

Result<TableName> route_name(const TableName& source, const std::vector<RouteRule>& rules) {
  for (const auto& rule : rules) {
    const auto from = split(rule.from);
    const auto to = split(rule.to);
    if (!from || !to) {
      return Error{Error::Code::invalid_config, Recovery::halt,
                   fmt::format("route from '{}' to '{}' is not of the form schema.table", rule.from, rule.to),
                   "write for example from: \"public.*\", to: \"shop.*\""};
    }
    const auto schema = match(from->schema, source.schema);
    const auto table = match(from->table, source.table);
    if (schema && table) return TableName{fill(to->schema, *schema), fill(to->table, *table)};
  }
  return source;
}

Result<TableRoute> TableRoute::bind(SchemaRef source, std::span<const std::unique_ptr<Transform>> transforms,
                                    const DestinationOptions& options) {
  TableRoute route;
  route.options_ = options;
  route.source_ = source;
  route.transformed_ = std::move(source);
  for (const auto& transform : transforms) {
    if (!transform->applies_to(*route.transformed_)) continue;
    route.chain_.push_back(MAIA_TRY(in(transform->name(), transform->bind(route.transformed_))));
    route.transformed_ = route.chain_.back()->output();
    route.names_.push_back(transform->name());
  }
  MAIA_TRY(in(to_string(route.source_->name), route.resolve_key(options)));
  route.wanted_ = rewritten(route.transformed_, options);
  TableSchema named = *route.wanted_;
  named.name = MAIA_TRY(route_name(route.source_->name, options.routes));
  route.wanted_ = std::make_shared<const TableSchema>(std::move(named));
  route.set_target(route.wanted_);
  return route;
}

Status TableRoute::resolve_key(const DestinationOptions& options) {
  target_.mode = options.mode;
  if (options.mode == TableTarget::Mode::append) return {};
  const auto& name = source_->name;
  auto wanted = options.key;
  for (const auto& key : {to_string(name), name.table}) {
    if (const auto found = options.key_by_table.find(key); found != options.key_by_table.end()) {
      wanted = found->second;
      break;
    }
  }
  if (wanted.empty()) {
    const bool had_key = !source_->key().empty() && source_->identity != Identity::full;
    if (transformed_->key().empty() && had_key) {
      return Error{
          Error::Code::invalid_config, Recovery::halt,
          "the transforms leave out the key columns, so updates and deletes cannot find their rows",
          "keep the key in the output (out.id = in.id), name another with key:, or use mode: append"};
    }
    return {};
  }
  TableSchema keyed = *transformed_;
  for (auto& column : keyed.columns) {
    const bool chosen = std::find(wanted.begin(), wanted.end(), column.name) != wanted.end();
    if (chosen && !column.in_key && source_->identity == Identity::key) {
      return Error{
          Error::Code::invalid_config, Recovery::halt,
          fmt::format("key: {} is not part of the source's key, and deletes carry only that", column.name),
          "use the source's key, or give the source table REPLICA IDENTITY FULL"};
    }
    column.in_key = chosen;
  }
  for (const auto& each : wanted) {
    if (transformed_->find(each)) continue;
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("key: there is no column {} in the output", each),
                 "the output has these columns: " + list(*transformed_)};
  }
  transformed_ = std::make_shared<const TableSchema>(std::move(keyed));
  return {};
}

void TableRoute::set_target(SchemaRef shape) {
  fit_.clear();
  const bool same =
      shape->columns.size() == wanted_->columns.size() &&
      std::equal(shape->columns.begin(), shape->columns.end(), wanted_->columns.begin(),
                 [](const Column& a, const Column& b) { return a.name == b.name && a.type == b.type; });
  if (!same) {
    for (const auto& column : shape->columns) {
      const auto at = wanted_->find(column.name);
      const bool fits = at && wanted_->columns[*at].type == column.type;
      fit_.push_back(fits ? at : std::nullopt);
    }
  }
  target_.name = shape->name;
  target_.key = options_.mode == TableTarget::Mode::append ? std::vector<std::size_t>{} : shape->key();
  target_.schema = std::move(shape);
}

std::vector<std::string> TableRoute::transform_names() const { return names_; }

namespace {

/// Moves the columns that the destination's table has into place.
Batch fitted(const Batch& in, const SchemaRef& shape, const std::vector<std::optional<std::size_t>>& fit) {
  const auto fill = [&](bool before) {
    std::vector<ColumnVector> columns;
    for (std::size_t i = 0; i < fit.size(); ++i) {
      if (fit[i]) {
        columns.push_back(before ? in.before(*fit[i]) : in.after(*fit[i]));
        continue;
      }
      ColumnVector empty(physical(shape->columns[i].type));
      for (std::size_t row = 0; row < in.rows(); ++row) {
        const bool whole = in.op(row) == Op::read || in.op(row) == Op::insert;
        whole && !before ? empty.push_null() : empty.push_unchanged();
      }
      columns.push_back(std::move(empty));
    }
    return columns;
  };
  return Batch::assemble(shape, {in.ops().begin(), in.ops().end()},
                         {in.ordinals().begin(), in.ordinals().end()}, fill(false),
                         in.has_before() ? fill(true) : std::vector<ColumnVector>{});
}

}  // namespace

Result<RoutedBatch> TableRoute::apply(const Batch& batch, std::span<const Transaction> transactions,
                                      std::vector<RowFailure>& failures) {
  RoutedBatch routed{&batch, nullptr};
  const auto replace = [&](Batch next) {
    auto owned = std::make_unique<Batch>(std::move(next));
    routed.batch = owned.get();
    routed.own = std::move(owned);
  };
  for (const auto& transform : chain_) {
    const auto before = failures.size();
    auto next = MAIA_TRY(transform->apply(*routed.batch, failures));
    // A failure names a row of the transform's input; callers know only the batch that came in.
    for (auto i = before; i < failures.size(); ++i) {
      const auto ordinals = batch.ordinals();
      const auto at =
          std::lower_bound(ordinals.begin(), ordinals.end(), routed.batch->ordinal(failures[i].row));
      failures[i].row = static_cast<std::size_t>(at - ordinals.begin());
    }
    replace(std::move(next));
  }
  if (rewrites(options_)) replace(rewrite(*routed.batch, wanted_, options_, transactions));
  if (!fit_.empty()) replace(fitted(*routed.batch, target_.schema, fit_));
  return routed;
}

}  // namespace maia::engine
