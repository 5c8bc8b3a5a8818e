// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "maia/app/arguments.h"
#include "maia/base/result.h"

namespace maia::app {

/// Parses the words after the program's name. Every flag may come from its variable instead:
/// `--until-caught-up` from MAIA_UNTIL_CAUGHT_UP, `--state` from MAIA_STATE_DIR. Code::invalid_config, with
/// the nearest known name, for what is not understood.
Result<Invocation> parse_command_line(const std::vector<std::string>& words);

/// The commands as the parser knows them, for completion and reference.
struct FlagDoc {
  std::string name;  ///< "--json"
  std::string doc;
  std::string variable;
  bool takes_value = false;
  std::vector<std::string> choices;
};
struct CommandDoc {
  std::string name;
  std::string doc;
  std::string usage;  ///< "maia run FILE..."
  std::vector<FlagDoc> flags;
  std::vector<std::string> choices;  ///< of its first argument
  bool takes_files = false;
};
std::vector<CommandDoc> command_docs();

}  // namespace maia::app
