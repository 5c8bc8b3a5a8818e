// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/types/batch.h"

namespace maia {

/// A row that a transform could not process, with the reason. The batch goes on without it.
struct RowFailure {
  std::size_t row = 0;  ///< of the input batch
  std::string reason;
};

/// A transform bound to one input schema. Used from one thread.
class BoundTransform {
 public:
  virtual ~BoundTransform() = default;
  virtual const SchemaRef& output() const = 0;
  /// Keeps op and ordinal of each surviving row. Rows that a filter rejects vanish, except that an update
  /// whose new row is rejected becomes a remove, and a remove always passes.
  virtual Result<Batch> apply(const Batch& batch, std::vector<RowFailure>& failures) = 0;
};

/// A pure step between journal and destination. The schema is transformed first, so that a bad mapping is
/// found before any row moves.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual const std::string& name() const = 0;
  /// Whether it applies to this table (by its `tables:`, or because the table has every column that it
  /// reads).
  virtual bool applies_to(const TableSchema& schema) const = 0;
  virtual Result<std::unique_ptr<BoundTransform>> bind(const SchemaRef& input) = 0;
};

}  // namespace maia
