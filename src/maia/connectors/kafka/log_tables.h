// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "maia/connectors/kafka/meaning.h"
#include "maia/connectors/kafka/record_decoder.h"
#include "maia/connectors/kafka/source_config.h"
#include "maia/sql/window_builder.h"

namespace maia::kafka {

/// The tables that are in the topics, as far as their records have shown them. A topic is one table, or as
/// many as its envelopes name. A table only ever gets more: columns that records lack stay, and a column gets
/// the type that holds all of its values, because the records of several partitions have no order.
class LogTables {
 public:
  LogTables(const SourceConfig& config, std::vector<SchemaRef> known);

  /// Puts what the record says into the window, with ordinals from `ordinal` on. Code::data, with what is
  /// wrong and without a row, if it says nothing that can be.
  Status add(const SourceRecord& record, DecodedRecord decoded, sql::WindowBuilder& window,
             std::uint64_t& ordinal);
  /// Puts the record itself into the window, as a row of the table of those that cannot be understood.
  Status keep(const SourceRecord& record, const std::string& why, sql::WindowBuilder& window,
              std::uint64_t& ordinal);

  std::vector<SchemaRef> schemas() const;

 private:
  /// A row, and the columns that tell it apart.
  struct Row {
    Datum values;
    std::vector<std::string> key;
  };
  Result<Row> row_of(const SourceRecord& record, const Datum& key, Datum values);
  /// The shape that has room for the row too; made known to the window where it is new.
  Result<SchemaRef> fit(const SourceRecord& record, const std::string& id, const TableName& name,
                        const Row& row, sql::WindowBuilder& window, std::uint64_t& ordinal);
  Status write(const SourceRecord& record, const Datum& key, RowChange change, sql::WindowBuilder& window,
               std::uint64_t& ordinal);
  Status remove(const SourceRecord& record, const SchemaRef& schema, const Datum& key, Datum before,
                sql::WindowBuilder& window, std::uint64_t& ordinal);
  /// The table that a record without a value is of.
  SchemaRef only_table(const std::string& topic) const;

  /// What is declared of a topic's columns.
  const std::map<std::string, DeclaredType>& declared_of(const std::string& topic);

  const SourceConfig& config_;
  std::map<std::string, std::map<std::string, DeclaredType>> declared_;  ///< by topic, as far as asked for
  std::map<std::string, SchemaRef> tables_;                              ///< by id
  /// Keys of the last deletions: the tombstones behind them say nothing new.
  std::map<std::pair<std::string, std::int32_t>, std::string> deleted_;
};

}  // namespace maia::kafka
