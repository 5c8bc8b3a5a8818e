// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <unordered_map>

#include "maia/base/disk.h"
#include "maia/journal/segment.h"

namespace maia::journal {

/// Appends records to one segment file. Used from one thread. After an error the segment is in doubt: drop
/// the writer and recover.
class SegmentWriter {
 public:
  /// Creates the file with its open record, durable on return.
  static Result<std::unique_ptr<SegmentWriter>> create(Disk& disk, const std::string& directory,
                                                       std::uint64_t number, const SegmentOpen& open);
  /// Goes on behind a recovered segment of `size` bytes.
  static Result<std::unique_ptr<SegmentWriter>> resume(Disk& disk, const std::string& directory,
                                                       std::uint64_t number, std::uint64_t size);

  std::uint64_t number() const { return number_; }
  std::uint64_t size() const { return size_; }
  /// Returns where the record begins.
  Result<std::uint64_t> append(RecordType type, Sequence sequence, ByteView payload);
  /// The number that names a schema in this segment; writes the schema first if this segment does not have
  /// it.
  Result<std::uint64_t> number_of(const SchemaRef& schema, Sequence sequence);
  /// Makes everything appended durable and leaves a mark of it.
  Status sync(Sequence sequence);
  /// Closes the segment for ever: end record, durable.
  Status end(SegmentEnd end);

 private:
  SegmentWriter(std::unique_ptr<DiskFile> file, std::uint64_t number, std::uint64_t size)
      : file_(std::move(file)), number_(number), size_(size) {}

  std::unique_ptr<DiskFile> file_;
  std::uint64_t number_;
  std::uint64_t size_;
  RecordEncoder encoder_;
  Bytes buffer_;
  /// Keeps the schemas alive, so that no other can have the address of one of them.
  std::unordered_map<SchemaRef, std::uint64_t> schemas_;
};

}  // namespace maia::journal
