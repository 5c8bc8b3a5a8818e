// SPDX-License-Identifier: Apache-2.0
#include "maia/app/moment.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/config/scalar.h"
#include "maia/types/time_text.h"

namespace maia::app {

Result<engine::Moment> parse_moment(std::string_view text, WallMicros now) {
  if (text.empty())
    return Error{Error::Code::invalid_config, Recovery::halt, "the place is empty",
                 "write a time, an age such as 10m, or a position"};
  if (const auto age = config::parse_duration(text)) {
    return engine::Moment{.time = now - age->count(), .position = {}};
  }
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), 'T', ' ');
  if (const auto time = parse_timestamp(plain, Zone::utc))
    return engine::Moment{.time = *time, .position = {}};
  if (parse_timestamp(plain, Zone::none)) {
    return Error{Error::Code::invalid_config, Recovery::halt,
                 fmt::format("'{}' does not say which zone it is of", text),
                 fmt::format("write {}Z for UTC, or an offset such as +02", text)};
  }
  return engine::Moment{.time = {}, .position = std::string(text)};
}

}  // namespace maia::app
