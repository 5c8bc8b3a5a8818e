// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "maia/connectors/mysql/catalog.h"
#include "maia/connectors/mysql/row_decoder.h"
#include "maia/connectors/mysql/statement.h"
#include "maia/connectors/mysql/table_map.h"
#include "maia/types/window.h"

namespace maia::mysql {

/// The tables of one stream: which schema the rows of each follow now. The log says how rows look, with
/// binlog_row_metadata = FULL the names of columns too; the catalogue says the rest, but it may be ahead of
/// the log. Used from one thread.
class LogTables {
 public:
  struct Terms {
    TableChoice choice;
    ZeroDates zero_dates = ZeroDates::refuse;
    std::vector<SchemaRef> known;                     ///< as of the stream's first position
    std::map<std::uint32_t, std::string> collations;  ///< the character set of each
  };
  /// `catalogue`: an ordinary session; must outlive the object.
  LogTables(Connection& catalogue, Terms terms);

  struct Entry {
    RowDecoder decoder;
    std::optional<SchemaChange> change;  ///< to be told before the first row
  };

  Status take(const TableMap& map);
  /// Null for a table that the pipeline does not take. Code::corruption if it was never mapped.
  Result<Entry*> find(std::uint64_t number);
  /// The numbers of tables mean nothing any more: another file, or a server that has started anew.
  void forget_numbers();

  /// What a statement does to tables that we take, to be told at once.
  Result<std::vector<Window::Item>> apply(const Statement& statement);
  /// The transaction in which this was told is rolled back.
  void untell(const SchemaChange& change);

 private:
  struct Mapped {
    TableMap map;
    std::optional<Entry> entry;
  };
  Result<Entry> resolve(const TableMap& map);
  Result<SchemaRef> shape(const TableMap& map, const SchemaRef& known, std::optional<CatalogTable>& now);
  Result<SchemaRef> shape_from_log(const TableMap& map, const SchemaRef& known,
                                   const std::optional<CatalogTable>& now);
  Result<Entry> make_entry(const TableMap& map, SchemaRef schema);
  Result<SchemaChange> change_to(const SchemaRef& known, SchemaRef& schema,
                                 const std::optional<CatalogTable>& now);
  void drop(const TableName& name, std::vector<Window::Item>& items);
  void empty(const TableName& name, std::vector<Window::Item>& items);
  Status rename(const TableName& from, const TableName& to);
  bool is_known(const TableName& name) const;

  Connection& catalogue_;
  Terms terms_;
  std::map<TableName, SchemaRef> known_;
  std::set<TableName> gone_;      ///< dropped or renamed; the destination keeps the rows
  std::set<TableName> created_;   ///< since the stream began: all their rows come in it
  std::set<TableName> renaming_;  ///< a statement has renamed columns of it
  std::unordered_map<std::uint64_t, Mapped> mapped_;
  std::vector<SchemaChange> untold_;
};

}  // namespace maia::mysql
