// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "maia/base/bytes.h"
#include "maia/types/column_vector.h"

namespace maia::mysql {

/// The 16 bytes of MariaDB's UUID, which it keeps with the parts turned round where that makes them sort by
/// time.
Uuid uuid_of_mariadb(ByteView stored);
/// 4 or 16 bytes as INET4 and INET6 print them.
std::string address_text(ByteView stored);

}  // namespace maia::mysql
