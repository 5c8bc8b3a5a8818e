// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/base/result.h"
#include "maia/config/node.h"
#include "maia/engine/rollback.h"

namespace maia::app {

/// What `maia replay` and `maia rollback` ask of a running pipeline; travels as JSON over its control socket.
struct HistoryRequest {
  std::string at;     ///< as parse_moment takes it
  std::string table;  ///< empty: every table
  std::string destination;
  bool apply = false;    ///< rollback: do it, rather than only show what it would do
  bool partial = false;  ///< rollback: also if not all can be taken back
};
std::string to_json(const HistoryRequest& request);
/// Code::invalid_config if it is not what to_json writes.
Result<HistoryRequest> history_request_from_json(const std::string& json);

/// The sentence in {"answer": ...}.
Result<std::string> answer_in_words(const std::string& json);

/// What `maia rollback --json` prints.
config::Node rollback_node(const std::vector<engine::Rollback>& rollbacks);
/// The same for people, from that JSON.
Result<std::string> rollback_in_words(const std::string& json);
/// Whether all that it names can be taken back, from that JSON.
Result<bool> takes_all_back(const std::string& json);

}  // namespace maia::app
