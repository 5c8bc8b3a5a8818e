// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "maia/base/bytes.h"
#include "maia/base/result.h"

namespace maia {

/// An open file. `append`, `truncate` and `sync` belong to one thread; `read` may be called from any. Errors
/// are Code::storage and name the file.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  /// Writes all of it at the end. After an error an unknown part of it has been written.
  virtual Status append(ByteView bytes) = 0;
  /// Fills `out` from `offset`; returns how many bytes there were, fewer than asked for only at the end of
  /// the file.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
  virtual Result<std::uint64_t> size() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
  /// Makes contents and size survive a power cut. After an error nobody knows which of the bytes appended
  /// since the last success are safe, and calling it again does not tell: treat them as lost.
  virtual Status sync() = 0;
};

/// Held until destroyed or the process ends.
class DiskLock {
 public:
  virtual ~DiskLock() = default;
};

/// What the engine asks of a file system, so that tests and the simulator can own it. Paths are absolute or
/// relative to the working directory. Names (made, renamed, removed) survive a power cut only after
/// `sync_directory`. Thread-safe. Errors are Code::storage and name the path.
class Disk {
 public:
  enum class Open : std::uint8_t {
    existing,  ///< for reading and appending; it must be there
    create,    ///< for reading and appending; it must not be there
  };
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<DiskFile>> open(const std::string& path, Open mode) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  virtual Status remove(const std::string& path) = 0;
  /// Names of the files in a directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  /// Makes the directory and those above it, where they are missing; durable on return.
  virtual Status make_directories(const std::string& directory) = 0;
  virtual Status sync_directory(const std::string& directory) = 0;
  /// Bytes that this process may still write on the file system of `directory`.
  virtual Result<std::uint64_t> free_bytes(const std::string& directory) = 0;
  /// Creates the file if needed and takes it for this process. Code::unavailable if another holds it, with
  /// its process where the kernel tells it.
  virtual Result<std::unique_ptr<DiskLock>> lock(const std::string& path) = 0;
};

/// The machine's own file system; lives for ever.
Disk& system_disk();

/// The error for a failed call on a path, in words ("disk full", "no permission"), from an errno value.
Error disk_error(int error_number, std::string_view doing, std::string_view path);

}  // namespace maia
