// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "maia/base/result.h"
#include "maia/server/http.h"

namespace maia::server {

/// Asks the server on a Unix socket and waits for its answer. The request's query is sent as it is in `path`.
/// Code::unavailable if nobody listens there, Code::timeout when `limit` has passed.
Result<Response> request_over_socket(const std::string& socket_path, const Request& request,
                                     std::chrono::milliseconds limit);

}  // namespace maia::server
