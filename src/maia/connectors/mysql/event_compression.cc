// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/event_compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <span>

#include "maia/connectors/mysql/wire.h"

namespace maia::mysql {
namespace {

/// A first guess that a small input with a large number in front cannot make huge.
constexpr std::size_t kMostAtOnce = std::size_t{1} << 20;

Error malformed() {
  return Error{.code = Error::Code::corruption,
               .message = "a compressed part of the binary log is damaged",
               .hint = ""};
}

/// Grows `out` by a piece and gives the place to write to; empty when `most` is reached.
std::span<std::uint8_t> room(Bytes& out, std::size_t used, std::uint64_t most) {
  const auto size = std::min<std::uint64_t>(most, std::max(out.size() * 2, used + kMostAtOnce));
  out.resize(std::max(used, static_cast<std::size_t>(size)));
  return std::span(out).subspan(used);
}

}  // namespace

Result<Bytes> unpack_zstd(ByteView packed, std::uint64_t plain_size) {
  if (plain_size > kMostPlainBytes) return malformed();
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  Bytes out;
  std::size_t used = 0;
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  while (used < plain_size) {
    const auto space = room(out, used, plain_size);
    ZSTD_outBuffer to{space.data(), space.size(), 0};
    const auto state = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(state) != 0) return malformed();
    used += to.pos;
    if (to.pos == 0 && in.pos == in.size) return malformed();
  }
  out.resize(used);
  return out;
}

Result<Bytes> unpack_mariadb(ByteView packed) {
  WireReader in(packed);
  const auto head = in.u8();
  constexpr std::uint8_t kCompressed = 0x80, kAlgorithm = 0x70, kLengthBytes = 0x07;
  const unsigned length_bytes = head & kLengthBytes;
  if ((head & kCompressed) == 0 || (head & kAlgorithm) != 0 || length_bytes == 0 || length_bytes > 4) {
    return malformed();
  }
  const auto plain_size = in.big(length_bytes);
  const auto stream = in.rest();
  if (!in.ok() || plain_size > kMostPlainBytes || stream.size() > UINT32_MAX) return malformed();
  z_stream zlib{};
  if (inflateInit(&zlib) != Z_OK) return malformed();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&zlib, inflateEnd);
  zlib.next_in = const_cast<std::uint8_t*>(stream.data());
  zlib.avail_in = static_cast<unsigned>(stream.size());
  Bytes out;
  std::size_t used = 0;
  while (used < plain_size) {
    const auto space = room(out, used, plain_size);
    zlib.next_out = space.data();
    zlib.avail_out = static_cast<unsigned>(std::min<std::size_t>(space.size(), UINT32_MAX));
    const auto offered = zlib.avail_out;
    const int state = inflate(&zlib, Z_NO_FLUSH);
    used += offered - zlib.avail_out;
    if (state == Z_STREAM_END) break;
    if (state != Z_OK) return malformed();
  }
  if (used != plain_size) return malformed();
  out.resize(used);
  return out;
}

}  // namespace maia::mysql
