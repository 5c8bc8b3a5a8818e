// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/transforms/mapping.h"

namespace maia::transforms {

/// One word of a script.
struct Token {
  enum class Kind : std::uint8_t {
    name,         ///< bare identifier or keyword
    quoted_name,  ///< "identifier"; text is what it names
    number,
    string,   ///< 'text' as written, quotes included
    symbol,   ///< one character
    newline,  ///< end of a statement; not inside brackets
    end,
  };
  Kind kind = Kind::end;
  std::string text;
  TextPlace place;
  bool spaced = false;  ///< white space or a comment stands before it
};

/// Splits a script into words. Comments (`#`, `--` to the end of the line, `/* */`) vanish. Errors name the
/// place: brackets that do not match, text that does not end, characters that mean nothing.
Result<std::vector<Token>> split_script(std::string_view script);

/// Code::invalid_config: "line 2, column 7: what".
Error script_error(const TextPlace& place, std::string_view what, std::string hint = "");

}  // namespace maia::transforms
