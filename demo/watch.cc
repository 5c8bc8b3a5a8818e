// SPDX-License-Identifier: Apache-2.0
#include "watch.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <fstream>

#include "maia/app/control.h"

namespace maia::demo {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFirstRow{2'000};
constexpr std::uint64_t kMegabyte = 1'000'000;
constexpr std::uint64_t kInSnapshot = 300 * kMegabyte;
constexpr std::uint64_t kWhileStreaming = 150 * kMegabyte;

/// DuckDB's library and ours, and all that they keep, in bytes; 0 once the process is gone.
std::uint64_t resident(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib * 1024;
  }
  return 0;
}

struct Progress {
  std::uint64_t rows = 0;
  bool streaming = false;
};

std::optional<Progress> progress(const std::string& directory) {
  const auto json = app::ask_status(directory);
  if (!json.ok()) return std::nullopt;  // it is only starting, or ending
  try {
    simdjson::dom::parser parser;
    Progress seen;
    for (const simdjson::dom::element destination : parser.parse(*json)["destinations"].get_array()) {
      const simdjson::dom::array tables = destination["tables"];
      seen.streaming = tables.size() > 0;
      for (const simdjson::dom::element table : tables) {
        seen.rows += std::uint64_t(table["snapshot_rows"]);
        seen.streaming = seen.streaming && std::string_view(table["state"]) == "streaming";
      }
    }
    return seen;
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
}

}  // namespace

Watch::Watch(pid_t pid, std::string directory)
    : pid_(pid), directory_(std::move(directory)), start_(steady_clock::now()) {}

void Watch::look() {
  const auto seen = progress(directory_);
  if (seen && seen->rows > 0 && !first_row_) {
    first_row_ = std::chrono::duration_cast<milliseconds>(steady_clock::now() - start_);
  }
  streaming_ = streaming_ || (seen && seen->streaming);
  auto& most = streaming_ ? while_streaming_ : in_snapshot_;
  most = std::max(most, resident(pid_));
}

void Watch::print() const {
  const auto line = [](std::string_view what, std::uint64_t seen, std::uint64_t promised,
                       std::string_view unit) {
    fmt::print("{:<38} {:>5} {} (promised: {} {}){}\n", what, seen, unit, promised, unit,
               seen < promised ? "" : " MISSED");
  };
  if (first_row_) line("first row in DuckDB after", first_row_->count(), kFirstRow.count(), "ms");
  line("most resident memory in the snapshot", in_snapshot_ / kMegabyte, kInSnapshot / kMegabyte, "MB");
  if (streaming_) {
    line("most resident memory while streaming", while_streaming_ / kMegabyte, kWhileStreaming / kMegabyte,
         "MB");
  }
}

}  // namespace maia::demo
