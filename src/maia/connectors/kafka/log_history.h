// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/connectors/kafka/cluster.h"
#include "maia/connectors/kafka/source_config.h"

namespace maia::kafka {

/// The topics that are selected, as they are now.
Result<std::map<std::string, Cluster::Topic>> selected_topics(Cluster& cluster, const SourceConfig& config);

/// Where a new pipeline begins.
Result<LogPlace> place_to_start(Cluster& cluster, const SourceConfig& config);

/// Whether the cluster still has all that comes after the place. Code::lost_history if not: it is another
/// cluster, a topic was deleted or made anew, records were removed that were not read, or a log ends before
/// what was read.
Status check_history(Cluster& cluster, const SourceConfig& config, const LogPlace& place);

/// Adds what is selected and not in the place yet: partitions that were added to a topic, and topics, from
/// their beginning. Code::lost_history if a topic of the place is not there any more, or not the same.
Result<LogPlace> with_news(Cluster& cluster, const SourceConfig& config, LogPlace place);

}  // namespace maia::kafka
