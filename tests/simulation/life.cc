// SPDX-License-Identifier: Apache-2.0
#include "life.h"

namespace maia::simulation {
namespace {

class ProcessFile final : public DiskFile {
 public:
  ProcessFile(std::unique_ptr<DiskFile> file, Life& life) : file_(std::move(file)), life_(life) {}
  Status append(ByteView bytes) override {
    MAIA_TRY(life_.leave());
    return file_->append(bytes);
  }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> out) override {
    return file_->read(offset, out);
  }
  Result<std::uint64_t> size() override { return file_->size(); }
  Status truncate(std::uint64_t size) override {
    MAIA_TRY(life_.leave());
    return file_->truncate(size);
  }
  Status sync() override {
    MAIA_TRY(life_.leave());
    return file_->sync();
  }

 private:
  std::unique_ptr<DiskFile> file_;
  Life& life_;
};

}  // namespace

void Life::die() {
  if (dead_) return;
  dead_ = true;
  on_death_();
}

Status Life::leave() {
  if (!dead_ && calls_left_ && (*calls_left_)-- == 0) die();
  if (dead_) return Error{Error::Code::unavailable, Recovery::reconnect, "the process has ended", ""};
  return {};
}

Status Life::call(const std::string& system, std::string_view call, std::uint64_t session) {
  MAIA_TRY(leave());
  return weather_.meet(system, call, session);
}

Result<std::unique_ptr<DiskFile>> ProcessDisk::open(const std::string& path, Open mode) {
  MAIA_TRY(life_.leave());
  auto file = MAIA_TRY(disk_.open(path, mode));
  return std::unique_ptr<DiskFile>(std::make_unique<ProcessFile>(std::move(file), life_));
}
Status ProcessDisk::rename(const std::string& from, const std::string& to) {
  MAIA_TRY(life_.leave());
  return disk_.rename(from, to);
}
Status ProcessDisk::remove(const std::string& path) {
  MAIA_TRY(life_.leave());
  return disk_.remove(path);
}
Result<std::vector<std::string>> ProcessDisk::list(const std::string& directory) {
  MAIA_TRY(life_.leave());
  return disk_.list(directory);
}
Status ProcessDisk::make_directories(const std::string& directory) {
  return disk_.make_directories(directory);
}
Status ProcessDisk::sync_directory(const std::string& directory) {
  MAIA_TRY(life_.leave());
  return disk_.sync_directory(directory);
}
Result<std::unique_ptr<DiskLock>> ProcessDisk::lock(const std::string& path) { return disk_.lock(path); }

}  // namespace maia::simulation
