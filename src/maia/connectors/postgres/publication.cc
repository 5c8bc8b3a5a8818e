// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/publication.h"

#include <fmt/format.h>

#include <set>

#include "maia/connectors/postgres/heartbeat.h"
#include "maia/sql/quote.h"

namespace maia::postgres {
namespace {

/// How a comment begins that we wrote; the pipeline's name and a semicolon follow.
constexpr std::string_view kMark = "made by MAIA for pipeline ";

std::string table_list(std::span<const SourceTable> tables) {
  std::string list;
  for (const auto& table : tables) {
    // ONLY, because children of an inheritance parent are tables of their own; it means nothing for
    // partitioned tables, whose partitions are always included.
    list += (list.empty() ? "ONLY " : ", ONLY ") + sql_name(table.schema->name);
  }
  return list;
}

Error needs(std::string what, std::string sql, const Error* refused = nullptr) {
  if (refused != nullptr) what += ": " + refused->message;
  return Error{Error::Code::check_failed, Recovery::halt, std::move(what), std::move(sql)};
}

/// Runs a statement that makes something; an error of privilege gets the statement as its hint.
Status make(Connection& connection, const std::string& sql, std::string_view what) {
  auto made = connection.run(sql);
  if (made.ok() || made.error().recovery != Recovery::halt) return made;
  return needs("could not " + std::string(what), sql, &made.error());
}

Status add_tables(Connection& connection, const PublicationWish& wish, const Publication& publication,
                  std::span<const SourceTable> tables) {
  const Parameter parameters[] = {wish.name};
  const auto rows = MAIA_TRY(connection.query(
      "SELECT schemaname, tablename FROM pg_catalog.pg_publication_tables WHERE pubname = $1", parameters));
  std::set<TableName> published;
  for (std::size_t r = 0; r < rows.size(); ++r) published.insert({rows.str(r, 0), rows.str(r, 1)});
  std::vector<SourceTable> missing;
  for (const auto& table : tables) {
    if (!published.contains(table.schema->name)) missing.push_back(table);
  }
  if (missing.empty()) return {};
  const auto sql = "ALTER PUBLICATION " + sql_name(wish.name) + " ADD TABLE " + table_list(missing) + ";";
  const auto what = "publication " + wish.name + " lacks " + to_string(missing.front().schema->name) +
                    (missing.size() > 1 ? " and " + std::to_string(missing.size() - 1) + " more tables" : "");
  if (!wish.may_create || !publication.made_for(wish.pipeline)) return needs(what, sql);
  return make(connection, sql, "add tables to publication " + wish.name);
}

}  // namespace

bool Publication::made_for(std::string_view pipeline) const {
  return comment.starts_with(std::string(kMark) + std::string(pipeline) + ";");
}

Result<std::optional<Publication>> find_publication(Connection& connection, std::string_view name) {
  const std::string generated = connection.server_version() >= 180'000 ? "pubgencols = 's'" : "false";
  const Parameter parameters[] = {std::string(name)};
  const auto rows = MAIA_TRY(connection.query(
      "SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate, pubviaroot, " + generated +
          ", coalesce(pg_catalog.obj_description(oid, 'pg_publication'), '') FROM pg_catalog.pg_publication "
          "WHERE pubname = $1",
      parameters));
  if (rows.size() == 0) return std::optional<Publication>{};
  return std::optional(Publication{std::string(name), rows.boolean(0, 0), rows.boolean(0, 1),
                                   rows.boolean(0, 2), rows.str(0, 3)});
}

Result<PublicationScope> scope_of(Connection& connection, std::string_view name) {
  const auto publication = MAIA_TRY(find_publication(connection, name));
  return PublicationScope{std::string(name), publication ? publication->generated_columns
                                                         : connection.server_version() >= 180'000};
}

std::string create_publication_sql(int server_version, std::string_view name,
                                   std::span<const SourceTable> tables) {
  return "CREATE PUBLICATION " + sql_name(name) + " FOR TABLE " + table_list(tables) +
         " WITH (publish_via_partition_root = true" +
         (server_version >= 180'000 ? ", publish_generated_columns = stored" : "") + ");";
}

Result<bool> ensure_publication(Connection& connection, const PublicationWish& wish,
                                std::span<const SourceTable> tables) {
  const auto publication = MAIA_TRY(find_publication(connection, wish.name));
  if (publication) {
    const auto alter = "ALTER PUBLICATION " + sql_name(wish.name) + " SET ";
    if (!publication->publishes_all) {
      return needs("publication " + wish.name + " leaves out some operations",
                   alter + "(publish = 'insert, update, delete, truncate');");
    }
    bool partitioned = false;
    for (const auto& table : tables) {
      const Parameter oid[] = {table.schema->id};
      const auto kind =
          MAIA_TRY(connection.query("SELECT relkind FROM pg_catalog.pg_class WHERE oid = $1::oid", oid));
      partitioned = partitioned || (kind.size() == 1 && kind.text(0, 0) == "p");
    }
    if (partitioned && !publication->via_root) {
      return needs("publication " + wish.name + " sends partitions under their own names",
                   alter + "(publish_via_partition_root = true);");
    }
    MAIA_TRY(add_tables(connection, wish, *publication, tables));
    return false;
  }
  const auto sql = create_publication_sql(connection.server_version(), wish.name, tables);
  if (!wish.may_create) return needs("publication " + wish.name + " does not exist", sql);
  const auto comment =
      MAIA_TRY(sql::postgres_literal(std::string(kMark) + wish.pipeline + "; slot " + wish.slot));
  // Several statements in one query are one transaction: a publication without its comment would never be
  // dropped again.
  MAIA_TRY(make(connection, sql + " COMMENT ON PUBLICATION " + sql_name(wish.name) + " IS " + comment + ";",
                "make publication " + wish.name));
  return true;
}

Status join_publication(Connection& connection, const PublicationWish& wish, const CatalogTable& table) {
  const auto message = MAIA_TRY(sql::postgres_literal(joined_message(wish.slot, std::to_string(table.oid))));
  return make(connection,
              fmt::format("SET LOCAL lock_timeout = '1s'; ALTER PUBLICATION {} ADD TABLE ONLY {}; "
                          "SELECT pg_catalog.pg_logical_emit_message(true, '{}', {});",
                          sql_name(wish.name), sql_name(table.name), kMessagePrefix, message),
              "add " + to_string(table.name) + " to publication " + wish.name);
}

Result<bool> drop_publication(Connection& connection, std::string_view name, std::string_view pipeline) {
  const auto publication = MAIA_TRY(find_publication(connection, name));
  if (!publication || !publication->made_for(pipeline)) return false;
  MAIA_TRY(connection.run("DROP PUBLICATION " + sql_name(name)));
  return true;
}

}  // namespace maia::postgres
