// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/connectors/kafka/client.h"

namespace maia::kafka {

/// One request for the administration of a cluster, and its answer. The client must outlive it.
class AdminCall {
 public:
  AdminCall(rd_kafka_t* client, const ConnectionConfig& config, rd_kafka_admin_op_t operation);

  /// With the deadline of requests.
  rd_kafka_AdminOptions_t* options() const { return options_.get(); }
  /// Where the answer is to go.
  rd_kafka_queue_t* queue() const { return queue_.get(); }
  /// Waits for it; `what` was asked for.
  Result<Handle<rd_kafka_event_t>> answer(const std::string& what) const;

 private:
  Handle<rd_kafka_AdminOptions_t> options_;
  Handle<rd_kafka_queue_t> queue_;
};

}  // namespace maia::kafka
