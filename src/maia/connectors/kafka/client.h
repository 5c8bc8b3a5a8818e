// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/connectors/kafka/connection_config.h"
#include "maia/connectors/kafka/handle.h"

namespace maia::kafka {

/// Error::reason where the brokers do not let a transaction be open for so long.
inline constexpr std::string_view kTimeoutRefused = "transaction_timeout_refused";

/// Error::reason where the user lacks a privilege.
inline constexpr std::string_view kNotAllowed = "not_allowed";

/// What Kafka's error means for us. `what` says what we did; `detail` is librdkafka's text, may be empty.
Error failure(std::string_view what, rd_kafka_resp_err_t code, std::string_view detail = {});
/// The same for librdkafka's error objects, which may be null: no error.
Status outcome(std::string_view what, const Handle<rd_kafka_error_t>& error);

/// librdkafka's settings by their own names.
using Properties = std::map<std::string, std::string>;
/// A connection's settings with secrets in them: not to be shown.
Properties connection_properties(const ConnectionConfig& config);

/// Who hears of records that were acknowledged or refused; called by librdkafka's poll and flush.
struct Callbacks {
  void (*delivered)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque) = nullptr;
  void* opaque = nullptr;
};
/// Makes librdkafka's client. Nothing is sent yet.
Result<Handle<rd_kafka_t>> make_client(rd_kafka_type_t type, const ConnectionConfig& config,
                                       const Properties& further, const Callbacks& callbacks = {});

/// The topics and brokers of the cluster. The first thing to ask, for its errors tell why no connection comes
/// about; of a client without callbacks.
Result<Handle<const rd_kafka_metadata_t>> metadata_of(rd_kafka_t* client, const ConnectionConfig& config);

}  // namespace maia::kafka
