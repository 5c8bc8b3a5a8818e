// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/segment_reader.h"

#include <algorithm>

#include "maia/journal/schema_codec.h"

namespace maia::journal {
namespace {

constexpr std::size_t kReadAhead = 256 * 1024;

}  // namespace

template <class T>
Result<T> SegmentReader::at(std::uint64_t offset, Result<T> result) const {
  if (result.ok() || result.error().code != Error::Code::corruption) return result;
  if (!result.error().hint.empty()) return result;  // names its place already
  return damaged_at(offset, result.error().message);
}

Result<std::unique_ptr<SegmentReader>> SegmentReader::open(Disk& disk, const std::string& directory,
                                                           std::uint64_t number,
                                                           std::shared_ptr<SchemaPool> pool) {
  auto path = segment_path(directory, number);
  auto file = MAIA_TRY(disk.open(path, Disk::Open::existing));
  return std::unique_ptr<SegmentReader>(
      new SegmentReader(std::move(file), number, std::move(path), std::move(pool)));
}

Result<ByteView> SegmentReader::bytes(std::uint64_t offset, std::uint64_t size) {
  if (offset < buffer_offset_ || offset + size > buffer_offset_ + buffer_.size()) {
    const auto file_size = MAIA_TRY(file_->size());
    const auto available = offset < file_size ? file_size - offset : 0;
    buffer_.resize(static_cast<std::size_t>(std::min(available, std::max<std::uint64_t>(size, kReadAhead))));
    buffer_offset_ = offset;
    const auto read = file_->read(offset, buffer_);
    buffer_.resize(read.ok() ? *read : 0);
    if (!read.ok()) return read.error();
  }
  const auto from = static_cast<std::size_t>(offset - buffer_offset_);
  const auto there = std::min<std::uint64_t>(size, buffer_.size() - from);
  return ByteView(buffer_).subspan(from, static_cast<std::size_t>(there));
}

Status SegmentReader::check_magic() {
  const auto magic = MAIA_TRY(bytes(0, kSegmentMagic.size()));
  if (as_text(magic) == kSegmentMagic) return {};
  const auto name = kSegmentMagic.size() - 1;
  if (as_text(magic).substr(0, name) == kSegmentMagic.substr(0, name) &&
      magic.size() == kSegmentMagic.size()) {
    return damaged_at(0, "its format version is not known to this maia");
  }
  return damaged_at(0, "it does not begin as a journal segment does");
}

Result<RecordHeader> SegmentReader::header(std::uint64_t offset) {
  const auto head = MAIA_TRY(bytes(offset, kRecordHeaderBytes));
  return at(offset, decode_header(head, Place{number_, offset}));
}

Result<Bytes> SegmentReader::payload(std::uint64_t offset, const RecordHeader& header) {
  const auto size = MAIA_TRY(file_->size());
  if (header.stored > size || offset + header.bytes() > size)
    return damaged_at(offset, "the record is cut off");
  const auto record = MAIA_TRY(bytes(offset, header.bytes()));
  return at(offset, decode_payload(header, record, Place{number_, offset}));
}

Result<ByteView> SegmentReader::record(std::uint64_t offset, const RecordHeader& header) {
  MAIA_TRY(payload(offset, header));
  return bytes(offset, header.bytes());
}

Result<SegmentOpen> SegmentReader::open_record() {
  MAIA_TRY(check_magic());
  const auto offset = kSegmentMagic.size();
  const auto head = MAIA_TRY(header(offset));
  if (head.type != RecordType::open) return damaged_at(offset, "the first record is no open record");
  return at(offset, decode_open(MAIA_TRY(payload(offset, head))));
}

Result<SegmentEnd> SegmentReader::end_record() {
  const auto size = MAIA_TRY(file_->size());
  if (size < kSegmentMagic.size() + kRecordHeaderBytes) return damaged_at(size, "the segment is cut off");
  ByteReader tail(MAIA_TRY(bytes(size - sizeof(std::uint64_t), sizeof(std::uint64_t))));
  const auto offset = tail.u64();
  if (offset >= size) return damaged_at(size, "the segment does not close with an end record");
  const auto head = MAIA_TRY(header(offset));
  if (head.type != RecordType::end || offset + head.bytes() != size) {
    return damaged_at(offset, "the segment does not close with an end record");
  }
  return at(offset, decode_end(MAIA_TRY(payload(offset, head))));
}

Result<Window> SegmentReader::window(std::uint64_t offset, const RecordHeader& header) {
  return window(offset, header, MAIA_TRY(payload(offset, header)));
}

Result<Window> SegmentReader::window(std::uint64_t offset, const RecordHeader& header, ByteView payload) {
  auto window = MAIA_TRY(at(offset, decode_window(payload, [this](std::uint64_t n) { return schema(n); })));
  window.sequence = header.sequence;
  return window;
}

Result<Window> SegmentReader::head(std::uint64_t offset, const RecordHeader& header) {
  if (header.type == RecordType::window) {
    const auto from = MAIA_TRY(payload(offset, header));
    auto window = MAIA_TRY(at(offset, decode_window_head(from)));
    window.sequence = header.sequence;
    return window;
  }
  auto record = MAIA_TRY(commit(offset, header));
  Window window;
  window.sequence = header.sequence;
  window.end = record.transaction.position;
  window.received_at = record.transaction.committed_at;
  window.transactions.push_back(std::move(record.transaction));
  return window;
}

Result<CommitRecord> SegmentReader::commit(std::uint64_t offset, const RecordHeader& header) {
  return at(offset, decode_commit(MAIA_TRY(payload(offset, header))));
}

Result<SchemaRef> SegmentReader::schema(std::uint64_t number) {
  if (const auto found = schemas_.find(number); found != schemas_.end()) return found->second;
  const auto head = MAIA_TRY(header(number));
  if (head.type != RecordType::schema) return damaged_at(number, "a schema record is expected here");
  const auto from = MAIA_TRY(payload(number, head));
  auto schema = MAIA_TRY(at(number, decode_schema(from)));
  return schemas_[number] = pool_->intern(std::move(schema));
}

Result<bool> SegmentReader::marked_after(std::uint64_t offset) {
  const auto size = MAIA_TRY(file_->size());
  // Neighbouring pieces overlap, so that a magic across their border is found in one of them.
  for (auto at = offset; at < size; at += kReadAhead - kMarkMagic.size()) {
    const auto there = MAIA_TRY(bytes(at, kReadAhead));
    const std::string piece(as_text(there));
    for (auto hit = piece.find(kMarkMagic); hit != piece.npos; hit = piece.find(kMarkMagic, hit + 1)) {
      const auto begin = at + hit - kRecordHeaderBytes;
      if (at + hit < offset + kRecordHeaderBytes) continue;
      const auto head = header(begin);
      if (head.ok() && head->type == RecordType::mark && payload(begin, *head).ok()) return true;
    }
  }
  return false;
}

}  // namespace maia::journal
