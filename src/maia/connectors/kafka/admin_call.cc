// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/admin_call.h"

namespace maia::kafka {

AdminCall::AdminCall(rd_kafka_t* client, const ConnectionConfig& config, rd_kafka_admin_op_t operation)
    : options_(rd_kafka_AdminOptions_new(client, operation)), queue_(rd_kafka_queue_new(client)) {
  char why[256];
  const auto limit = static_cast<int>(config.request_timeout.count());
  rd_kafka_AdminOptions_set_request_timeout(options_.get(), limit, why, sizeof why);
}

Result<Handle<rd_kafka_event_t>> AdminCall::answer(const std::string& what) const {
  // The request has a deadline of its own, so that an answer comes.
  Handle<rd_kafka_event_t> event(rd_kafka_queue_poll(queue_.get(), -1));
  if (const auto error = rd_kafka_event_error(event.get()))
    return failure(what, error, rd_kafka_event_error_string(event.get()));
  return event;
}

}  // namespace maia::kafka
