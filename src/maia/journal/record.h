// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>

#include "maia/base/bytes.h"
#include "maia/base/result.h"
#include "maia/types/position.h"

namespace maia::journal {

/// What a record holds. Values are part of the format: docs/reference/journal-format.md.
enum class RecordType : std::uint8_t {
  open = 1,      ///< first of each segment
  schema = 2,    ///< a table's shape; named by its offset in the segment
  window = 3,    ///< a window that is visible at once
  fragment = 4,  ///< rows of a running transaction
  abort = 5,     ///< a running transaction took rows back
  commit = 6,    ///< a running transaction became visible
  start = 7,     ///< a new run of the appender
  mark = 8,      ///< everything before it is known to be durable
  end = 9,       ///< last of a segment that is complete
};

/// Where a record begins.
struct Place {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

inline constexpr std::size_t kRecordHeaderBytes = 40;

/// The fixed part in front of each record's payload.
struct RecordHeader {
  enum class Encoding : std::uint8_t { raw = 0, zstd = 1 };
  std::uint64_t checksum = 0;  ///< of the rest of the header and the stored payload, seeded with the place
  Sequence sequence;           ///< window, commit: its own; others: the last one given before it
  std::uint64_t stored = 0;    ///< bytes of payload as they lie there
  std::uint64_t size = 0;      ///< bytes of payload once decompressed
  RecordType type = RecordType::open;
  Encoding encoding = Encoding::raw;

  std::uint64_t bytes() const { return kRecordHeaderBytes + stored; }
};

/// Turns payloads into records. Keeps the compressor's memory; used from one thread.
class RecordEncoder {
 public:
  RecordEncoder();
  ~RecordEncoder();
  /// Appends a whole record that is to stand at `place`.
  void append(Bytes& out, RecordType type, Sequence sequence, ByteView payload, Place place);

 private:
  struct Compressor;
  std::unique_ptr<Compressor> compressor_;
};

/// Reads the first kRecordHeaderBytes of a record. An error's message is the reason alone; the caller adds
/// the place.
Result<RecordHeader> decode_header(ByteView bytes, Place place);
/// Checks a whole record, header included, and yields its decompressed payload.
Result<Bytes> decode_payload(const RecordHeader& header, ByteView record, Place place);

/// Code::corruption for a place that does not follow the format.
Error damaged(std::string_view file, std::uint64_t offset, std::string_view reason);

}  // namespace maia::journal
