// SPDX-License-Identifier: Apache-2.0
#include "maia/app/outside.h"

#include "maia/config/json.h"

namespace maia::app {

ExitCode exit_code_of(const Error& error) {
  if (error.code == Error::Code::invalid_config) return ExitCode::usage;
  if (error.code == Error::Code::check_failed) return ExitCode::check_failed;
  return ExitCode::failed;
}

ExitCode report(const Error& error, Outside& outside, bool json) {
  if (json) {
    auto body = config::Object()
                    .set("code", to_string(error.code))
                    .set("message", error.message)
                    .set("hint", error.hint)
                    .node();
    outside.out << to_json(config::Object().set("error", std::move(body)).node(), 2) << '\n';
  } else {
    outside.err << "maia: " << error.message << '\n';
    if (!error.hint.empty()) outside.err << "  " << error.hint << '\n';
  }
  return exit_code_of(error);
}

}  // namespace maia::app
