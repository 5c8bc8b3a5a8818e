// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "maia/connector/source.h"
#include "maia/connectors/postgres/copy_decoder.h"
#include "maia/connectors/postgres/snapshot.h"

namespace maia::postgres {

/// Begins a transaction that sees an exported snapshot; ends in "; ".
std::string begin_snapshot_sql(const std::string& snapshot);

/// Reads chunks by COPY. Each chunk is a transaction of its own, so that no lock on the table is held longer
/// than that. Columns are found by their numbers: one that was renamed meanwhile is read under its new name,
/// one that was dropped reads as null (the stream brings the drop). A relation that was rewritten or
/// truncated since the plan was made is Recovery::reconnect: the next plan begins it again.
class TableReader final : public ChunkReader {
 public:
  static Result<std::unique_ptr<ChunkReader>> open(std::shared_ptr<const SnapshotTerms> terms);
  Status read(const SchemaRef& table, const Chunk& chunk, const Sink& sink, std::stop_token stop) override;

 private:
  /// How a table is read, whatever the chunk.
  struct Layout {
    SchemaRef schema;
    std::string columns;  ///< the SELECT list
    std::string filter;   ///< of the publication; empty: none
    CopyFormat format = CopyFormat::text;
    std::vector<ValueDecoder> decoders;
  };
  TableReader() = default;
  Result<const Layout*> layout_of(const SchemaRef& table, const Limits& limits);
  Result<Layout> make_layout(const SchemaRef& table);
  Result<std::string> relation_name(Oid oid, const Limits& limits);
  Status begin(const std::string& relation, const PageRange& range, const Limits& limits);
  Status copy(const Layout& layout, const std::string& sql, const Sink& sink, const Limits& limits);
  Status read_range(const SchemaRef& table, const PageRange& range, const Sink& sink, const Limits& limits);

  std::shared_ptr<const SnapshotTerms> terms_;
  std::unique_ptr<Connection> connection_;
  std::map<std::string, Layout> layouts_;  ///< by table id
};

}  // namespace maia::postgres
