// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/codec/json_writer.h"
#include "maia/config/spec.h"

namespace maia::file {

struct Config {
  std::string path;
  codec::JsonForm format = codec::JsonForm::debezium;

  bool to_stdout() const { return path == "-"; }
};

const config::Spec<Config>& config_spec();

}  // namespace maia::file

template <>
inline constexpr maia::config::Choice<maia::codec::JsonForm>
    maia::config::choices_of<maia::codec::JsonForm>[] = {{"debezium", maia::codec::JsonForm::debezium},
                                                         {"flat", maia::codec::JsonForm::flat}};
