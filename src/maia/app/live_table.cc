// SPDX-License-Identifier: Apache-2.0
#include "maia/app/live_table.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "maia/app/table_lag.h"
#include "maia/config/utf8.h"

namespace maia::app {
namespace {

constexpr std::string_view kDim = "\x1b[2m", kBold = "\x1b[1m", kGreen = "\x1b[32m", kYellow = "\x1b[33m",
                           kRed = "\x1b[31m", kOff = "\x1b[0m";
constexpr int kBar = 8;
/// Of a row without the table's name.
constexpr int kRowColumns = 62;
constexpr std::chrono::milliseconds kRecent{3'000};

std::string paint(bool colour, std::string_view how, const std::string& text) {
  return colour ? fmt::format("{}{}{}", how, text, kOff) : text;
}

std::string grouped(std::uint64_t n) {
  auto digits = std::to_string(n);
  for (auto at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

/// At most six columns.
std::string rate(double per_second) {
  if (per_second < 0.05) return "";
  if (per_second < 9.95) return fmt::format("{:.1f}/s", per_second);
  if (per_second < 999.5) return fmt::format("{:.0f}/s", per_second);
  if (per_second < 9'950) return fmt::format("{:.1f}k/s", per_second / 1000);
  if (per_second < 999'500) return fmt::format("{:.0f}k/s", per_second / 1000);
  if (per_second < 9'950'000) return fmt::format("{:.1f}M/s", per_second / 1'000'000);
  return fmt::format("{:.0f}M/s", per_second / 1'000'000);
}

std::string size(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  if (bytes < 1024 * 1024) return fmt::format("{} KiB", bytes / 1024);
  if (bytes < 1024ULL * 1024 * 1024)
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / (1024.0 * 1024 * 1024));
}

std::string duration(double seconds) {
  if (seconds < 99.5) return fmt::format("{:.0f} s", seconds);
  if (seconds < 5'970) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 358'000) return fmt::format("{:.0f} h", seconds / 3600);
  return fmt::format("{:.0f} d", seconds / 86'400);
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

/// What fits in one line of so many columns; names may hold anything, and no terminal may obey it.
std::string cut(std::string_view text, int columns) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    const auto length = std::max<std::size_t>(1, config::utf8_length(text));
    characters.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  const auto room = static_cast<std::size_t>(std::max(1, columns));
  const bool fits = characters.size() <= room;
  if (!fits) characters.resize(room - 1);
  std::string line;
  for (const auto character : characters) {
    const auto byte = static_cast<unsigned char>(character.front());
    line += byte < 0x20 || byte == 0x7F ? " " : character;
  }
  return fits ? line : line + "…";
}

/// What is there of the rows to copy, and how it goes on.
std::string copying(const engine::TableStatus& table, double per_second) {
  if (table.copied) return bar(1) + fmt::format(" {:>13}", grouped(table.snapshot_rows));
  const auto rows = static_cast<double>(table.snapshot_rows);
  // The source's estimate may be low; a bar that is full before the end would be a lie.
  const auto estimate = std::max(static_cast<double>(table.snapshot_rows_estimate), rows * 1.01);
  std::string speed = rate(per_second);
  if (!speed.empty()) speed += " " + duration((estimate - rows) / per_second);
  return bar(estimate > 0 ? rows / estimate : 0) + fmt::format(" {:>13}", speed);
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

/// The smaller, the more it wants to be seen.
int urgency(const engine::TableStatus& table) {
  switch (table.state) {
    case engine::TableState::quarantined: return 0;
    case engine::TableState::paused: return 1;
    case engine::TableState::snapshot:
    case engine::TableState::catching_up: return table.snapshot_rows > 0 ? 2 : 3;
    case engine::TableState::waiting: return 3;
    case engine::TableState::streaming: return 4;
    case engine::TableState::removed: return 5;
  }
  return 5;
}

/// Lines below a table's row.
std::string notes(const engine::TableStatus& table, int columns, bool colour) {
  std::string lines;
  if (!table.last_schema_change.empty())
    lines += paint(colour, kDim, "    schema: " + cut(table.last_schema_change, columns - 12)) + "\n";
  if (!table.reason.empty()) lines += paint(colour, kRed, "    " + cut(table.reason, columns - 4)) + "\n";
  if (table.dead_letters > 0)
    lines += paint(colour, kRed, fmt::format("    dead letters: {}", table.dead_letters)) + "\n";
  return lines;
}

int name_columns(int columns) { return std::clamp(columns - kRowColumns, 10, 40); }

std::string heading(const engine::PipelineStatus& status, std::chrono::milliseconds since_start, int columns,
                    bool colour) {
  std::string lines = fmt::format("{}  source {}", paint(colour, kBold, status.name), status.capture);
  if (status.source_lag_bytes) lines += fmt::format(", {} behind", size(*status.source_lag_bytes));
  lines += fmt::format(", journal {}, {}\n", size(status.journal_bytes),
                       duration(static_cast<double>(since_start.count()) / 1000));
  if (!status.capture_error.empty())
    lines += paint(colour, kRed, "  " + cut(status.capture_error, columns - 2)) + "\n";
  return lines;
}

std::string heading(const engine::DestinationStatus& destination, int columns, bool colour) {
  std::string lines = fmt::format("→ {}  {}\n", paint(colour, kBold, destination.name), destination.state);
  if (!destination.last_error.empty())
    lines += paint(colour, kRed, "  " + cut(destination.last_error, columns - 2)) + "\n";
  const auto titles = fmt::format("  {:<{}} {:<11} {:<22} {:>10} {:>6} {:>6}", "table", name_columns(columns),
                                  "state", "copied", "changes", "rate", "lag");
  return lines + paint(colour, kDim, titles) + "\n";
}

int lines_of(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

void RecentRate::add(std::chrono::milliseconds now, std::uint64_t count) {
  // It starts again where a count does: a table that is read anew.
  if (!samples_.empty() && count < samples_.back().count) samples_.clear();
  samples_.push_back({now, count});
  while (samples_.size() > 2 && now - samples_[1].at >= kRecent) samples_.pop_front();
}

double RecentRate::per_second() const {
  if (samples_.empty() || samples_.back().at <= samples_.front().at) return 0;
  return static_cast<double>(samples_.back().count - samples_.front().count) * 1000 /
         static_cast<double>((samples_.back().at - samples_.front().at).count());
}

std::string LiveTable::row(const engine::DestinationStatus& destination, const engine::TableStatus& table,
                           int columns, bool colour) const {
  const auto& rates = rates_.at({destination.name, table.id});
  const auto behind = lag_of(table, destination, system_clock().wall());
  const auto width = name_columns(columns);
  return fmt::format("  {:<{}} {} {} {:>10} {:>6} {:>6}\n", cut(table.source, width), width,
                     paint(colour, colour_of(table.state), fmt::format("{:<11}", to_string(table.state))),
                     copying(table, rates.copied.per_second()), grouped(table.changes),
                     rate(rates.changes.per_second()), behind ? lag(*behind) : "") +
         notes(table, columns, colour);
}

std::string LiveTable::rows(const engine::DestinationStatus& destination, Room room, bool colour) const {
  struct Shown {
    const engine::TableStatus* table;
    std::string text;
  };
  std::vector<Shown> all;
  int needed = 0;
  for (const auto& [id, table] : destination.tables) {
    all.push_back({&table, row(destination, table, room.columns, colour)});
    needed += lines_of(all.back().text);
  }
  std::sort(all.begin(), all.end(),
            [](const Shown& a, const Shown& b) { return a.table->source < b.table->source; });
  const bool fits = needed <= room.lines;
  if (!fits) {
    std::stable_sort(all.begin(), all.end(),
                     [](const Shown& a, const Shown& b) { return urgency(*a.table) < urgency(*b.table); });
  }
  std::string out;
  std::map<engine::TableState, int> more;
  for (const auto& each : all) {
    if (fits || (more.empty() && lines_of(out) + lines_of(each.text) < room.lines))
      out += each.text;
    else
      ++more[each.table->state];
  }
  std::string words;
  for (const auto& [state, count] : more)
    words += fmt::format("{}{} {}", words.empty() ? "  and " : ", ", count, to_string(state));
  return words.empty() ? out : out + paint(colour, kDim, words) + "\n";
}

std::string LiveTable::render(const engine::PipelineStatus& status, std::chrono::milliseconds since_start,
                              Room room, bool colour) {
  auto out = heading(status, since_start, room.columns, colour);
  auto left = static_cast<int>(status.destinations.size());
  for (const auto& destination : status.destinations) {
    for (const auto& [id, table] : destination.tables) {
      auto& rates = rates_[{destination.name, id}];
      rates.copied.add(since_start, table.snapshot_rows);
      rates.changes.add(since_start, table.changes);
    }
    const auto last_line = lines_of(out) + (room.lines - lines_of(out)) / left--;
    out += heading(destination, room.columns, colour);
    out += rows(destination, {room.columns, last_line - lines_of(out)}, colour);
  }
  return out;
}

void LiveScreen::draw(const std::string& picture) {
  std::string out;
  if (lines_ > 0) out += fmt::format("\x1b[{}A", lines_);
  // No line may wrap, or the way up would be wrong. Each is erased as it is written: all at once flickers.
  out += "\x1b[?7l\x1b[K";
  for (const char c : picture) out += c == '\n' ? std::string("\n\x1b[K") : std::string(1, c);
  out += "\x1b[J\x1b[?7h";
  lines_ = lines_of(picture);
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
}

void LiveScreen::finish() { lines_ = 0; }

LiveTable::Room LiveScreen::room() {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  // The cursor stands on the line below the picture.
  return known ? LiveTable::Room{size.ws_col, size.ws_row - 1} : LiveTable::Room{};
}

}  // namespace maia::app
