// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>

#include "maia/app/commands.h"

int main(int argc, char** argv) {
  maia::app::Outside outside{.out = std::cout,
                             .err = std::cerr,
                             .terminal = isatty(STDOUT_FILENO) == 1,
                             .environment = maia::config::process_environment(),
                             .connectors = maia::app::built_in_connectors()};
  const auto code = maia::app::run_program({argv + 1, argv + argc}, outside);
  std::cout.flush();
  return static_cast<int>(code);
}
