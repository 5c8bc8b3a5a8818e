// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/source.h"

namespace maia {

Result<Position> Source::position_from_text(std::string_view, const Position&) const {
  return Error{Error::Code::unsupported, Recovery::halt, "this source's positions cannot be written by hand",
               "name a time instead"};
}

Result<Source::Prepared> Source::begin_anew() {
  return Error{Error::Code::unsupported, Recovery::halt, "this source cannot begin anew by itself",
               "maia drop, then maia run"};
}

}  // namespace maia
