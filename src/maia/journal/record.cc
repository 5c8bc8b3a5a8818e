// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/record.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <zstd.h>

#include <memory>

namespace maia::journal {
namespace {

constexpr int kCompressionLevel = 1;
constexpr std::size_t kSmallestToCompress = 256;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kHeaderCheckOffset = 36;

/// A record that lies in the wrong place (a misdirected or stale write) does not verify.
std::uint64_t seed_of(Place place) { return (place.segment << 40) ^ place.offset; }

std::uint32_t header_check(ByteView header, Place place) {
  const auto covered = header.subspan(kChecksumBytes, kHeaderCheckOffset - kChecksumBytes);
  return static_cast<std::uint32_t>(XXH3_64bits_withSeed(covered.data(), covered.size(), seed_of(place)));
}

std::uint64_t record_checksum(ByteView record, Place place) {
  const auto covered = record.subspan(kChecksumBytes);
  return XXH3_64bits_withSeed(covered.data(), covered.size(), seed_of(place));
}

/// Made once for each thread: making one costs more than a small record.
ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> zstd{ZSTD_createDCtx(),
                                                                                  ZSTD_freeDCtx};
  return zstd.get();
}

Error bad(std::string reason) { return {Error::Code::corruption, Recovery::halt, std::move(reason), ""}; }

}  // namespace

struct RecordEncoder::Compressor {
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> zstd{ZSTD_createCCtx(), ZSTD_freeCCtx};
  Bytes scratch;
};

RecordEncoder::RecordEncoder() : compressor_(std::make_unique<Compressor>()) {}
RecordEncoder::~RecordEncoder() = default;

void RecordEncoder::append(Bytes& out, RecordType type, Sequence sequence, ByteView payload, Place place) {
  auto encoding = RecordHeader::Encoding::raw;
  const auto size = payload.size();
  // The end record is found from the end of the file, so its bytes must be the plain ones.
  if (size >= kSmallestToCompress && type != RecordType::end) {
    auto& scratch = compressor_->scratch;
    scratch.resize(ZSTD_compressBound(size));
    const auto packed = ZSTD_compressCCtx(compressor_->zstd.get(), scratch.data(), scratch.size(),
                                          payload.data(), size, kCompressionLevel);
    if (!ZSTD_isError(packed) && packed < size - size / 8) {
      payload = ByteView(scratch).first(packed);
      encoding = RecordHeader::Encoding::zstd;
    }
  }
  const auto begin = out.size();
  ByteWriter writer(out);
  writer.u64(0);
  writer.u64(sequence.value);
  writer.u64(payload.size());
  writer.u64(size);
  writer.u8(static_cast<std::uint8_t>(type));
  writer.u8(static_cast<std::uint8_t>(encoding));
  writer.u8(0);
  writer.u8(0);
  writer.u32(header_check(ByteView(out).subspan(begin), place));
  writer.bytes(payload);
  const auto checksum = record_checksum(ByteView(out).subspan(begin), place);
  std::memcpy(out.data() + begin, &checksum, sizeof checksum);
}

Result<RecordHeader> decode_header(ByteView bytes, Place place) {
  if (bytes.size() < kRecordHeaderBytes) return bad("the record's header is cut off");
  ByteReader reader(bytes.first(kRecordHeaderBytes));
  RecordHeader header;
  header.checksum = reader.u64();
  header.sequence.value = reader.u64();
  header.stored = reader.u64();
  header.size = reader.u64();
  const auto type = reader.u8();
  const auto encoding = reader.u8();
  const auto zeros = reader.u8() | reader.u8();
  if (reader.u32() != header_check(bytes, place)) return bad("the header's checksum does not match");
  if (type < static_cast<std::uint8_t>(RecordType::open) ||
      type > static_cast<std::uint8_t>(RecordType::end)) {
    return bad(fmt::format("record type {} is not known", type));
  }
  if (encoding > static_cast<std::uint8_t>(RecordHeader::Encoding::zstd) || zeros != 0) {
    return bad(fmt::format("record encoding {} is not known", encoding));
  }
  header.type = RecordType{type};
  header.encoding = RecordHeader::Encoding{encoding};
  return header;
}

Result<Bytes> decode_payload(const RecordHeader& header, ByteView record, Place place) {
  if (record.size() != header.bytes()) return bad("the record is cut off");
  if (header.checksum != record_checksum(record, place)) return bad("the record's checksum does not match");
  const auto stored = record.subspan(kRecordHeaderBytes);
  if (header.encoding == RecordHeader::Encoding::raw) {
    if (header.size != header.stored) return bad("the record states two sizes");
    return Bytes(stored.begin(), stored.end());
  }
  if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != header.size) {
    return bad("the compressed payload states another size than the record");
  }
  Bytes payload(header.size);
  const auto size =
      ZSTD_decompressDCtx(decompressor(), payload.data(), payload.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) || size != header.size) return bad("the payload does not decompress");
  return payload;
}

Error damaged(std::string_view file, std::uint64_t offset, std::string_view reason) {
  return {Error::Code::corruption, Recovery::halt,
          fmt::format("the journal segment {} is damaged at byte {}: {}", file, offset, reason),
          "check the disk, then move the journal's directory away: destinations go on from their checkpoints "
          "as far "
          "as the source still has the changes"};
}

}  // namespace maia::journal
