// SPDX-License-Identifier: Apache-2.0
#include "maia/app/control_request.h"

#include <simdjson.h>

#include <utility>

#include "maia/app/control.h"
#include "maia/app/running_pipelines.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

using Action = ControlRequest::Action;

constexpr std::pair<Action, std::string_view> kActions[] = {
    {Action::pause, "pause"}, {Action::resume, "resume"}, {Action::resync, "resync"}};

Error not_understood() {
  return Error{Error::Code::invalid_config, Recovery::halt, "the request is not understood",
               "send {\"action\", \"destination\", \"table\", \"rows\"}"};
}

}  // namespace

std::string to_json(const ControlRequest& request) {
  std::string_view word;
  for (const auto& [action, name] : kActions) {
    if (action == request.action) word = name;
  }
  return config::to_json(config::Object()
                             .set("action", word)
                             .set("destination", request.destination)
                             .set("table", request.table)
                             .set("rows", request.rows)
                             .node());
}

Result<ControlRequest> control_request_from_json(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element asked;
  std::string_view word, destination, table, rows;
  if (parser.parse(json).get(asked) != simdjson::SUCCESS || asked["action"].get(word) != simdjson::SUCCESS ||
      asked["destination"].get(destination) != simdjson::SUCCESS ||
      asked["table"].get(table) != simdjson::SUCCESS || asked["rows"].get(rows) != simdjson::SUCCESS) {
    return not_understood();
  }
  for (const auto& [action, name] : kActions) {
    if (name != word) continue;
    return ControlRequest{.action = action,
                          .destination = std::string(destination),
                          .table = std::string(table),
                          .rows = std::string(rows)};
  }
  return not_understood();
}

Result<ExitCode> control(ControlRequest request, const ControlPlace& place, const std::string& state,
                         bool json, Outside& outside) {
  const auto running = MAIA_TRY(running_pipelines(state, place.pipeline, outside));
  if (running.size() != 1) {
    return Error{
        running.empty() ? Error::Code::unavailable : Error::Code::invalid_config, Recovery::halt,
        running.empty() ? "no pipeline is running" : "several pipelines are running",
        running.empty() ? "start one with maia run" : "name one with --pipeline; maia status lists them"};
  }
  request.destination = place.destination;
  request.table = place.table;
  const auto answer = MAIA_TRY(ask_control(running[0], request));
  outside.out << (json ? config::to_json(config::Object().set("answer", answer).node()) : answer) << '\n';
  return ExitCode::done;
}

}  // namespace maia::app
