// SPDX-License-Identifier: Apache-2.0
#include "maia/app/live_table.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace maia::app {
namespace {

constexpr std::string_view kDim = "\x1b[2m", kBold = "\x1b[1m", kGreen = "\x1b[32m", kYellow = "\x1b[33m",
                           kRed = "\x1b[31m", kOff = "\x1b[0m";
constexpr int kBar = 14;

std::string grouped(std::uint64_t n) {
  auto digits = std::to_string(n);
  for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string rate(double per_second) {
  if (per_second < 0.5) return "";
  if (per_second < 10'000) return fmt::format("{:.0f}/s", per_second);
  if (per_second < 10'000'000) return fmt::format("{:.0f}k/s", per_second / 1000);
  return fmt::format("{:.1f}M/s", per_second / 1'000'000);
}

std::string size(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  if (bytes < 1024 * 1024) return fmt::format("{} KiB", bytes / 1024);
  if (bytes < 1024ULL * 1024 * 1024)
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1024.0 * 1024 * 1024));
}

std::string duration(double seconds) {
  if (seconds < 0) return "";
  if (seconds < 100) return fmt::format("{:.0f} s", seconds);
  if (seconds < 6000) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string lag(std::int64_t micros) {
  if (micros < 1'000'000) return fmt::format("{} ms", (micros + 999) / 1000);
  return duration(static_cast<double>(micros) / 1e6);
}

/// Eighths of a block, so that a bar moves smoothly.
std::string bar(double part) {
  static constexpr std::string_view kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<int>(std::clamp(part, 0.0, 1.0) * kBar * 8);
  std::string text;
  for (int i = 0; i < eighths / 8; ++i) text += "█";
  text += kEighths[eighths % 8];
  const auto used = eighths / 8 + (eighths % 8 > 0 ? 1 : 0);
  for (int i = used; i < kBar; ++i) text += "░";
  return text;
}

std::string cut(const std::string& text, std::size_t columns) {
  return text.size() <= columns ? text : text.substr(0, columns - 1) + "~";
}

struct Progress {
  double part = 0;
  double rows_per_second = 0;
  double seconds_left = -1;
};

Progress progress(const engine::TableStatus& table, WallMicros now) {
  Progress progress;
  const bool complete = table.copied;
  const auto rows = static_cast<double>(table.snapshot_rows);
  // The source's estimate may be low; a bar that is full before the end would be a lie.
  const auto estimate = std::max(static_cast<double>(table.snapshot_rows_estimate), rows * 1.01);
  progress.part = complete ? 1 : (estimate > 0 ? rows / estimate : 0);
  if (table.snapshot_started == 0) return progress;
  const auto end = complete && table.snapshot_finished > 0 ? table.snapshot_finished : now;
  const auto seconds = static_cast<double>(end - table.snapshot_started) / 1e6;
  if (seconds <= 0.05) return progress;
  progress.rows_per_second = (rows - static_cast<double>(table.snapshot_rows_at_start)) / seconds;
  if (!complete && progress.rows_per_second > 0) {
    progress.seconds_left = (estimate - rows) / progress.rows_per_second;
  }
  return progress;
}

std::string_view colour_of(engine::TableState state) {
  switch (state) {
    case engine::TableState::waiting: return kDim;
    case engine::TableState::snapshot:
    case engine::TableState::catching_up: return kYellow;
    case engine::TableState::streaming: return kGreen;
    case engine::TableState::paused: return kYellow;
    case engine::TableState::quarantined: return kRed;
    case engine::TableState::removed: return kDim;
  }
  return kOff;
}

}  // namespace

double LiveTable::changes_per_second(const std::string& key, std::uint64_t changes,
                                     std::chrono::milliseconds now) {
  auto& seen = seen_[key];
  const auto passed = now - seen.at;
  if (passed >= std::chrono::milliseconds(900)) {
    seen.per_second = static_cast<double>(changes - std::min(changes, seen.changes)) * 1000 /
                      static_cast<double>(passed.count());
    seen.changes = changes;
    seen.at = now;
  }
  return seen.per_second;
}

std::string LiveTable::render(const engine::PipelineStatus& status, std::chrono::milliseconds since_start,
                              int width, bool colour) {
  const auto paint = [&](std::string_view how, const std::string& text) {
    return colour ? fmt::format("{}{}{}", how, text, kOff) : text;
  };
  const auto now = system_clock().wall();
  std::string out = fmt::format("{}  source {}", paint(kBold, status.name), status.capture);
  if (status.source_lag_bytes) out += fmt::format(", {} behind", size(*status.source_lag_bytes));
  out += fmt::format(", journal {}, {:.0f} s\n", size(status.journal_bytes),
                     static_cast<double>(since_start.count()) / 1000);
  if (!status.capture_error.empty())
    out += paint(kRed, "  " + cut(status.capture_error, static_cast<std::size_t>(width - 2))) + "\n";
  for (const auto& destination : status.destinations) {
    out += fmt::format("→ {}  {}, lag {}\n", paint(kBold, destination.name), destination.state,
                       lag(destination.lag_micros));
    if (!destination.last_error.empty()) {
      out += paint(kRed, "  " + cut(destination.last_error, static_cast<std::size_t>(width - 2))) + "\n";
    }
    out += paint(kDim, fmt::format("  {:<24} {:<11} {:<{}} {:>12} {:>9} {:>7} {:>11} {:>8}", "table", "state",
                                   "snapshot", kBar, "rows", "rate", "left", "changes", "rate")) +
           "\n";
    for (const auto& [id, table] : destination.tables) {
      const auto copied = progress(table, now);
      const auto per_second = changes_per_second(destination.name + id, table.changes, since_start);
      out += fmt::format("  {:<24} {} {} {:>12} {:>9} {:>7} {:>11} {:>8}\n", cut(table.source, 24),
                         paint(colour_of(table.state), fmt::format("{:<11}", to_string(table.state))),
                         bar(copied.part), grouped(table.snapshot_rows), rate(copied.rows_per_second),
                         duration(copied.seconds_left), grouped(table.changes), rate(per_second));
      if (!table.last_schema_change.empty()) {
        out += paint(kDim,
                     "    schema: " + cut(table.last_schema_change, static_cast<std::size_t>(width - 12))) +
               "\n";
      }
      if (!table.reason.empty())
        out += paint(kRed, "    " + cut(table.reason, static_cast<std::size_t>(width - 4))) + "\n";
      if (table.dead_letters > 0)
        out += paint(kRed, fmt::format("    dead letters: {}", table.dead_letters)) + "\n";
    }
  }
  return out;
}

void LiveScreen::draw(const std::string& picture) {
  std::string out;
  if (lines_ > 0) out += fmt::format("\x1b[{}A", lines_);
  out += "\x1b[J" + picture;
  lines_ = static_cast<int>(std::count(picture.begin(), picture.end(), '\n'));
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

void LiveScreen::finish() { lines_ = 0; }

int LiveScreen::width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40 ? size.ws_col : 100;
}

}  // namespace maia::app
