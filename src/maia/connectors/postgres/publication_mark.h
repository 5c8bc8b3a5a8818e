// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connectors/postgres/catalog.h"
#include "maia/connectors/postgres/connection.h"

namespace maia::postgres {

/// How a publication sends a pipeline's tables, exactly enough to see that it was changed, even if it was
/// changed back: the server sends what the publication said when a change was written, so what was left out
/// meanwhile never comes. Marks outlive processes (heartbeat.h).
struct PublicationMark {
  struct Table {
    TableName name;
    std::string entry;    ///< oid and xmin of what puts it into the publication; empty: FOR ALL TABLES
    std::string columns;  ///< its column list as the catalogue has it; empty: all
    std::string filter;   ///< hash of its row filter; empty: none
    friend bool operator==(const Table&, const Table&) = default;
  };
  std::string oid;
  std::string version;  ///< xmin of its row: another one after every ALTER PUBLICATION ... SET (...)
  std::string options;  ///< what it publishes of operations, partitions and generated columns
  std::map<std::string, Table> tables;  ///< by oid

  std::string text() const;
  /// Nothing if the text is none that `text` made.
  static std::optional<PublicationMark> parse(std::string_view text);
};

/// The publication as it is now, with those of its tables that `wanted` takes; nothing if it does not exist.
Result<std::optional<PublicationMark>> read_publication_mark(
    Connection& connection, const std::string& name, const std::function<bool(const TableName&)>& wanted);

/// Code::lost_history, with what happened to which table, unless `now` sends all that `before` sent. Tables
/// that were dropped, and tables that are new, are no loss.
struct MarkedPublication {
  std::string name;
  std::string slot;  ///< for the hint
};
Status check_publication(Connection& connection, const MarkedPublication& which,
                         const PublicationMark& before, const std::optional<PublicationMark>& now);

}  // namespace maia::postgres
