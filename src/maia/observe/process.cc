// SPDX-License-Identifier: Apache-2.0
#include "maia/observe/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>

#include "maia/base/version.h"
#include "maia/observe/families.h"

namespace maia::observe {
namespace {

constexpr Family kCpu{"process_cpu_seconds_total", "Processor time used, user and system."};
constexpr Family kResident{"process_resident_memory_bytes", "Resident memory."};
constexpr Family kDescriptors{"process_open_fds", "Open file descriptors."};
constexpr Family kStart{"process_start_time_seconds", "When the process started, in Unix time."};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator folder("/proc/self/fd", error);
  return error ? 0 : static_cast<double>(std::distance(begin(folder), end(folder)));
}

}  // namespace

void add_process_metrics(Registry& registry) {
  registry.gauge(kBuild, {{"version", std::string(version())}}).set(1);
  auto& cpu = registry.gauge(kCpu);
  auto& resident = registry.gauge(kResident);
  auto& descriptors = registry.gauge(kDescriptors);
  registry.gauge(kStart).set(static_cast<double>(std::time(nullptr)));
  registry.on_exposition([&] {
    cpu.set(cpu_seconds());
    resident.set(resident_bytes());
    descriptors.set(open_descriptors());
  });
}

}  // namespace maia::observe
