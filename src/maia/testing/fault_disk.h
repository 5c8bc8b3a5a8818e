// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>

#include "maia/base/disk.h"

namespace maia::testing {

/// A file system in memory that behaves as badly as a real one may: what was not synced can be forgotten, in
/// part or whole, and any call can be made to fail. Thread-safe. Random choices follow from the seed.
class FaultDisk final : public Disk {
 public:
  enum class Crash : std::uint8_t {
    forget,  ///< nothing that was not synced is there
    tear,    ///< a random part of what was not synced is there, perhaps with a hole of zeros
    keep,    ///< everything is there, as after the end of a process
  };
  enum class Fault : std::uint8_t { no_space, io_error };

  explicit FaultDisk(std::uint64_t seed = 1) : random_(seed) {}

  /// Cuts the power: open files and locks are dead, names and contents become what survived.
  void crash(Crash how);
  /// The n-th changing call from now on (append, sync, truncate, create, rename, remove, sync_directory; from
  /// 1) fails; a failing append writes the first half. All later ones succeed.
  void fail_call(std::uint64_t nth, Fault fault);
  /// The same for `count` calls in a row, reading ones included (open, read, size, list).
  void fail_calls(std::uint64_t nth, std::uint64_t count, Fault fault);
  /// Whether the last one that was told to fail has been called.
  bool has_failed() const;
  /// Changing calls so far.
  std::uint64_t calls() const;

  /// Contents of a file, to look at and to damage.
  Bytes contents(const std::string& path) const;
  void put(const std::string& path, Bytes contents);

  Result<std::unique_ptr<DiskFile>> open(const std::string& path, Open mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Status make_directories(const std::string& directory) override;
  Status sync_directory(const std::string& directory) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override;
  Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override;

 private:
  struct Inode {
    Bytes data;
    Bytes durable;
    std::size_t common = 0;     ///< leading bytes that both have
    std::size_t lost_from = 0;  ///< what a failed sync was to write, and no later one writes any more
    std::size_t lost_to = 0;
  };
  class File;
  class Lock;
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  Status changing(std::string_view doing, const std::string& path);
  Status reading(std::string_view doing, const std::string& path);
  Status fail(std::string_view doing, const std::string& path) const;
  void crash_contents(Inode& inode, Crash how);

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  Names names_;
  Names durable_names_;
  std::set<std::string> locks_;
  std::uint64_t power_cycle_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t fail_at_ = 0;
  std::uint64_t all_calls_ = 0;
  std::uint64_t fail_from_ = 0;  ///< of all_calls_
  std::uint64_t fail_to_ = 0;
  Fault fault_ = Fault::io_error;
};

}  // namespace maia::testing
