// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/connector/destination.h"
#include "maia/connectors/duckdb/connection.h"

namespace maia::duckdb {

/// The schema of the bookkeeping; no target may be in it.
inline constexpr std::string_view kBookkeepingSchema = "maia";

/// What MAIA keeps in the file beside the rows: the schema `maia` with the tables format, pipelines, facts
/// and tables. Everything runs in the connection's transaction.
class Bookkeeping {
 public:
  Bookkeeping(Connection& connection, std::string_view catalog);

  /// Makes the schema if it is not there. Code::unsupported if a newer MAIA has made it.
  Status create();
  /// Gives the pipeline its next epoch and reads its checkpoint. Code::fenced if `held` is not 0 and not the
  /// epoch that the file has.
  Result<Destination::Opened> take_epoch(std::string_view pipeline, Epoch held);
  /// Code::fenced if the pipeline's epoch is not `epoch` any more.
  Status save(std::string_view pipeline, Epoch epoch, const CheckpointUpdate& update);

  /// A table that a pipeline owns.
  struct Owned {
    std::string pipeline;
    TableName name;
    std::string key;  ///< quoted names with commas in between, "" for none
  };
  /// The owner of the table whose name is this one to DuckDB, that is regardless of ASCII case.
  Result<std::optional<Owned>> find(const TableName& name);
  Status own(const Owned& table);
  Status disown(const TableName& name);
  /// The schemas of all owned tables.
  Result<std::vector<std::string>> schemas();

  /// Forgets the pipeline, and with the last one the schema itself; says what was removed.
  Result<std::vector<std::string>> drop(std::string_view pipeline);

 private:
  std::string table(std::string_view name) const;

  Connection& connection_;
  std::string schema_;  ///< quoted, with the catalog
};

/// Equal regardless of ASCII case, as DuckDB compares identifiers.
bool same_identifier(std::string_view a, std::string_view b);
/// The name with the schema that an empty one stands for.
TableName with_schema(const TableName& name);

}  // namespace maia::duckdb
