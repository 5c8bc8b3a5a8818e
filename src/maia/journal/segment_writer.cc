// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/segment_writer.h"

#include "maia/journal/schema_codec.h"

namespace maia::journal {

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(Disk& disk, const std::string& directory,
                                                             std::uint64_t number, const SegmentOpen& open) {
  auto file = MAIA_TRY(disk.open(segment_path(directory, number), Disk::Open::create));
  MAIA_TRY(file->append(as_bytes(kSegmentMagic)));
  std::unique_ptr<SegmentWriter> writer(new SegmentWriter(std::move(file), number, kSegmentMagic.size()));
  MAIA_TRY(writer->append(RecordType::open, open.base, encode_open(open)));
  MAIA_TRY(disk.sync_directory(directory));
  MAIA_TRY(writer->sync(open.base));
  return writer;
}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::resume(Disk& disk, const std::string& directory,
                                                             std::uint64_t number, std::uint64_t size) {
  auto file = MAIA_TRY(disk.open(segment_path(directory, number), Disk::Open::existing));
  return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(file), number, size));
}

Result<std::uint64_t> SegmentWriter::append(RecordType type, Sequence sequence, ByteView payload) {
  const auto offset = size_;
  buffer_.clear();
  encoder_.append(buffer_, type, sequence, payload, Place{number_, offset});
  MAIA_TRY(file_->append(buffer_));
  size_ += buffer_.size();
  return offset;
}

Result<std::uint64_t> SegmentWriter::number_of(const SchemaRef& schema, Sequence sequence) {
  if (const auto found = schemas_.find(schema); found != schemas_.end()) return found->second;
  for (const auto& [known, number] : schemas_) {
    if (*known == *schema) return number;
  }
  Bytes payload;
  ByteWriter out(payload);
  encode_schema(out, *schema);
  const auto offset = MAIA_TRY(append(RecordType::schema, sequence, payload));
  schemas_.emplace(schema, offset);
  return offset;
}

Status SegmentWriter::sync(Sequence sequence) {
  MAIA_TRY(file_->sync());
  MAIA_TRY(append(RecordType::mark, sequence, as_bytes(kMarkMagic)));
  return {};
}

Status SegmentWriter::end(SegmentEnd end) {
  end.offset = size_;
  MAIA_TRY(append(RecordType::end, end.last, encode_end(end)));
  auto synced = file_->sync();
  // The next start shall not take the segment for complete.
  if (!synced.ok()) static_cast<void>(file_->truncate(end.offset));
  return synced;
}

}  // namespace maia::journal
