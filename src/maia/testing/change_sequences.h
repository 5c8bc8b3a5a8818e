// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "maia/types/batch.h"

namespace maia::testing {

/// One change of a table (key int32, a int32, b string) by key; the new values of a and b come from its step.
struct KeyChange {
  Op op = Op::insert;
  int key = 0;      ///< of an update: the old one
  int new_key = 0;  ///< of an update; otherwise the same as `key`
  bool lacks_a = false;
  bool lacks_b = false;
};

using KeyRow = std::pair<int, std::string>;
using KeyTable = std::map<int, KeyRow>;

SchemaRef key_schema();
void push(Batch& batch, const KeyChange& change, int step);
/// What sql::NetChanges promises that a change does, row by row: the model that everything is compared to.
void apply(KeyTable& table, const KeyChange& change, int step);
/// Those of the keys 0, 1 and 2, moved up by `offset`, whose bits are set in `subset`.
KeyTable key_rows(unsigned subset, int offset = 0);
std::string describe(const std::vector<KeyChange>& changes);

/// All kinds of change of the keys 0, 1 and 2; without `every`, some that behave the same are left out.
std::vector<KeyChange> kinds_of_change(bool every);
/// Calls `use` with each sequence of `length` of the kinds, up to renaming of the keys.
void for_each_sequence(const std::vector<KeyChange>& kinds, std::size_t length,
                       const std::function<void(const std::vector<KeyChange>&)>& use);

}  // namespace maia::testing
