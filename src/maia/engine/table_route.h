// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"
#include "maia/connector/transform.h"
#include "maia/engine/options.h"

namespace maia::engine {

/// A batch on its way: either the input itself or one made from it.
struct RoutedBatch {
  const Batch* batch = nullptr;  ///< into `own`, or the input
  std::unique_ptr<Batch> own;
};

/// The name that a source table has at the destination.
Result<TableName> route_name(const TableName& source, const std::vector<RouteRule>& rules);

/// The way of one source table, under one schema version, to one destination: transforms, the mode's
/// rewriting, and the fit into the shape that the destination's table has. Used from the destination's
/// thread.
class TableRoute {
 public:
  /// Binds the chain for `source`. Fails with Code::invalid_config when the key is lost on the way or not
  /// known well enough to find rows. `transforms` outlive the route.
  static Result<TableRoute> bind(SchemaRef source, std::span<const std::unique_ptr<Transform>> transforms,
                                 const DestinationOptions& options);

  /// A route made without bind leads nowhere.
  bool bound() const { return source_ != nullptr; }
  const SchemaRef& source() const { return source_; }
  /// What the destination's table should look like for this source shape.
  const SchemaRef& wanted() const { return wanted_; }
  /// What it looks like: batches are fitted into this shape. Columns that it has beyond `wanted` get NULL or
  /// stay unchanged, those that it lacks are left out. `wanted` until set.
  void set_target(SchemaRef shape);
  const TableTarget& target() const { return target_; }
  /// Names of the transforms that apply, in order.
  std::vector<std::string> transform_names() const;

  Result<RoutedBatch> apply(const Batch& batch, std::span<const Transaction> transactions,
                            std::vector<RowFailure>& failures);

 private:
  Status resolve_key(const DestinationOptions& options);

  SchemaRef source_;
  SchemaRef transformed_;
  SchemaRef wanted_;
  TableTarget target_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<BoundTransform>> chain_;
  DestinationOptions options_;
  std::vector<std::optional<std::size_t>> fit_;  // per target column: the wanted column; empty: identical
};

}  // namespace maia::engine
