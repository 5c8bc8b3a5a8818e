// SPDX-License-Identifier: Apache-2.0
#include "maia/base/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

namespace maia {
namespace {

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

/// Who has a file locked, as the kernel lists it: "1: FLOCK  ADVISORY  WRITE 4711 fe:01:262147 0 EOF".
std::string lock_holder(int fd) {
  struct stat file {};
  std::ifstream locks("/proc/locks");
  if (::fstat(fd, &file) == 0) {
    const auto inode = fmt::format(":{} ", file.st_ino);
    for (std::string line; std::getline(locks, line);) {
      std::istringstream words(line);
      std::string number, kind, advisory, write, pid;
      words >> number >> kind >> advisory >> write >> pid;
      if (kind == "FLOCK" && line.find(inode) != line.npos) return "process " + pid;
    }
  }
  return "another running maia";
}

Result<Descriptor> open_path(const std::string& path, int flags, std::string_view doing) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return disk_error(errno, doing, path);
  return Descriptor(fd);
}

class PosixFile final : public DiskFile {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Status append(ByteView bytes) override {
    while (!bytes.empty()) {
      const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return disk_error(errno, "write", path_);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  Result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const auto at = static_cast<off_t>(offset + done);
      const auto got = ::pread(fd_.get(), out.data() + done, out.size() - done, at);
      if (got < 0) {
        if (errno == EINTR) continue;
        return disk_error(errno, "read", path_);
      }
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<std::uint64_t> size() override {
    struct stat facts {};
    if (::fstat(fd_.get(), &facts) != 0) return disk_error(errno, "look at", path_);
    return static_cast<std::uint64_t>(facts.st_size);
  }

  Status truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return disk_error(errno, "shorten", path_);
    return {};
  }

  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return disk_error(errno, "sync", path_);
    return {};
  }

 private:
  Descriptor fd_;
  std::string path_;
};

class PosixLock final : public DiskLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<DiskFile>> open(const std::string& path, Open mode) override {
    const int flags = O_RDWR | O_APPEND | (mode == Open::create ? O_CREAT | O_EXCL : 0);
    auto fd = MAIA_TRY(open_path(path, flags, mode == Open::create ? "create" : "open"));
    return std::make_unique<PosixFile>(std::move(fd), path);
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return disk_error(errno, "rename", from);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return disk_error(errno, "remove", path);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
    if (!open) return disk_error(errno, "list", directory);
    std::vector<std::string> names;
    for (;;) {
      errno = 0;
      const auto* entry = ::readdir(open.get());
      if (entry == nullptr) break;
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) return disk_error(errno, "list", directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status make_directories(const std::string& directory) override {
    for (auto end = directory.find('/', 1);; end = directory.find('/', end + 1)) {
      const auto path = directory.substr(0, end);
      if (::mkdir(path.c_str(), 0700) == 0) {
        const auto slash = path.rfind('/');
        const auto parent = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
        MAIA_TRY(sync_directory(parent));
      } else if (errno != EEXIST) {
        return disk_error(errno, "make the directory", path);
      }
      if (end == directory.npos) break;
    }
    return {};
  }

  Status sync_directory(const std::string& directory) override {
    const auto fd = MAIA_TRY(open_path(directory, O_RDONLY | O_DIRECTORY, "open"));
    if (::fsync(fd.get()) != 0) return disk_error(errno, "sync", directory);
    return {};
  }

  Result<std::uint64_t> free_bytes(const std::string& directory) override {
    struct statvfs facts {};
    if (::statvfs(directory.c_str(), &facts) != 0) return disk_error(errno, "look at", directory);
    return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
  }

  Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override {
    auto fd = MAIA_TRY(open_path(path, O_RDWR | O_CREAT, "lock"));
    // A lock of the open file, not of the process: a second open in the same process is refused too.
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return disk_error(errno, "lock", path);
      return Error{Error::Code::unavailable, Recovery::halt,
                   fmt::format("{} is held by {}", path, lock_holder(fd.get())),
                   "stop the other process, or give this one a state directory of its own"};
    }
    return std::make_unique<PosixLock>(std::move(fd));
  }
};

}  // namespace

Disk& system_disk() {
  static PosixDisk disk;
  return disk;
}

Error disk_error(int error_number, std::string_view doing, std::string_view path) {
  std::string hint;
  auto recovery = Recovery::halt;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      hint = "free some space on its file system or raise the quota";
      recovery = Recovery::retry;
      break;
    case EIO:
      hint = "the device reports an input/output error; look at the kernel's log and check the disk";
      recovery = Recovery::retry;
      break;
    case EACCES:
    case EPERM: hint = "give the user that runs maia read and write permission there"; break;
    case EROFS: hint = "the file system is mounted read-only"; break;
    case ENOENT: hint = "it does not exist"; break;
    case EMFILE:
    case ENFILE: hint = "raise the limit of open files (ulimit -n)"; break;
    default: break;
  }
  const auto* name = ::strerrorname_np(error_number);
  return Error{Error::Code::storage, recovery,
               fmt::format("cannot {} {}: {} ({})", doing, path, std::strerror(error_number),
                           name == nullptr ? "unknown" : name),
               std::move(hint)};
}

}  // namespace maia
