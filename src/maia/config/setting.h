// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "maia/config/node.h"

namespace maia::config {

/// What one setting is, apart from the C++ member that it fills. Plain data: validation, the JSON Schema, the
/// reference page and the UI form are all derived from it.
struct Setting {
  enum class Kind : std::uint8_t {
    text,
    integer,
    number,
    boolean,
    duration,
    bytes,
    secret,
    list,
    choice,
    map,
    group,
    any  ///< any YAML value, handed on as it is
  };
  std::string name;
  std::string doc;  ///< one or two sentences, ends with a full stop
  Kind kind = Kind::text;
  /// List and map: what their elements are. One scalar stands for a list of one; a list inside a list or map
  /// is one of text.
  Kind element = Kind::text;
  std::string default_text;  ///< as one would write it; from the member initializer
  bool required = false;
  bool advanced = false;
  std::vector<std::string> choices;
  /// Bounds, both inclusive: of a number itself, of a duration in microseconds, of a size in bytes.
  std::optional<std::int64_t> minimum, maximum;
  std::string unit;
  std::string example;
  std::vector<Setting> members;       ///< group: its settings; list or map of groups: its element's
  std::vector<Setting> alternatives;  ///< other shapes that the same setting may have
};

}  // namespace maia::config
