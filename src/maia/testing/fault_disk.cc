// SPDX-License-Identifier: Apache-2.0
#include "maia/testing/fault_disk.h"

#include <algorithm>
#include <cerrno>

namespace maia::testing {
namespace {

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash);
}

}  // namespace

class FaultDisk::File final : public DiskFile {
 public:
  File(FaultDisk& disk, std::shared_ptr<Inode> inode, std::string path)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), power_cycle_(disk.power_cycle_) {}

  Status append(ByteView bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    MAIA_TRY(alive());
    auto failed = disk_.changing("write", path_);
    const auto part = failed.ok() ? bytes : bytes.first(bytes.size() / 2);
    inode_->data.insert(inode_->data.end(), part.begin(), part.end());
    return failed;
  }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> out) override {
    const std::lock_guard lock(disk_.mutex_);
    MAIA_TRY(alive());
    MAIA_TRY(disk_.reading("read", path_));
    const auto& data = inode_->data;
    if (offset >= data.size()) return std::size_t{0};
    const auto size = std::min<std::size_t>(out.size(), data.size() - static_cast<std::size_t>(offset));
    std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
    return size;
  }

  Result<std::uint64_t> size() override {
    const std::lock_guard lock(disk_.mutex_);
    MAIA_TRY(alive());
    MAIA_TRY(disk_.reading("size", path_));
    return std::uint64_t{inode_->data.size()};
  }

  Status truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    MAIA_TRY(alive());
    MAIA_TRY(disk_.changing("shorten", path_));
    inode_->data.resize(static_cast<std::size_t>(size));
    inode_->common = std::min(inode_->common, inode_->data.size());
    inode_->lost_to = std::min(inode_->lost_to, inode_->data.size());
    return {};
  }

  Status sync() override {
    const std::lock_guard lock(disk_.mutex_);
    MAIA_TRY(alive());
    if (auto failed = disk_.changing("sync", path_); !failed.ok()) {
      if (inode_->lost_from >= inode_->lost_to) inode_->lost_from = inode_->common;
      inode_->lost_from = std::min(inode_->lost_from, inode_->common);
      inode_->lost_to = inode_->data.size();
      return failed;
    }
    inode_->durable.resize(inode_->common);
    inode_->durable.insert(inode_->durable.end(),
                           inode_->data.begin() + static_cast<std::ptrdiff_t>(inode_->common),
                           inode_->data.end());
    inode_->common = inode_->data.size();
    // As Linux does it: after one failure later syncs report success without the lost pages.
    if (inode_->lost_from < inode_->lost_to) {
      std::fill(inode_->durable.begin() + static_cast<std::ptrdiff_t>(inode_->lost_from),
                inode_->durable.begin() + static_cast<std::ptrdiff_t>(inode_->lost_to), std::uint8_t{0});
      inode_->common = inode_->lost_from;
    }
    return {};
  }

 private:
  Status alive() const {
    if (power_cycle_ == disk_.power_cycle_) return {};
    return disk_error(EBADF, "use", path_);
  }

  FaultDisk& disk_;
  std::shared_ptr<Inode> inode_;
  std::string path_;
  std::uint64_t power_cycle_;
};

class FaultDisk::Lock final : public DiskLock {
 public:
  Lock(FaultDisk& disk, std::string path)
      : disk_(disk), path_(std::move(path)), power_cycle_(disk.power_cycle_) {}
  ~Lock() override {
    const std::lock_guard lock(disk_.mutex_);
    if (power_cycle_ == disk_.power_cycle_) disk_.locks_.erase(path_);
  }

 private:
  FaultDisk& disk_;
  std::string path_;
  std::uint64_t power_cycle_;
};

Status FaultDisk::changing(std::string_view doing, const std::string& path) {
  MAIA_TRY(reading(doing, path));
  return ++calls_ == fail_at_ ? fail(doing, path) : Status();
}

Status FaultDisk::reading(std::string_view doing, const std::string& path) {
  const auto call = ++all_calls_;
  return call >= fail_from_ && call < fail_to_ ? fail(doing, path) : Status();
}

Status FaultDisk::fail(std::string_view doing, const std::string& path) const {
  return disk_error(fault_ == Fault::no_space ? ENOSPC : EIO, doing, path);
}

void FaultDisk::crash(Crash how) {
  const std::lock_guard lock(mutex_);
  ++power_cycle_;
  locks_.clear();
  fail_at_ = 0;
  fail_to_ = 0;
  if (how == Crash::tear) {
    // Each name that was made or removed without a sync of its directory may or may not have survived.
    for (const auto& [name, inode] : names_) {
      if (!durable_names_.contains(name) && random_() % 2 == 0) durable_names_[name] = inode;
    }
    std::erase_if(durable_names_,
                  [&](const auto& entry) { return !names_.contains(entry.first) && random_() % 2 == 0; });
  }
  if (how != Crash::keep) names_ = durable_names_;
  durable_names_ = names_;
  for (auto& [name, inode] : names_) crash_contents(*inode, how);
}

void FaultDisk::crash_contents(Inode& inode, Crash how) {
  if (how == Crash::forget) {
    inode.data = inode.durable;
  } else if (how == Crash::tear) {
    if (inode.common < inode.durable.size()) {
      if (random_() % 2 == 0) inode.data = inode.durable;
    } else if (inode.data.size() > inode.common) {
      const auto kept = random_() % (inode.data.size() - inode.common + 1);
      inode.data.resize(inode.common + kept);
      if (kept > 0 && random_() % 3 == 0) {
        const auto begin = inode.common + random_() % kept;
        const auto end = std::min(inode.data.size(), (begin / 512 + 1) * 512);
        std::fill(inode.data.begin() + static_cast<std::ptrdiff_t>(begin),
                  inode.data.begin() + static_cast<std::ptrdiff_t>(end), std::uint8_t{0});
      }
    }
  }
  inode.durable = inode.data;
  inode.common = inode.data.size();
  inode.lost_from = inode.lost_to = 0;
}

void FaultDisk::fail_call(std::uint64_t nth, Fault fault) {
  const std::lock_guard lock(mutex_);
  fail_at_ = calls_ + nth;
  fault_ = fault;
}

void FaultDisk::fail_calls(std::uint64_t nth, std::uint64_t count, Fault fault) {
  const std::lock_guard lock(mutex_);
  fail_from_ = all_calls_ + nth;
  fail_to_ = fail_from_ + count;
  fault_ = fault;
}

bool FaultDisk::has_failed() const {
  const std::lock_guard lock(mutex_);
  return all_calls_ + 1 >= fail_to_ && calls_ >= fail_at_;
}

std::uint64_t FaultDisk::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

Bytes FaultDisk::contents(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  return found == names_.end() ? Bytes{} : found->second->data;
}

void FaultDisk::put(const std::string& path, Bytes contents) {
  const std::lock_guard lock(mutex_);
  auto inode = std::make_shared<Inode>();
  inode->data = contents;
  inode->durable = std::move(contents);
  inode->common = inode->data.size();
  names_[path] = inode;
  durable_names_[path] = inode;
}

Result<std::unique_ptr<DiskFile>> FaultDisk::open(const std::string& path, Open mode) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(path);
  if (mode == Open::existing) {
    if (found == names_.end()) return disk_error(ENOENT, "open", path);
    MAIA_TRY(reading("open", path));
    return std::make_unique<File>(*this, found->second, path);
  }
  if (found != names_.end()) return disk_error(EEXIST, "create", path);
  MAIA_TRY(changing("create", path));
  auto inode = std::make_shared<Inode>();
  names_[path] = inode;
  return std::make_unique<File>(*this, inode, path);
}

Status FaultDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(from);
  if (found == names_.end()) return disk_error(ENOENT, "rename", from);
  MAIA_TRY(changing("rename", from));
  names_[to] = found->second;
  names_.erase(from);
  return {};
}

Status FaultDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!names_.contains(path)) return disk_error(ENOENT, "remove", path);
  MAIA_TRY(changing("remove", path));
  names_.erase(path);
  return {};
}

Result<std::vector<std::string>> FaultDisk::list(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  MAIA_TRY(reading("list", directory));
  std::vector<std::string> names;
  for (const auto& [path, inode] : names_) {
    if (directory_of(path) == directory) names.push_back(path.substr(directory.size() + 1));
  }
  return names;
}

Status FaultDisk::make_directories(const std::string&) { return {}; }

Status FaultDisk::sync_directory(const std::string& directory) {
  const std::lock_guard lock(mutex_);
  MAIA_TRY(changing("sync", directory));
  std::erase_if(durable_names_, [&](const auto& entry) {
    return directory_of(entry.first) == directory && !names_.contains(entry.first);
  });
  for (const auto& [path, inode] : names_) {
    if (directory_of(path) == directory) durable_names_[path] = inode;
  }
  return {};
}

Result<std::uint64_t> FaultDisk::free_bytes(const std::string&) { return std::uint64_t{1} << 40; }

Result<std::unique_ptr<DiskLock>> FaultDisk::lock(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (!locks_.insert(path).second) {
    return Error{Error::Code::unavailable, Recovery::halt, path + " is held by another running maia", ""};
  }
  return std::make_unique<Lock>(*this, path);
}

}  // namespace maia::testing
