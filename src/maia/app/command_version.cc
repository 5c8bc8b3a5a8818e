// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/base/version.h"
#include "maia/config/json.h"

namespace maia::app {

Result<ExitCode> execute(const VersionArguments& arguments, Outside& outside) {
  if (arguments.json)
    outside.out << to_json(config::Object().set("version", version()).node()) << '\n';
  else
    outside.out << "maia " << version() << '\n';
  return ExitCode::done;
}

}  // namespace maia::app
