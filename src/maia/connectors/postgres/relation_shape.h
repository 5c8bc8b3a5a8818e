// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maia/connectors/postgres/catalog.h"
#include "maia/connectors/postgres/pgoutput.h"
#include "maia/types/window.h"

namespace maia::postgres {

/// What a table looks like at a Relation message. The message names the columns and their types, but neither
/// their numbers nor whether they may be null; the catalogue knows these, but it may be ahead of the log.
struct RelationShape {
  TableSchema schema;  ///< version of the known one
  std::vector<MappedType> mapped;
};

/// A column of a Relation message with its type resolved.
struct SentColumn {
  std::string name;
  bool in_key = false;
  NativeType type;
  MappedType mapped;
};

/// Whether the catalogue shows exactly the columns that were sent: it is not ahead, as far as can be seen.
bool same_columns(const CatalogTable& catalog, const Relation& relation);

/// The shape when the catalogue fits (same_columns). A column that may be null by the known schema stays so:
/// rows with nulls from before the change may still be on their way.
RelationShape shape_from_catalog(const CatalogTable& catalog, const Relation& relation,
                                 const TableSchema* known);

/// The shape when the catalogue is ahead, or the table is gone (`catalog` null). Numbers are found by name in
/// the known schema, unless the order shows that names have moved and the catalogue knows whereto, then by
/// name in the catalogue, then by place: new columns always come last, so a new name before a known one is a
/// rename. At the end it is a rename if type and number of the old column still fit the catalogue, else a new
/// column; one without a number in the catalogue gets "?<name>" as its id.
RelationShape shape_by_alignment(const CatalogTable* catalog, const Relation& relation,
                                 std::span<const SentColumn> sent, const TableSchema* known);

}  // namespace maia::postgres
