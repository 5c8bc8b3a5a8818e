// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>

#include "maia/base/disk.h"
#include "maia/journal/schema_pool.h"
#include "maia/journal/segment.h"

namespace maia::journal {

/// Reads one segment by itself. Every byte that it hands on has been verified; Code::corruption names file
/// and offset otherwise. Used from one thread; the segment may grow meanwhile.
class SegmentReader {
 public:
  static Result<std::unique_ptr<SegmentReader>> open(Disk& disk, const std::string& directory,
                                                     std::uint64_t number, std::shared_ptr<SchemaPool> pool);

  std::uint64_t number() const { return number_; }
  const std::string& path() const { return path_; }
  Result<std::uint64_t> size() { return file_->size(); }
  Status check_magic();
  Result<RecordHeader> header(std::uint64_t offset);
  Result<Bytes> payload(std::uint64_t offset, const RecordHeader& header);
  /// A whole record as it lies there, verified; valid until the next call.
  Result<ByteView> record(std::uint64_t offset, const RecordHeader& header);
  Result<SegmentOpen> open_record();
  /// Of a complete segment; found from the end of the file.
  Result<SegmentEnd> end_record();
  /// A window or fragment record's window, with `sequence` set.
  Result<Window> window(std::uint64_t offset, const RecordHeader& header);
  /// The same of a payload that was read already.
  Result<Window> window(std::uint64_t offset, const RecordHeader& header, ByteView payload);
  /// Of a window or commit record, without its rows: sequence, end, transactions.
  Result<Window> head(std::uint64_t offset, const RecordHeader& header);
  Result<CommitRecord> commit(std::uint64_t offset, const RecordHeader& header);
  /// The schema that `number` names in this segment; the same object each time.
  Result<SchemaRef> schema(std::uint64_t number);
  /// Whether an intact mark lies anywhere behind `offset`: then what is before it was durable once.
  Result<bool> marked_after(std::uint64_t offset);
  /// What was read ahead may have been half-written then; reads it again from here on.
  void forget() { buffer_.clear(); }
  Error damaged_at(std::uint64_t offset, std::string_view reason) const {
    return damaged(path_, offset, reason);
  }

 private:
  SegmentReader(std::unique_ptr<DiskFile> file, std::uint64_t number, std::string path,
                std::shared_ptr<SchemaPool> pool)
      : file_(std::move(file)), number_(number), path_(std::move(path)), pool_(std::move(pool)) {}
  /// Bytes out of a read-ahead buffer, valid until the next call; fewer at the end of the file.
  Result<ByteView> bytes(std::uint64_t offset, std::uint64_t size);
  template <class T>
  Result<T> at(std::uint64_t offset, Result<T> result) const;

  std::unique_ptr<DiskFile> file_;
  std::uint64_t number_;
  std::string path_;
  std::shared_ptr<SchemaPool> pool_;
  Bytes buffer_;
  std::uint64_t buffer_offset_ = 0;
  std::map<std::uint64_t, SchemaRef> schemas_;
};

}  // namespace maia::journal
