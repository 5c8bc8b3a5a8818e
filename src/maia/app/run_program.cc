// SPDX-License-Identifier: Apache-2.0
#include <type_traits>

#include "maia/app/command_line.h"
#include "maia/app/commands.h"

namespace maia::app {
namespace {

template <class Arguments>
bool wants_json(const Arguments& arguments) {
  if constexpr (std::is_same_v<Arguments, RunArguments>)
    return false;  // its --json is about the log
  else if constexpr (requires { arguments.json; })
    return arguments.json;
  else if constexpr (requires { Arguments::Format::json; })
    return arguments.format == Arguments::Format::json;
  else
    return false;
}

}  // namespace

Result<ExitCode> execute(const HelpArguments& arguments, Outside& outside) {
  outside.out << arguments.text;
  return ExitCode::done;
}

ExitCode run_program(const std::vector<std::string>& words, Outside& outside) {
  const auto invocation = parse_command_line(words);
  if (!invocation.ok()) return report(invocation.error(), outside, false);
  return std::visit(
      [&](const auto& arguments) {
        const auto code = execute(arguments, outside);
        return code.ok() ? *code : report(code.error(), outside, wants_json(arguments));
      },
      *invocation);
}

}  // namespace maia::app
