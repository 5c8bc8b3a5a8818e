// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "maia/base/disk.h"
#include "weather.h"

namespace maia::simulation {

/// Whether one process under test is alive. Every call that leaves it passes here, so that it can die between
/// any two: from then on nothing that it does has an effect.
class Life {
 public:
  Life(Weather& weather, std::function<void()> on_death)
      : weather_(weather), on_death_(std::move(on_death)) {}

  bool dead() const { return dead_; }
  void die_after(std::uint64_t calls) { calls_left_ = calls; }
  void die();

  /// For a call of a system, over a session that was opened when `session` was its number.
  Status call(const std::string& system, std::string_view call, std::uint64_t session);
  std::uint64_t session(const std::string& system) { return weather_.session(system); }
  /// For a call that leaves the process otherwise.
  Status leave();

 private:
  Weather& weather_;
  std::function<void()> on_death_;
  std::optional<std::uint64_t> calls_left_;
  bool dead_ = false;
};

/// A disk as one process sees it.
class ProcessDisk final : public Disk {
 public:
  ProcessDisk(Disk& disk, Life& life) : disk_(disk), life_(life) {}
  Result<std::unique_ptr<DiskFile>> open(const std::string& path, Open mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Status make_directories(const std::string& directory) override;
  Status sync_directory(const std::string& directory) override;
  Result<std::uint64_t> free_bytes(const std::string& directory) override {
    return disk_.free_bytes(directory);
  }
  Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override;

 private:
  Disk& disk_;
  Life& life_;
};

}  // namespace maia::simulation
