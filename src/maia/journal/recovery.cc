// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/recovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/journal/running_transactions.h"
#include "maia/journal/segment_files.h"
#include "maia/journal/segment_reader.h"

namespace maia::journal {
namespace {

/// Walks through the last segment, whose end may be torn.
class LastSegment {
 public:
  LastSegment(Disk& disk, std::string directory, SegmentReader& reader, std::shared_ptr<SchemaPool> pool,
              Recovered& recovered)
      : disk_(disk),
        directory_(std::move(directory)),
        reader_(reader),
        pool_(std::move(pool)),
        recovered_(recovered) {}

  /// False if not even the open record was complete: the segment never came to be.
  Result<bool> scan() {
    auto open = reader_.open_record();
    if (!open.ok()) {
      MAIA_TRY(torn_at(0, open.error()));
      MAIA_TRY(disk_.remove(reader_.path()));
      MAIA_TRY(disk_.sync_directory(directory_));
      return false;
    }
    entry_ = {reader_.number(), open->base, open->base, reader_.number(), 0, {}};
    recovered_.last = open->base;
    recovered_.position = open->position;
    recovered_.complete = false;
    recovered_.schemas.clear();
    for (auto& schema : open->schemas) {
      auto known = std::make_shared<const TableSchema>(std::move(schema));
      recovered_.schemas[table_key(*known)] = known;
    }
    MAIA_TRY(walk());
    recovered_.segments.push_back(entry_);
    return true;
  }

 private:
  Status walk() {
    std::uint64_t offset = kSegmentMagic.size();
    const auto size = MAIA_TRY(reader_.size());
    while (offset < size && !recovered_.complete) {
      const auto header = reader_.header(offset);
      auto payload = header.ok() ? reader_.payload(offset, *header) : Result<Bytes>(header.error());
      if (!payload.ok()) {
        MAIA_TRY(torn_at(offset, payload.error()));
        break;
      }
      MAIA_TRY(take(offset, *header, *payload));
      offset += header->bytes();
      if (header->type == RecordType::mark) marked_ = offset;
    }
    if (recovered_.complete && offset != size) {
      return reader_.damaged_at(offset, "bytes follow the segment's end");
    }
    entry_.bytes = offset;
    entry_.last = recovered_.last;
    return make_durable();
  }

  /// What was read back need not be on the disk: the process before may have ended before it had synced it,
  /// or because it could not. After a sync that failed, a later one reports success without the lost pages,
  /// so all that no mark vouches for goes into a new file. (With it goes a torn tail.)
  Status make_durable() {
    if (recovered_.complete) return MAIA_TRY(disk_.open(reader_.path(), Disk::Open::existing))->sync();
    if (marked_ == entry_.bytes && !recovered_.torn) return {};
    return renew_segment(disk_, directory_, reader_.number(), entry_.bytes, pool_);
  }

  Status take(std::uint64_t offset, const RecordHeader& header, ByteView payload) {
    if (header.type == RecordType::window || header.type == RecordType::commit) {
      if (header.sequence.value != recovered_.last.value + 1) {
        return reader_.damaged_at(offset, "a sequence is missing before this record");
      }
      recovered_.last = header.sequence;
    }
    if (header.type == RecordType::window) {
      const auto window = MAIA_TRY(reader_.window(offset, header, payload));
      if (!window.end.empty()) recovered_.position = window.end;
      for (const auto& transaction : window.transactions) entry_.span.add(transaction);
      for (const auto& use : schema_uses(window)) apply(recovered_.schemas, use);
    } else if (header.type == RecordType::commit) {
      const auto commit = MAIA_TRY(reader_.commit(offset, header));
      recovered_.position = commit.transaction.position;
      entry_.span.add(commit.transaction);
      for (const auto& fragment : commit.fragments) {
        entry_.needs_from = std::min(entry_.needs_from, fragment.place.segment);
      }
      for (const auto number : commit.schemas) {
        const auto schema = MAIA_TRY(reader_.schema(number));
        recovered_.schemas[table_key(*schema)] = schema;
      }
      for (const auto& table : commit.dropped) recovered_.schemas.erase(table);
    } else if (header.type == RecordType::end) {
      recovered_.complete = true;
    }
    return {};
  }

  /// An error unless a crash explains what was found at `offset`.
  Status torn_at(std::uint64_t offset, const Error& found) {
    if (found.code != Error::Code::corruption) return found;
    if (MAIA_TRY(reader_.marked_after(offset))) return found;
    const auto size = MAIA_TRY(reader_.size());
    recovered_.torn = TornTail{reader_.path(), offset, size - offset};
    return {};
  }

  Disk& disk_;
  std::string directory_;
  SegmentReader& reader_;
  std::shared_ptr<SchemaPool> pool_;
  Recovered& recovered_;
  SegmentEntry entry_;
  std::uint64_t marked_ = 0;  ///< what comes before is known to be durable
};

Result<std::vector<std::uint64_t>> numbers_without_hole(Disk& disk, const std::string& directory) {
  auto numbers = MAIA_TRY(segment_numbers(disk, directory));
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    if (numbers[i] != numbers[i - 1] + 1) {
      return damaged(segment_path(directory, numbers[i - 1] + 1), 0, "the file is missing");
    }
  }
  return numbers;
}

Status remove_all(Disk& disk, const std::string& directory, std::span<const std::uint64_t> numbers) {
  for (const auto number : numbers) {
    MAIA_TRY(disk.remove(segment_path(directory, number)));
    MAIA_TRY(disk.sync_directory(directory));
  }
  return {};
}

Result<SegmentEntry> complete_segment(SegmentReader& reader) {
  const auto open = MAIA_TRY(reader.open_record());
  const auto end = MAIA_TRY(reader.end_record());
  const auto bytes = MAIA_TRY(reader.size());
  return SegmentEntry{reader.number(), open.base, end.last, end.needs_from, bytes, end.span};
}

}  // namespace

Result<Recovered> recover(Disk& disk, const std::string& directory, const std::shared_ptr<SchemaPool>& pool) {
  auto numbers = MAIA_TRY(numbers_without_hole(disk, directory));
  Recovered recovered;
  while (!numbers.empty()) {
    auto reader = MAIA_TRY(SegmentReader::open(disk, directory, numbers.back(), pool));
    if (MAIA_TRY(LastSegment(disk, directory, *reader, pool, recovered).scan())) {
      if (MAIA_TRY(reader->open_record()).reset) {
        MAIA_TRY(remove_all(disk, directory, std::span(numbers).first(numbers.size() - 1)));
        numbers.erase(numbers.begin(), numbers.end() - 1);
      }
      break;
    }
    recovered.next_number = numbers.back();
    numbers.pop_back();
    // Only the newest file can be torn as a whole: its predecessor was durable before it was made.
    if (numbers.empty()) return recovered;
  }
  if (numbers.empty()) return recovered;
  recovered.next_number = numbers.back() + 1;
  for (std::size_t i = numbers.size() - 1; i-- > 0;) {
    auto reader = MAIA_TRY(SegmentReader::open(disk, directory, numbers[i], pool));
    auto entry = MAIA_TRY(complete_segment(*reader));
    if (entry.last != recovered.segments.front().base) {
      return reader->damaged_at(0, fmt::format("it ends at sequence {}, but the next segment begins after {}",
                                               entry.last.value, recovered.segments.front().base.value));
    }
    recovered.segments.insert(recovered.segments.begin(), entry);
    // Reset of an older day: what was before it is void already.
    if (MAIA_TRY(reader->open_record()).reset && i > 0) {
      MAIA_TRY(remove_all(disk, directory, std::span(numbers).first(i)));
      break;
    }
  }
  return recovered;
}

}  // namespace maia::journal
