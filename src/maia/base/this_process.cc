// SPDX-License-Identifier: Apache-2.0
#include "maia/base/this_process.h"

#include <fmt/chrono.h>
#include <unistd.h>

#include <array>
#include <ctime>

namespace maia {
namespace {

std::string named() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  std::tm started{};
  const auto now = std::time(nullptr);
  ::gmtime_r(&now, &started);
  return fmt::format("process {} on host {}, started {:%Y-%m-%d %H:%M:%S} UTC", ::getpid(), host.data(),
                     started);
}

}  // namespace

const std::string& this_process() {
  static const std::string name = named();
  return name;
}

}  // namespace maia
