// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>

#include "maia/app/commands.h"
#include "maia/app/control.h"
#include "maia/app/history_request.h"
#include "maia/app/running_pipelines.h"

namespace maia::app {
namespace {

Error refuse(std::string what, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(what), std::move(hint)};
}

bool person_says_yes(Outside& outside) {
  outside.out << "\nThe tables are held there afterwards, until maia resume. Go back? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

}  // namespace

Result<ExitCode> execute(const ReplayArguments& arguments, Outside& outside) {
  const auto directory = MAIA_TRY(only_running(arguments.state, arguments.pipeline, outside));
  const auto answer = MAIA_TRY(ask_replay(
      directory, {.at = arguments.from, .table = arguments.table, .destination = arguments.destination}));
  outside.out << MAIA_TRY(answer_in_words(answer)) << '\n';
  return ExitCode::done;
}

Result<ExitCode> execute(const RollbackArguments& arguments, Outside& outside) {
  const auto directory = MAIA_TRY(only_running(arguments.state, arguments.pipeline, outside));
  HistoryRequest request{.at = arguments.to,
                         .table = arguments.table,
                         .destination = arguments.destination,
                         .apply = false,
                         .partial = arguments.partial};
  const auto plan = MAIA_TRY(ask_rollback(directory, request));
  const auto shown = MAIA_TRY(rollback_in_words(plan));
  if (!arguments.json) outside.out << shown;
  if (!arguments.partial && !MAIA_TRY(takes_all_back(plan))) {
    if (arguments.json) outside.out << plan << '\n';
    return refuse("not everything can be taken back, so nothing was",
                  "leave tables out with --table, or take back what can be with --partial");
  }
  if (arguments.dry_run) {
    if (arguments.json) outside.out << plan << '\n';
    return ExitCode::done;
  }
  if (!arguments.yes) {
    if (!outside.terminal || isatty(STDIN_FILENO) == 0)
      return refuse("nobody is here to say yes", "look at it with --dry-run, then give --yes");
    if (!person_says_yes(outside)) {
      outside.out << "nothing was changed\n";
      return ExitCode::done;
    }
  }
  request.apply = true;
  const auto done = MAIA_TRY(ask_rollback(directory, request));
  if (arguments.json) {
    outside.out << done << '\n';
  } else {
    outside.out << "done; maia resume --table '*' rolls forward again\n";
  }
  return ExitCode::done;
}

}  // namespace maia::app
