// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "maia/app/history_request.h"
#include "maia/app/letter_request.h"
#include "maia/app/pipeline_service.h"
#include "maia/base/result.h"
#include "maia/observe/metrics.h"
#include "maia/server/http.h"

namespace maia::app {

/// Where a running pipeline answers to its owner, in its state directory.
std::string control_socket(const std::string& pipeline_directory);

/// What the control socket answers: GET /status, POST /query, /letters, /replay and /rollback. The service
/// outlives the routes.
server::Routes control_routes(PipelineService& service);
/// What `--listen` answers: GET /metrics, /livez, /readyz and /api/v1/status. All outlive the routes.
server::Routes public_routes(const std::vector<PipelineService*>& services, observe::Registry& registry);

/// The other side of the control socket, as JSON. Code::unavailable with a hint if the pipeline does not run.
Result<std::string> ask_status(const std::string& pipeline_directory);
struct QueryRequest {
  std::string sql;
  std::string destination;
  Destination::QueryLimits limits;
};
Result<Destination::QueryResult> ask_query(const std::string& pipeline_directory,
                                           const QueryRequest& request);

/// The answer as a sentence.
Result<std::string> ask_control(const std::string& pipeline_directory, const ControlRequest& request);
/// The answer as `maia dlq --json` prints it.
Result<std::string> ask_letters(const std::string& pipeline_directory, const LetterRequest& request);
/// A sentence; and what `maia rollback --json` prints.
Result<std::string> ask_replay(const std::string& pipeline_directory, const HistoryRequest& request);
Result<std::string> ask_rollback(const std::string& pipeline_directory, const HistoryRequest& request);
/// Where a pipeline keeps its dead letters.
std::string letter_file(const std::string& pipeline_directory);

}  // namespace maia::app
