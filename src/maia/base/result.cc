// SPDX-License-Identifier: Apache-2.0
#include "maia/base/result.h"

namespace maia {

std::string_view to_string(Error::Code code) {
  switch (code) {
    case Error::Code::invalid_config: return "invalid_config";
    case Error::Code::check_failed: return "check_failed";
    case Error::Code::unavailable: return "unavailable";
    case Error::Code::timeout: return "timeout";
    case Error::Code::data: return "data";
    case Error::Code::unsupported: return "unsupported";
    case Error::Code::corruption: return "corruption";
    case Error::Code::lost_history: return "lost_history";
    case Error::Code::fenced: return "fenced";
    case Error::Code::unknown_outcome: return "unknown_outcome";
    case Error::Code::storage: return "storage";
    case Error::Code::cancelled: return "cancelled";
    case Error::Code::internal: return "internal";
  }
  return "internal";
}

}  // namespace maia
