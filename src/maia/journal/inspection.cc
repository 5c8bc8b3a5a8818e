// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/inspection.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/journal/segment_reader.h"

namespace maia::journal {
namespace {

/// Reads one segment from its begin to its end.
class Walk {
 public:
  Walk(SegmentReader& reader, SegmentReport& report) : reader_(reader), report_(report) {}

  Status run() {
    MAIA_TRY(reader_.check_magic());
    const auto size = MAIA_TRY(reader_.size());
    while (offset_ < size) {
      const auto header = MAIA_TRY(reader_.header(offset_));
      MAIA_TRY(take(header));
      offset_ += header.bytes();
      if (report_.complete && offset_ != size) {
        return reader_.damaged_at(offset_, "bytes follow the segment's end");
      }
    }
    return {};
  }
  std::uint64_t offset() const { return offset_; }

 private:
  Status take(const RecordHeader& header) {
    switch (header.type) {
      case RecordType::open: return take_open();
      case RecordType::schema: MAIA_TRY(reader_.schema(offset_)); return {};
      case RecordType::window: {
        const auto window = MAIA_TRY(reader_.window(offset_, header));
        for (const auto& transaction : window.transactions) report_.span.add(transaction);
        return follow(header.sequence);
      }
      case RecordType::fragment: MAIA_TRY(reader_.window(offset_, header)); return {};
      case RecordType::commit: {
        const auto commit = MAIA_TRY(reader_.commit(offset_, header));
        report_.span.add(commit.transaction);
        return follow(header.sequence);
      }
      case RecordType::abort:
      case RecordType::start:
      case RecordType::mark: MAIA_TRY(reader_.payload(offset_, header)); return {};
      case RecordType::end: {
        const auto end = MAIA_TRY(reader_.end_record());
        report_.complete = true;
        if (end.last == report_.last && end.span == report_.span) return {};
        return reader_.damaged_at(offset_, "the end record tells of other transactions than the segment has");
      }
    }
    return {};
  }
  Status take_open() {
    if (offset_ != kSegmentMagic.size())
      return reader_.damaged_at(offset_, "an open record within a segment");
    const auto open = MAIA_TRY(reader_.open_record());
    report_.base = report_.last = open.base;
    return {};
  }
  Status follow(Sequence sequence) {
    if (sequence.value != report_.last.value + 1) {
      return reader_.damaged_at(offset_, fmt::format("sequence {} is missing", report_.last.value + 1));
    }
    report_.last = sequence;
    return {};
  }

  SegmentReader& reader_;
  SegmentReport& report_;
  std::uint64_t offset_ = kSegmentMagic.size();
};

Status look_at_ends(SegmentReader& reader, SegmentReport& report) {
  const auto open = MAIA_TRY(reader.open_record());
  const auto end = MAIA_TRY(reader.end_record());
  report.base = open.base;
  report.last = end.last;
  report.span = end.span;
  report.complete = true;
  return {};
}

/// Only the newest segment may have an end that does not verify, and nothing intact may follow it.
Status walk(SegmentReader& reader, bool newest, SegmentReport& report) {
  Walk walk(reader, report);
  auto walked = walk.run();
  if (walked.ok()) {
    if (report.complete || newest) return {};
    return reader.damaged_at(report.bytes, "the segment does not close with an end record");
  }
  if (!newest || walked.error().code != Error::Code::corruption) return walked;
  if (MAIA_TRY(reader.marked_after(walk.offset()))) return walked;
  report.bytes = MAIA_TRY(reader.size());
  report.unwritten_bytes = report.bytes - walk.offset();
  return {};
}

Result<SegmentReport> inspect_one(Disk& disk, const std::string& directory, std::uint64_t number, bool newest,
                                  Depth depth) {
  auto reader = MAIA_TRY(SegmentReader::open(disk, directory, number, std::make_shared<SchemaPool>()));
  SegmentReport report{.number = number, .path = reader->path(), .damage = {}};
  report.bytes = MAIA_TRY(reader->size());
  auto looked =
      newest || depth == Depth::every_byte ? walk(*reader, newest, report) : look_at_ends(*reader, report);
  if (looked.ok()) return report;
  if (looked.error().code != Error::Code::corruption) return std::move(looked).error();
  report.damage = std::move(looked).error();
  return report;
}

}  // namespace

Result<std::vector<SegmentReport>> inspect(Disk& disk, const std::string& directory, Depth depth) {
  const auto numbers = segment_numbers(disk, directory);
  if (!numbers.ok() || numbers->empty()) {
    return Error{Error::Code::invalid_config, Recovery::halt, "no journal is in " + directory,
                 numbers.ok() ? "its pipeline has not run yet" : numbers.error().message};
  }
  std::vector<SegmentReport> reports;
  for (const auto number : *numbers) {
    auto report = inspect_one(disk, directory, number, number == numbers->back(), depth);
    if (!report.ok()) {
      const auto now = MAIA_TRY(segment_numbers(disk, directory));
      const bool removed = std::find(now.begin(), now.end(), number) == now.end();
      if (removed && !now.empty() && number < now.front()) continue;
      return std::move(report).error();
    }
    if (!reports.empty() && !report->damage) {
      const auto& before = reports.back();
      const bool hole = before.number + 1 != number;
      if (hole)
        report->damage = damaged(segment_path(directory, before.number + 1), 0, "the file is missing");
    }
    reports.push_back(std::move(*report));
  }
  return reports;
}

}  // namespace maia::journal
