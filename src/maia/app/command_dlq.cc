// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <simdjson.h>

#include <filesystem>

#include "maia/app/commands.h"
#include "maia/app/control.h"
#include "maia/app/letter_request.h"
#include "maia/app/running_pipelines.h"
#include "maia/app/state_directory.h"
#include "maia/app/text_table.h"
#include "maia/base/clock.h"
#include "maia/config/json.h"

namespace maia::app {
namespace {

using Action = LetterRequest::Action;
using Element = simdjson::dom::element;

Error refuse(std::string what, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(what), std::move(hint)};
}

Result<LetterRequest> request_of(const DlqArguments& arguments) {
  LetterRequest request{.action = *letter_action(arguments.action),
                        .ids = arguments.ids,
                        .table = arguments.table,
                        .destination = arguments.destination,
                        .every_status = arguments.every_status,
                        .failed_before = {},
                        .force = arguments.force,
                        .values = {}};
  if (arguments.older_than) {
    const auto age = std::chrono::duration_cast<std::chrono::microseconds>(*arguments.older_than);
    request.failed_before = system_clock().wall() - age.count();
  }
  const bool names = !request.ids.empty() || !request.table.empty() || request.failed_before;
  if ((request.action == Action::replay || request.action == Action::purge) && !names && !arguments.all)
    return refuse(fmt::format("which dead letters to {}?", arguments.action),
                  "name them by number or --table, or write --all");
  if ((request.action == Action::show || request.action == Action::edit) && request.ids.empty())
    return refuse(fmt::format("which dead letter to {}?", arguments.action), "name it by its number");
  for (const auto& each : arguments.set) {
    const auto at = each.find('=');
    if (at == each.npos || at == 0)
      return refuse(fmt::format("--set is '{}' but must be column=value", each), "write --set amount=12.50");
    request.values.emplace_back(each.substr(0, at), each.substr(at + 1));
  }
  for (const auto& column : arguments.set_null) request.values.emplace_back(column, std::nullopt);
  if ((request.action == Action::edit) == request.values.empty())
    return refuse(request.values.empty() ? "edit needs values" : "--set belongs to edit",
                  "write maia dlq edit ID --set column=value");
  return request;
}

/// The directory of the pipeline that was named, or of the only one that has dead letters kept.
Result<std::string> directory_of(const DlqArguments& arguments, const Outside& outside) {
  const auto root = MAIA_TRY(state_directory(arguments.state, outside.environment));
  std::vector<std::string> found;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(root, failure)) {
    const bool named = arguments.pipeline.empty() || entry.path().filename() == arguments.pipeline;
    if (named && std::filesystem::exists(letter_file(entry.path()))) found.push_back(entry.path());
  }
  if (found.size() == 1) return found[0];
  if (!found.empty()) return refuse("there are several pipelines", "name one with --pipeline");
  return refuse(arguments.pipeline.empty() ? "no pipeline has run here"
                                           : fmt::format("no pipeline {} has run here", arguments.pipeline),
                "look at --state and --pipeline");
}

Result<std::string> answer(const std::string& directory, const LetterRequest& request) {
  auto running = ask_letters(directory, request);
  if (running.ok() || running.error().code != Error::Code::unavailable || request.action == Action::replay)
    return running;
  const auto letters = MAIA_TRY(DeadLetterFile::open(letter_file(directory)));
  return config::to_json(MAIA_TRY(answer_letters(*letters, request)));
}

std::string text(Element object, std::string_view key) { return std::string(std::string_view(object[key])); }

void show_list(Element letters, std::ostream& out) {
  std::vector<std::vector<std::string>> rows{
      {"id", "status", "destination", "table", "stage", "first failed", "attempts", "reason"}};
  for (const Element letter : simdjson::dom::array(letters)) {
    const auto note = bool(letter["overtaken"]) ? " (overtaken)" : bool(letter["edited"]) ? " (edited)" : "";
    rows.push_back({std::to_string(std::uint64_t(letter["id"])), text(letter, "status") + note,
                    text(letter, "destination"), text(letter, "table"), text(letter, "stage"),
                    text(letter, "first_failed_at"), std::to_string(std::uint64_t(letter["attempts"])),
                    text(letter, "reason")});
  }
  if (rows.size() == 1) {
    out << "no dead letters\n";
  } else {
    print_table(out, rows);
  }
}

void show_whole(Element letters, std::ostream& out) {
  for (const Element letter : simdjson::dom::array(letters)) {
    std::vector<std::vector<std::string>> rows;
    for (const auto [key, value] : simdjson::dom::object(letter)) {
      rows.push_back({std::string(key),
                      value.is_string() ? std::string(std::string_view(value)) : simdjson::to_string(value)});
    }
    print_table(out, rows);
  }
}

}  // namespace

Result<ExitCode> execute(const DlqArguments& arguments, Outside& outside) {
  const auto request = MAIA_TRY(request_of(arguments));
  const auto directory = MAIA_TRY(directory_of(arguments, outside));
  const auto json = MAIA_TRY(answer(directory, request));
  if (arguments.json) {
    outside.out << json << '\n';
    return ExitCode::done;
  }
  try {
    simdjson::dom::parser parser;
    const Element answered = parser.parse(json);
    if (request.action == Action::list) {
      show_list(answered["letters"], outside.out);
    } else if (request.action == Action::show) {
      show_whole(answered["letters"], outside.out);
    } else {
      outside.out << text(answered, "answer") << '\n';
    }
  } catch (const simdjson::simdjson_error& error) {
    return Error{Error::Code::internal, Recovery::halt,
                 std::string("the running maia answered strangely: ") + error.what(),
                 "both must be the same version"};
  }
  return ExitCode::done;
}

}  // namespace maia::app
