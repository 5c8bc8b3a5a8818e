// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maia/base/bytes.h"
#include "maia/connector/destination.h"
#include "maia/connectors/kafka/client.h"
#include "maia/connectors/kafka/topics.h"

namespace maia::kafka {

/// The checkpoint of a pipeline is the content of a compacted topic of one partition: a record under the key
/// `checkpoint`, and one for each fact under `fact:<name>`. All of a commit are of one transaction with the
/// rows. The topic is the pipeline's own, since readers of committed records wait for every transaction that
/// is open in a partition.
struct SavedCheckpoint {
  std::string pipeline;
  Epoch epoch;
  std::string taken_by;  ///< base/this_process.h
  Checkpoint checkpoint;
};

/// One record of the topic.
struct CheckpointRecord {
  std::string key;
  std::optional<std::string> value;  ///< nothing: the key is gone
};

/// The records that change `saved`, as it was, into what holds after the update.
std::vector<CheckpointRecord> checkpoint_records(const SavedCheckpoint& saved,
                                                 const CheckpointUpdate& update);

/// Applies the records of a topic in their order. Code::corruption for one that is none of ours.
class CheckpointReader {
 public:
  Status apply(std::string_view key, const std::optional<std::string_view>& value);
  /// Nothing if there was no checkpoint.
  std::optional<SavedCheckpoint> take() &&;

 private:
  bool found_ = false;
  SavedCheckpoint saved_;
};

TopicDesign checkpoint_topic(const std::string& name, std::int32_t replication);

/// Reads the topic up to its end, as committed. It must be there.
Result<std::optional<SavedCheckpoint>> read_checkpoint(const ConnectionConfig& config,
                                                       const std::string& topic);

}  // namespace maia::kafka
