// SPDX-License-Identifier: Apache-2.0
#include "maia/journal/segment_files.h"

#include "maia/journal/segment_reader.h"

namespace maia::journal {
namespace {

constexpr std::string_view kNew = ".new";

}  // namespace

Status renew_segment(Disk& disk, const std::string& directory, std::uint64_t number, std::uint64_t bytes,
                     const std::shared_ptr<SchemaPool>& pool) {
  const auto path = segment_path(directory, number);
  const auto fresh = path + std::string(kNew);
  const auto reader = MAIA_TRY(SegmentReader::open(disk, directory, number, pool));
  MAIA_TRY(reader->check_magic());
  const auto file = MAIA_TRY(disk.open(fresh, Disk::Open::create));
  MAIA_TRY(file->append(as_bytes(kSegmentMagic)));
  for (std::uint64_t offset = kSegmentMagic.size(); offset < bytes;) {
    const auto header = MAIA_TRY(reader->header(offset));
    const auto record = MAIA_TRY(reader->record(offset, header));
    MAIA_TRY(file->append(record));
    offset += header.bytes();
  }
  MAIA_TRY(file->sync());
  MAIA_TRY(disk.rename(fresh, path));
  return disk.sync_directory(directory);
}

Status remove_strays(Disk& disk, const std::string& directory, std::uint64_t first, std::uint64_t last) {
  bool any = false;
  for (const auto& name : MAIA_TRY(disk.list(directory))) {
    const auto number = segment_number(name);
    const bool outside = number && (*number < first || *number > last);
    const bool half_made =
        name.ends_with(kNew) && segment_number(std::string_view(name).substr(0, name.size() - kNew.size()));
    if (!outside && !half_made) continue;
    MAIA_TRY(disk.remove(directory + "/" + name));
    any = true;
  }
  return any ? disk.sync_directory(directory) : Status();
}

Status SegmentRemoval::run() {
  while (!numbers_.empty()) {
    if (!first_removed_) MAIA_TRY(disk_.remove(segment_path(directory_, numbers_.front())));
    first_removed_ = true;
    MAIA_TRY(disk_.sync_directory(directory_));
    first_removed_ = false;
    numbers_.pop_front();
  }
  return {};
}

}  // namespace maia::journal
