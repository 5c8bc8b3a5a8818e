// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/source.h"

namespace maia {

Result<Source::Prepared> Source::begin_anew() {
  return Error{Error::Code::unsupported, Recovery::halt, "this source cannot begin anew by itself",
               "maia drop, then maia run"};
}

}  // namespace maia
