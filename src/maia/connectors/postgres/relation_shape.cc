// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/relation_shape.h"

#include <algorithm>

namespace maia::postgres {
namespace {

Identity identity_of(char replica_identity, bool any_key) {
  if (replica_identity == 'f') return Identity::full;
  return replica_identity != 'n' && any_key ? Identity::key : Identity::none;
}

void begin_shape(RelationShape& shape, const Relation& relation, const TableSchema* known) {
  shape.schema.id = std::to_string(relation.oid);
  shape.schema.name = {std::string(relation.schema), std::string(relation.name)};
  shape.schema.version = known == nullptr ? 1 : known->version;
  const bool any_key = std::any_of(relation.columns.begin(), relation.columns.end(),
                                   [](const auto& column) { return column.in_key; });
  shape.schema.identity = identity_of(relation.replica_identity, any_key);
}

const Column* find_by_id(const TableSchema* known, const std::string& id) {
  if (known == nullptr) return nullptr;
  const auto at = std::ranges::find(known->columns, id, &Column::id);
  return at == known->columns.end() ? nullptr : &*at;
}

/// The numbers of the sent columns, as ids; see shape_by_alignment.
std::vector<std::string> align(const CatalogTable* catalog, std::span<const SentColumn> sent,
                               const TableSchema* known) {
  std::vector<std::string> ids(sent.size());
  std::vector<const Column*> left;  // known columns whose name was not sent
  std::size_t last_anchor = 0;      // sent columns before this one are older than all new ones
  if (known != nullptr) {
    for (const auto& column : known->columns) {
      const auto at = std::ranges::find(sent, column.name, &SentColumn::name);
      if (at == sent.end()) {
        left.push_back(&column);
        continue;
      }
      const auto place = static_cast<std::size_t>(at - sent.begin());
      ids[place] = column.id;
      last_anchor = std::max(last_anchor, place + 1);
    }
  }
  const auto take_left = [&](auto&& fits) -> std::string {
    const auto at = std::ranges::find_if(left, [&](const Column* column) { return fits(*column); });
    if (at == left.end()) return {};
    auto id = (*at)->id;
    left.erase(at);
    return id;
  };
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (!ids[i].empty()) continue;
    if (catalog != nullptr) {
      const auto now =
          std::ranges::find(catalog->columns, sent[i].name, [](const auto& c) { return c.native.name; });
      if (now != catalog->columns.end()) {
        ids[i] = std::to_string(now->native.attnum);
        take_left([&](const Column& column) { return column.id == ids[i]; });
        continue;
      }
    }
    const auto alive = [&](const Column& column) {
      return catalog != nullptr && std::ranges::any_of(catalog->columns, [&](const auto& c) {
               return std::to_string(c.native.attnum) == column.id;
             });
    };
    const bool must_be_old = i < last_anchor;
    ids[i] = take_left([&](const Column& column) {
      return column.type == sent[i].mapped.type && (must_be_old || alive(column));
    });
    if (ids[i].empty() && must_be_old) ids[i] = take_left([](const Column&) { return true; });
    if (ids[i].empty()) ids[i] = "?" + sent[i].name;
  }
  return ids;
}

}  // namespace

bool same_columns(const CatalogTable& catalog, const Relation& relation) {
  return std::equal(catalog.columns.begin(), catalog.columns.end(), relation.columns.begin(),
                    relation.columns.end(), [](const CatalogColumn& ours, const RelationColumn& sent) {
                      return ours.native.name == sent.name && ours.native.type.oid == sent.type_oid &&
                             ours.native.type.typmod == sent.typmod;
                    });
}

RelationShape shape_from_catalog(const CatalogTable& catalog, const Relation& relation,
                                 const TableSchema* known) {
  RelationShape shape;
  begin_shape(shape, relation, known);
  const bool full = relation.replica_identity == 'f';
  for (std::size_t i = 0; i < catalog.columns.size(); ++i) {
    const auto& [native, mapped, in_key] = catalog.columns[i];
    auto column = map_column(native, mapped);
    column.in_key = full ? in_key : relation.columns[i].in_key;
    const auto* before = find_by_id(known, column.id);
    if (before != nullptr && before->nullable) column.nullable = true;
    shape.schema.columns.push_back(std::move(column));
    shape.mapped.push_back(mapped);
  }
  return shape;
}

RelationShape shape_by_alignment(const CatalogTable* catalog, const Relation& relation,
                                 std::span<const SentColumn> sent, const TableSchema* known) {
  RelationShape shape;
  begin_shape(shape, relation, known);
  const bool full = relation.replica_identity == 'f';
  const auto ids = align(catalog, sent, known);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto* before = find_by_id(known, ids[i]);
    Column column{
        .name = sent[i].name, .type = sent[i].mapped.type, .native_type = sent[i].type.spelled, .id = ids[i]};
    if (before != nullptr) {
      column.nullable = before->nullable;
      column.generated = before->generated;
    }
    column.in_key = full ? before != nullptr && before->in_key : sent[i].in_key;
    if (column.in_key) column.nullable = false;
    shape.schema.columns.push_back(std::move(column));
    shape.mapped.push_back(sent[i].mapped);
  }
  return shape;
}

std::vector<ColumnChange> differences(const TableSchema& before, const TableSchema& after) {
  using Kind = ColumnChange::Kind;
  std::vector<ColumnChange> changes;
  const auto add = [&](Kind kind, const std::string& column, std::string old_name = {}) {
    changes.push_back({.kind = kind, .column = column, .old_name = std::move(old_name), .existing_rows = {}});
  };
  for (const auto& column : before.columns) {
    if (find_by_id(&after, column.id) == nullptr) add(Kind::drop, column.name);
  }
  for (const auto& column : after.columns) {
    const auto* old = find_by_id(&before, column.id);
    if (old == nullptr) {
      add(Kind::add, column.name);
      continue;
    }
    if (old->name != column.name) add(Kind::rename, column.name, old->name);
    if (!(old->type == column.type)) add(Kind::retype, column.name);
    if (old->nullable != column.nullable) add(Kind::nullability, column.name);
    if (old->in_key != column.in_key) add(Kind::key, column.name);
  }
  return changes;
}

}  // namespace maia::postgres
