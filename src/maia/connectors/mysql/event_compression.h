// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "maia/base/bytes.h"
#include "maia/base/result.h"

namespace maia::mysql {

/// A transaction that MySQL has compressed. `plain_size` is what the log says; it is checked.
Result<Bytes> unpack_zstd(ByteView packed, std::uint64_t plain_size);
/// Rows, a statement or a column's value that MariaDB has compressed with zlib, the length in front.
Result<Bytes> unpack_mariadb(ByteView packed);

/// No event is larger: what a hostile one may make us reserve.
inline constexpr std::uint64_t kMostPlainBytes = std::uint64_t{4} << 30;

}  // namespace maia::mysql
