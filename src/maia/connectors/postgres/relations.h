// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "maia/connectors/postgres/catalog.h"
#include "maia/connectors/postgres/pgoutput.h"
#include "maia/connectors/postgres/relation_shape.h"
#include "maia/connectors/postgres/row_decoder.h"
#include "maia/types/window.h"

namespace maia::postgres {

/// The tables of one stream: which schema the rows of each follow now, and their decoders. A transaction that
/// is streamed while it runs has a view of its own on top of the committed one, because the server sends it
/// Relation messages of its own; the view is dropped when it rolls back, and becomes the committed one at its
/// commit. Used from one thread.
class Relations {
 public:
  struct Terms {
    PublicationScope scope;
    Selection selection;
    bool binary = false;           ///< the stream sends binary values
    std::vector<SchemaRef> known;  ///< as of the stream's first position
  };
  /// `catalogue`: an ordinary session; must outlive the object.
  Relations(Connection& catalogue, Terms terms);

  /// A table as rows see it. `change` is what has to be told before the first row, until it is told.
  struct Entry {
    RowDecoder decoder;
    std::optional<SchemaChange> change;
    bool told = true;
    std::uint64_t told_at = 0;  ///< ordinal in its transaction
  };

  /// A Relation message of the transaction `writer`; `top` is the same if it is streamed while it runs, or 0.
  /// Recovery::reconnect with binary_refused() if a value of it could not be read in binary, with
  /// streaming_refused() if it can only be read once the transaction has committed.
  Status take(const Relation& relation, Xid writer, Xid top);
  /// The entry for rows of a relation; null for a table that the pipeline does not take.
  /// Code::corruption if the relation was never announced.
  Result<Entry*> find(Oid oid, Xid top);
  /// A table that `writer` has put into the publication, unless it is known already. It was there before, so
  /// its rows do not all come in the stream.
  Result<std::optional<SchemaChange>> join(Oid oid, Xid writer);
  bool binary_refused() const { return binary_refused_; }
  bool streaming_refused() const { return streaming_refused_; }

  /// The change of an entry that was not told yet, told now.
  Result<SchemaChange> tell(Entry& entry, Xid top, std::uint64_t ordinal);

  void committed(Xid top);
  void aborted(Xid top) { running_.erase(top); }
  /// A part of the transaction is rolled back: everything from this ordinal on.
  void rolled_back(Xid top, std::uint64_t from_ordinal);

 private:
  using View = std::unordered_map<Oid, std::vector<Entry>>;  ///< the last entry counts
  SchemaRef known(Oid oid, Xid top) const;
  /// Returns once the catalogue shows what `writer` did to the table.
  Status await_catalogue(Oid table, Xid writer, bool streamed);
  Result<RelationShape> shape_of(const Relation& relation, const TableSchema* known,
                                 const std::optional<CatalogTable>& catalog);
  Result<std::vector<SentColumn>> resolve(const Relation& relation, const TableSchema* known);
  Status fill_existing_rows(SchemaChange& change);

  Connection& catalogue_;
  Terms terms_;
  std::unordered_map<Oid, SchemaRef> known_;
  std::unordered_map<Oid, Entry> entries_;
  std::map<Xid, View> running_;
  std::unordered_set<Oid> ignored_;
  bool binary_refused_ = false;
  bool streaming_refused_ = false;
};

}  // namespace maia::postgres
