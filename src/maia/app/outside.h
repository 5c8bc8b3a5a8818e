// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>

#include "maia/app/connectors.h"
#include "maia/base/result.h"
#include "maia/config/references.h"

namespace maia::app {

/// What a command ends with.
enum class ExitCode : int {
  done = 0,
  failed = 1,        ///< while running
  usage = 2,         ///< the command line or a file is wrong
  check_failed = 3,  ///< a check did not pass
  dead_letters = 4,  ///< finished, with rows set aside
};

/// Everything that a command touches besides its arguments and the systems at both ends.
struct Outside {
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;  ///< `out` is one
  config::Environment environment;
  Connectors connectors;
};

ExitCode exit_code_of(const Error& error);

/// Shows an error on `err`, or as `{"error": ...}` on `out` for `--json`; yields its exit code.
ExitCode report(const Error& error, Outside& outside, bool json);

}  // namespace maia::app
