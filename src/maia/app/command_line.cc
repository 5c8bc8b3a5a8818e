// SPDX-License-Identifier: Apache-2.0
#include "maia/app/command_line.h"

#include "maia/app/declarations.h"

namespace maia::app {
namespace {

void declare_all(CommandSet& commands) {
  declare_running(commands);
  declare_planning(commands);
  declare_operating(commands);
  declare_going_back(commands);
  declare_history(commands);
  declare_asking(commands);
}

}  // namespace

Result<Invocation> parse_command_line(const std::vector<std::string>& words) {
  CommandSet commands;
  declare_all(commands);
  return commands.parse(words);
}

std::vector<CommandDoc> command_docs() {
  CommandSet commands;
  declare_all(commands);
  return commands.docs();
}

}  // namespace maia::app
