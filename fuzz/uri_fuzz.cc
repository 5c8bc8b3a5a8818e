// SPDX-License-Identifier: Apache-2.0
// links: maia_net
// A URI of any bytes is read or refused; the password of one that is read never shows in its redacted form.
#include <cstdlib>
#include <string>
#include <string_view>

#include "maia/net/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto shown = maia::net::redacted(text);
  const auto uri = maia::net::parse_uri(text);
  if (!uri.ok()) {
    if (uri.error().message.find(shown) == std::string::npos) std::abort();
    return 0;
  }
  if (!uri->password || uri->password->empty()) return 0;
  // What stands between the first colon of the authority and its @ is the password as written.
  const auto begin = text.find(':', text.find("://") + 3) + 1;
  const auto written = ":" + std::string(text.substr(begin, text.find('@', begin) - begin)) + "@";
  if (written != ":***@" && shown.find(written) != std::string::npos) std::abort();
  return 0;
}
