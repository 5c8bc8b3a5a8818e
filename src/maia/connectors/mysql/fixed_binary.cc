// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/fixed_binary.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "maia/base/assert.h"

namespace maia::mysql {
namespace {

/// UUIDs of versions 1 to 5 are kept with their parts in the opposite order, so that those of version 1 sort
/// by time; others as they are. In the opposite order the variant's high bit is at byte 6, and the version,
/// of which 6 and more would not have been turned, at byte 8.
bool is_turned(ByteView stored) {
  const auto version = stored[8] >> 4;
  return (stored[6] & 0x80) != 0 && version > 0 && version < 6;
}

}  // namespace

Uuid uuid_of_mariadb(ByteView stored) {
  MAIA_ASSERT(stored.size() == 16);
  constexpr std::array kPlaces = {12, 13, 14, 15, 10, 11, 8, 9, 6, 7, 0, 1, 2, 3, 4, 5};
  const bool turned = is_turned(stored);
  Uuid uuid;
  for (std::size_t i = 0; i < 16; ++i)
    uuid.bytes[i] = stored[turned ? static_cast<std::size_t>(kPlaces[i]) : i];
  return uuid;
}

std::string address_text(ByteView stored) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(stored.size() == 4 ? AF_INET : AF_INET6, stored.data(), text, sizeof text);
  return text;
}

}  // namespace maia::mysql
