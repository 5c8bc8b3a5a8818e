// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connectors/kafka/connection_config.h"
#include "maia/connectors/kafka/handle.h"

namespace maia::kafka {

/// What Kafka's error means for us. `what` says what we did; `detail` is librdkafka's text, may be empty.
Error failure(std::string_view what, rd_kafka_resp_err_t code, std::string_view detail = {});
/// The same for librdkafka's error objects, which may be null: no error.
Status outcome(std::string_view what, const Handle<rd_kafka_error_t>& error);

/// librdkafka's settings by their own names.
using Properties = std::map<std::string, std::string>;
/// A connection's settings with secrets in them: not to be shown.
Properties connection_properties(const ConnectionConfig& config);

/// Makes librdkafka's client. `opaque` is handed to the callbacks that `adjust` sets. Nothing is sent yet.
struct Callbacks {
  void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque) = nullptr;
  void* opaque = nullptr;
};
Result<Handle<rd_kafka_t>> make_client(rd_kafka_type_t type, const ConnectionConfig& config,
                                       const Properties& further, const Callbacks& callbacks = {});

/// The topics and brokers of the cluster; with the credentials and the network proven on the way.
Result<Handle<const rd_kafka_metadata_t>> metadata_of(rd_kafka_t* client, const ConnectionConfig& config);

}  // namespace maia::kafka
