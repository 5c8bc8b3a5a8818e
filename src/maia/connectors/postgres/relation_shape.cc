// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/relation_shape.h"
#include "maia/sql/column_changes.h"

#include <algorithm>
#include <cstdlib>

namespace maia::postgres {
namespace {

Identity identity_of(char replica_identity, bool any_key) {
  if (replica_identity == 'f') return Identity::full;
  return replica_identity != 'n' && any_key ? Identity::key : Identity::none;
}

/// Whether a message marks the columns of the key: with `full` it marks all, with `nothing` none. Rows that
/// were inserted while it was `nothing` are as good as any once that is mended.
bool marks_key(const Relation& relation) {
  return relation.replica_identity != 'f' && relation.replica_identity != 'n';
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
  return known == nullptr ? nullptr : sql::find_by_id(*known, id);
}

/// Finds the numbers of the sent columns, as ids; see shape_by_alignment.
class Alignment {
 public:
  Alignment(const CatalogTable* catalog, std::span<const SentColumn> sent, const TableSchema* known)
      : catalog_(catalog), sent_(sent), ids_(sent.size()) {
    if (known == nullptr) return;
    const bool names_moved = !in_order(*known);
    for (const auto& column : known->columns) {
      newest_ = std::max(newest_, std::atoi(column.id.c_str()));
      const auto at = std::ranges::find(sent, column.name, &SentColumn::name);
      if (at == sent.end() || (names_moved && has_other_number(column))) {
        left_.push_back(&column);
        continue;
      }
      const auto place = static_cast<std::size_t>(at - sent.begin());
      ids_[place] = column.id;
      last_anchor_ = std::max(last_anchor_, place + 1);
    }
  }

  std::vector<std::string> ids() && {
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      if (ids_[i].empty()) ids_[i] = id_of(i);
    }
    return std::move(ids_);
  }

 private:
  /// Columns are sent in the order of their numbers. If the names that are known are in another, some of them
  /// have gone to other columns.
  bool in_order(const TableSchema& known) const {
    int last = 0;
    for (const auto& column : sent_) {
      const auto place = known.find(column.name);
      const int number = place ? std::atoi(known.columns[*place].id.c_str()) : 0;
      if (number == 0) continue;
      if (number < last) return false;
      last = number;
    }
    return true;
  }
  bool has_other_number(const Column& column) const {
    return catalog_ != nullptr && std::ranges::any_of(catalog_->columns, [&](const auto& now) {
             return now.native.name == column.name && std::to_string(now.native.attnum) != column.id;
           });
  }
  std::string id_of(std::size_t i) {
    const auto& column = sent_[i];
    if (auto id = named_in_catalog(column.name); !id.empty()) return id;
    const bool must_be_old = i < last_anchor_;
    const auto same_type = [&](const Column& old) {
      return old.type == column.mapped.type && (must_be_old || is_alive(old.id));
    };
    if (auto id = take_left(same_type); !id.empty()) return id;
    if (must_be_old) {
      if (auto id = take_left([](const Column&) { return true; }); !id.empty()) return id;
    }
    const auto number = next_number(column);
    return number.empty() ? "?" + column.name : number;
  }
  std::string named_in_catalog(const std::string& name) {
    if (catalog_ == nullptr) return {};
    const auto now = std::ranges::find(catalog_->columns, name, [](const auto& c) { return c.native.name; });
    if (now == catalog_->columns.end()) return {};
    auto id = std::to_string(now->native.attnum);
    take_left([&](const Column& old) { return old.id == id; });
    return id;
  }
  template <class Fits>
  std::string take_left(Fits&& fits) {
    const auto at = std::ranges::find_if(left_, [&](const Column* old) { return fits(*old); });
    if (at == left_.end()) return {};
    auto id = (*at)->id;
    left_.erase(at);
    return id;
  }
  bool is_alive(const std::string& id) const {
    return catalog_ != nullptr && std::ranges::any_of(catalog_->columns, [&](const auto& c) {
             return std::to_string(c.native.attnum) == id;
           });
  }
  std::string next_number(const SentColumn& column) const {
    if (catalog_ == nullptr) return {};
    for (const auto& now : catalog_->columns) {
      const auto& native = now.native;
      const bool is_new = native.attnum > newest_;
      const bool is_sent = std::ranges::find(sent_, native.name, &SentColumn::name) != sent_.end();
      const auto id = std::to_string(native.attnum);
      if (!is_new || is_sent || std::ranges::find(ids_, id) != ids_.end()) continue;
      const bool gap = std::ranges::any_of(catalog_->dropped,
                                           [&](int gone) { return gone > newest_ && gone < native.attnum; });
      return !gap && native.type.oid == column.type.oid ? id : std::string();
    }
    return {};
  }

  const CatalogTable* catalog_;
  std::span<const SentColumn> sent_;
  std::vector<std::string> ids_;
  std::vector<const Column*> left_;  ///< known columns whose name was not sent
  std::size_t last_anchor_ = 0;      ///< sent columns before this place are older than all new ones
  int newest_ = 0;                   ///< highest number that is known
};

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
  if (relation.replica_identity == 'n') shape.schema.identity = catalog.identity;
  const bool marked = marks_key(relation);
  for (std::size_t i = 0; i < catalog.columns.size(); ++i) {
    const auto& [native, mapped, in_key] = catalog.columns[i];
    auto column = map_column(native, mapped);
    column.in_key = marked ? relation.columns[i].in_key : in_key;
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
  if (relation.replica_identity == 'n' && known != nullptr) shape.schema.identity = known->identity;
  const bool marked = marks_key(relation);
  const auto ids = Alignment(catalog, sent, known).ids();
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto* before = find_by_id(known, ids[i]);
    Column column{
        .name = sent[i].name, .type = sent[i].mapped.type, .native_type = sent[i].type.spelled, .id = ids[i]};
    if (before != nullptr) {
      column.nullable = before->nullable;
      column.generated = before->generated;
    }
    column.in_key = marked ? sent[i].in_key : before != nullptr && before->in_key;
    if (column.in_key) column.nullable = false;
    shape.schema.columns.push_back(std::move(column));
    shape.mapped.push_back(sent[i].mapped);
  }
  return shape;
}

}  // namespace maia::postgres
