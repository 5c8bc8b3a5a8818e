// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/file/output.h"

#include <unistd.h>

#include <cerrno>

#include "maia/base/bytes.h"

namespace maia::file {
namespace {

class FileOutput final : public Output {
 public:
  FileOutput(std::unique_ptr<DiskLock> lock, std::unique_ptr<DiskFile> file)
      : lock_(std::move(lock)), file_(std::move(file)) {}
  Status append(std::string_view lines) override { return file_->append(as_bytes(lines)); }
  Status truncate(std::uint64_t bytes) override { return file_->truncate(bytes); }
  Status sync() override { return file_->sync(); }
  Result<std::uint64_t> size() override { return file_->size(); }

 private:
  const std::unique_ptr<DiskLock> lock_;
  const std::unique_ptr<DiskFile> file_;
};

class DescriptorOutput final : public Output {
 public:
  explicit DescriptorOutput(int descriptor) : descriptor_(descriptor) {}
  Status append(std::string_view lines) override {
    while (!lines.empty()) {
      const auto written = ::write(descriptor_, lines.data(), lines.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return disk_error(errno, "write to", "standard output");
      lines.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }
  Status truncate(std::uint64_t) override { return {}; }
  Status sync() override { return {}; }
  Result<std::uint64_t> size() override { return std::uint64_t{0}; }

 private:
  const int descriptor_;
};

}  // namespace

Result<std::unique_ptr<Output>> open_file_output(Disk& disk, const std::string& path) {
  // Taking the lock creates the file.
  auto lock = MAIA_TRY(disk.lock(path));
  auto file = MAIA_TRY(disk.open(path, Disk::Open::existing));
  return std::unique_ptr<Output>(std::make_unique<FileOutput>(std::move(lock), std::move(file)));
}

std::unique_ptr<Output> descriptor_output(int descriptor) {
  return std::make_unique<DescriptorOutput>(descriptor);
}

}  // namespace maia::file
