// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "maia/connectors/kafka/cluster.h"
#include "maia/connectors/kafka/record_decoder.h"
#include "maia/connectors/kafka/source_config.h"
#include "maia/types/schema.h"

namespace maia::kafka {

/// The tables that the newest records of the topics show. A record that cannot be understood shows none.
Result<std::vector<SchemaRef>> sample_tables(const SourceConfig& config,
                                             const std::map<std::string, Cluster::Topic>& topics,
                                             const Cluster::Offsets& firsts, const Cluster::Offsets& ends,
                                             const RecordDecoder::AskSchema& ask);

}  // namespace maia::kafka
