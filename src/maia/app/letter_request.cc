// SPDX-License-Identifier: Apache-2.0
#include "maia/app/letter_request.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "maia/config/json.h"
#include "maia/engine/letter.h"
#include "maia/types/time_text.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;
using Action = LetterRequest::Action;
using Element = simdjson::dom::element;

constexpr std::pair<std::string_view, Action> kActions[] = {{"list", Action::list},
                                                            {"show", Action::show},
                                                            {"edit", Action::edit},
                                                            {"replay", Action::replay},
                                                            {"purge", Action::purge}};

std::string_view name_of(Action action) {
  for (const auto& [name, each] : kActions) {
    if (each == action) return name;
  }
  return "list";
}

LetterFilter filter_of(const LetterRequest& request) {
  LetterFilter filter{.ids = request.ids,
                      .table = request.table,
                      .destination = request.destination,
                      .status = {},
                      .failed_before = request.failed_before};
  if (request.action == Action::list && !request.every_status) filter.status = DeadLetter::Status::waiting;
  return filter;
}

std::string time_text(WallMicros at) {
  std::string out;
  append_iso_timestamp(out, at, Zone::utc);
  return out;
}

/// The values as JSON beside the rest; a purged letter has none.
Node letter_node(const DeadLetter& letter) {
  return Object()
      .set("id", letter.id)
      .set("status", to_string(letter.status))
      .set("destination", letter.destination)
      .set("table", letter.table)
      .set("stage", letter.stage)
      .set("reason", letter.reason)
      .set("attempts", letter.attempts)
      .set("first_failed_at", time_text(letter.failed_at))
      .set("last_failed_at", time_text(letter.last_failed_at))
      .set("position", letter.position)
      .set("transaction", letter.transaction)
      .set("operation_id", letter.operation_id)
      .set("file_version", letter.file_version)
      .set("overtaken", letter.overtaken)
      .set("edited", letter.edited)
      .set("row", letter.row)
      .node();
}

Result<Node> show(DeadLetterFile& letters, const LetterRequest& request) {
  const auto found = MAIA_TRY(letters.list(filter_of(request)));
  if (request.action == Action::show && found.empty()) {
    return Error{Error::Code::invalid_config, Recovery::halt, "there is no such dead letter",
                 "`maia dlq list` shows those that wait"};
  }
  Node::Sequence all;
  for (const auto& letter : found) all.push_back(letter_node(letter));
  return Object().set("letters", Node{std::move(all), {}}).node();
}

Result<Node> edit(DeadLetterFile& letters, const LetterRequest& request) {
  const auto found = MAIA_TRY(letters.list(filter_of(request)));
  if (request.ids.size() != 1 || found.size() != 1 || found[0].status != DeadLetter::Status::waiting) {
    return Error{Error::Code::invalid_config, Recovery::halt, "one dead letter that waits is to be edited",
                 "name it by its number, as `maia dlq list` shows it"};
  }
  auto change = MAIA_TRY(engine::decode_change(found[0].change));
  for (const auto& [column, value] : request.values) MAIA_TRY(engine::set_value(change, column, value));
  MAIA_TRY(letters.edit(found[0].id, engine::row_as_json(change.batch, 0), engine::encode_change(change)));
  return Object().set("answer", fmt::format("dead letter {} was edited", found[0].id)).node();
}

}  // namespace

std::optional<Action> letter_action(std::string_view name) {
  for (const auto& [each, action] : kActions) {
    if (each == name) return action;
  }
  return std::nullopt;
}

std::string to_json(const LetterRequest& request) {
  Node::Sequence ids;
  for (const auto id : request.ids) ids.push_back(Node::text(std::to_string(id)));
  Node::Sequence values;
  for (const auto& [column, value] : request.values)
    values.push_back(Object().set("column", column).set("value", value ? Node::text(*value) : Node{}).node());
  return config::to_json(Object()
                             .set("do", name_of(request.action))
                             .set("ids", Node{std::move(ids), {}})
                             .set("table", request.table)
                             .set("destination", request.destination)
                             .set("every_status", request.every_status)
                             .set("failed_before", std::int64_t{request.failed_before.value_or(-1)})
                             .set("force", request.force)
                             .set("values", Node{std::move(values), {}})
                             .node());
}

Result<LetterRequest> letter_request_from_json(const std::string& json) {
  try {
    simdjson::dom::parser parser;
    const Element in = parser.parse(json);
    LetterRequest request;
    const auto action = letter_action(std::string_view(in["do"]));
    if (!action) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
    request.action = *action;
    for (const Element id : simdjson::dom::array(in["ids"]))
      request.ids.push_back(std::stoull(std::string(std::string_view(id))));
    request.table = std::string(std::string_view(in["table"]));
    request.destination = std::string(std::string_view(in["destination"]));
    request.every_status = bool(in["every_status"]);
    if (const auto before = std::int64_t(in["failed_before"]); before >= 0) request.failed_before = before;
    request.force = bool(in["force"]);
    for (const Element each : simdjson::dom::array(in["values"])) {
      const Element value = each["value"];
      request.values.emplace_back(
          std::string(std::string_view(each["column"])),
          value.is_null() ? std::nullopt : std::optional<std::string>(std::string_view(value)));
    }
    return request;
  } catch (const std::exception& error) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 std::string("the request is not understood: ") + error.what(),
                 "use maia dlq of the same version"};
  }
}

Result<Node> answer_letters(DeadLetterFile& letters, const LetterRequest& request) {
  switch (request.action) {
    case Action::list:
    case Action::show: return show(letters, request);
    case Action::edit: return edit(letters, request);
    case Action::purge: {
      const auto purged = MAIA_TRY(letters.purge(filter_of(request)));
      return Object()
          .set("answer", fmt::format("{} dead letter{} purged", purged, purged == 1 ? "" : "s"))
          .set("purged", purged)
          .node();
    }
    case Action::replay: break;
  }
  return Error{Error::Code::unavailable, Recovery::halt, "dead letters are replayed by the running pipeline",
               "start it with maia run"};
}

}  // namespace maia::app
