// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "maia/base/result.h"
#include "maia/config/node.h"
#include "maia/state/dead_letters.h"

namespace maia::app {

/// What `maia dlq` asks of a pipeline; travels as JSON over its control socket.
struct LetterRequest {
  enum class Action : std::uint8_t { list, show, edit, replay, purge };
  Action action = Action::list;
  std::vector<std::uint64_t> ids;  ///< empty: all that the other conditions name
  std::string table, destination;  ///< empty: any
  bool every_status = false;       ///< list: also those that were replayed or purged
  std::optional<WallMicros> failed_before;
  bool force = false;  ///< replay: also what a later change overtook
  /// edit: columns and their new values in canonical text; nothing for NULL.
  std::vector<std::pair<std::string, std::optional<std::string>>> values;
};

std::optional<LetterRequest::Action> letter_action(std::string_view name);
std::string to_json(const LetterRequest& request);
/// Code::invalid_config if it is not what to_json writes.
Result<LetterRequest> letter_request_from_json(const std::string& json);

/// Does everything but replaying on the file. The answer is what `maia dlq --json` prints.
Result<config::Node> answer_letters(DeadLetterFile& letters, const LetterRequest& request);

}  // namespace maia::app
