// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "maia/base/result.h"

namespace maia::mysql {

/// Turns the text of one character set of MySQL into UTF-8, as the server itself does. Used from one thread.
class CharsetDecoder {
 public:
  /// Code::unsupported, with the name, for a character set that is not known.
  static Result<CharsetDecoder> make(std::string_view charset);

  /// Valid until the next call. Code::data if the text is not of the character set.
  Result<std::string_view> decode(std::string_view text);

 private:
  struct Close {
    void operator()(void* converter) const;
  };
  enum class Way : unsigned char { as_is, latin1, convert };
  Way way_ = Way::as_is;
  std::unique_ptr<void, Close> converter_;
  std::string decoded_;
};

}  // namespace maia::mysql
