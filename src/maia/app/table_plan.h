// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/connector/destination.h"
#include "maia/connector/source.h"
#include "maia/connector/transform.h"
#include "maia/engine/options.h"

namespace maia::app {

/// A column's whole way.
struct ColumnWay {
  std::string name;         ///< at the destination
  std::string source_type;  ///< "" for a column that a transform or the mode makes
  std::string canonical;
  std::string destination_type;
  Fidelity fidelity = Fidelity::exact;  ///< the worse of both ends
  std::string note;
  bool in_key = false;
};

/// What will become of one source table at one destination.
struct TableWay {
  std::string source, target;
  std::string mode;
  std::vector<std::string> transforms;
  std::vector<ColumnWay> columns;
  std::uint64_t rows_estimate = 0;  ///< at the source
  std::string problem, hint;        ///< why it cannot be synchronized; empty if it can
  /// Whether it can go: no problem, and no column unsupported.
  bool possible() const;
};

TableWay plan_table(const SourceTable& table, const Destination& destination,
                    std::span<const std::unique_ptr<Transform>> transforms,
                    const engine::DestinationOptions& options);

}  // namespace maia::app
