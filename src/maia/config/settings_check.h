// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "maia/base/result.h"
#include "maia/config/node.h"
#include "maia/config/setting.h"

namespace maia::config {

/// An invalid_config error that begins with its place, "maia.yaml:3:5: ".
Error error_at(const Mark& mark, std::string_view message, std::string hint = {});

/// The error with the place in front, unless it names a place of the same file already.
Error placed(Error error, const Mark& mark);

/// Whether a mapping has only keys that `settings` know (keys that begin with `x-` are free), has every
/// required one, and each value has the shape, type and bounds that its setting asks for. `where` names the
/// mapping in messages ("source"); empty for a whole file. No message shows a secret.
Status check_settings(const Node& mapping, std::span<const Setting> settings, std::string_view where);

/// The same for one value.
Status check_setting(const Node& value, const Setting& setting, std::string_view where);

/// What a setting accepts, in words: "a whole number between 1 and 65535".
std::string expectation(const Setting& setting);

}  // namespace maia::config
