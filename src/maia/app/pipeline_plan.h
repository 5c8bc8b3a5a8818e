// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "maia/app/outside.h"
#include "maia/app/pipeline_change.h"
#include "maia/app/table_plan.h"
#include "maia/config/node.h"
#include "maia/config/pipeline_file.h"

namespace maia::app {

/// What is promised from one to the other: a log without rows may have parts that share no transaction.
Guarantee guarantee_of(const Connector& source, const Connector& destination);

/// What will become of the source's tables at one destination.
struct DestinationPlan {
  std::string pipeline, destination;
  std::string guarantee;
  std::vector<TableWay> tables;
  std::vector<std::string> idle;  ///< transforms that apply to no table
  /// Whether every table can go and every transform has something to do.
  bool possible() const;
};

struct PipelinePlan {
  std::vector<DestinationPlan> destinations;  ///< in the order of the settings
  PipelineChange change;                      ///< against what ran last
  bool possible() const;
};

/// Asks the source for its tables and works out what the settings make of them, and what of it is different
/// from the version in use, if there is one. Changes nothing anywhere.
Result<PipelinePlan> plan_pipeline(const config::PipelineSettings& pipeline, const std::string& state,
                                   const Outside& outside);

config::Node json_of(const DestinationPlan& plan);
void print(std::ostream& out, const DestinationPlan& plan);

}  // namespace maia::app
