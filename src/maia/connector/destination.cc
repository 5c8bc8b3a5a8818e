// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/destination.h"

namespace maia {

Result<Destination::QueryResult> Destination::query(std::string_view, const QueryLimits&) {
  return Error{Error::Code::unsupported, Recovery::halt,
               "this destination does not answer queries through maia", "query it with its own client"};
}

}  // namespace maia
