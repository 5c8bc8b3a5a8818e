// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connectors/postgres/catalog.h"
#include "maia/connectors/postgres/connection.h"

namespace maia::postgres {

/// A publication as it is.
struct Publication {
  std::string name;
  bool publishes_all = false;  ///< insert, update, delete and truncate
  bool via_root = false;       ///< changes of partitions come under their root's name
  bool generated_columns = false;
  std::string comment;

  /// The comment says that a pipeline made it; only then may it be altered or dropped.
  bool made_for(std::string_view pipeline) const;
};

Result<std::optional<Publication>> find_publication(Connection& connection, std::string_view name);

/// What a publication of this server sends of generated columns: as the existing one does, otherwise as
/// the one that we would make.
Result<PublicationScope> scope_of(Connection& connection, std::string_view name);

/// The statement that makes a publication for these tables.
std::string create_publication_sql(int server_version, std::string_view name,
                                   std::span<const SourceTable> tables);

/// Makes sure that `name` publishes all tables with all operations. Creates it or, if it was made for this
/// pipeline, adds tables to it, when `may_create`; otherwise, and when the server refuses, an error whose
/// hint is the statement. True if it was created just now.
struct PublicationWish {
  std::string name;
  std::string pipeline;
  std::string slot;  ///< noted in the comment
  bool may_create = true;
};
Result<bool> ensure_publication(Connection& connection, const PublicationWish& wish,
                                std::span<const SourceTable> tables);
/// Adds a table to a publication of MAIA's own while its slot is read, and tells the slot's reader. Gives up
/// soon where the table is locked.
Status join_publication(Connection& connection, const PublicationWish& wish, const CatalogTable& table);
/// Drops it if it was made for the pipeline. Returns whether it did.
Result<bool> drop_publication(Connection& connection, std::string_view name, std::string_view pipeline);

}  // namespace maia::postgres
