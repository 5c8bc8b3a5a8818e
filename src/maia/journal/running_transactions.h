// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maia/journal/segment.h"
#include "maia/types/window.h"

namespace maia::journal {

/// A change of the latest shape of a table, in the order of the rows. `schema` is null for a dropped table.
struct SchemaUse {
  std::uint64_t ordinal = 0;
  std::string table;
  SchemaRef schema;
};
/// What a window tells about the latest shapes, by ordinal.
std::vector<SchemaUse> schema_uses(const Window& window);
void apply(LatestSchemas& latest, const SchemaUse& use);

/// Which fragments of the transactions that are running at the source are still to be delivered. Pure memory;
/// used from the appender's thread. Costs a few dozen bytes for each fragment.
class RunningTransactions {
 public:
  struct Committed {
    std::vector<FragmentRef> fragments;
    std::vector<SchemaUse> schemas;
  };

  bool none() const { return running_.empty(); }
  /// A fragment was written at `place`. False: it has nothing in it.
  bool add(const std::string& transaction, Place place, const Window& window);
  /// Takes back everything from this ordinal to what was added so far.
  void abort(const std::string& transaction, std::uint64_t from_ordinal);
  /// Ends the transaction; one without fragments is empty.
  Committed commit(const std::string& transaction);
  void clear() { running_.clear(); }
  /// Lowest segment that holds a fragment of a running transaction.
  std::optional<std::uint64_t> oldest_segment() const;

 private:
  struct Fragment {
    FragmentRef ref;
    std::uint64_t first_ordinal = 0;
    std::vector<SchemaUse> schemas;
  };
  std::map<std::string, std::vector<Fragment>> running_;
};

/// Removes the rows and barriers with this ordinal or a higher one.
void drop_from(Window& window, std::uint64_t ordinal);

}  // namespace maia::journal
