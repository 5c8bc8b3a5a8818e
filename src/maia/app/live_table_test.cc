// SPDX-License-Identifier: Apache-2.0
#include "maia/app/live_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "maia/config/utf8.h"

namespace maia::app {
namespace {

using engine::TableState;
using std::chrono::milliseconds;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> lines_of(const std::string& picture) {
  std::vector<std::string> lines(1);
  for (const char c : picture) {
    if (c == '\n')
      lines.emplace_back();
    else
      lines.back() += c;
  }
  EXPECT_EQ(lines.back(), "") << "every line ends";
  lines.pop_back();
  return lines;
}

int columns_of(std::string_view line) {
  int columns = 0;
  for (; !line.empty(); ++columns) line.remove_prefix(std::max<std::size_t>(1, config::utf8_length(line)));
  return columns;
}

class LiveTables : public ::testing::Test {
 protected:
  LiveTables() {
    status.name = "shop";
    status.destinations.emplace_back().name = "lake";
  }
  engine::TableStatus& table(const std::string& name, TableState state) {
    auto& table = status.destinations.front().tables[name];
    table.id = name;
    table.source = "public." + name;
    table.state = state;
    return table;
  }
  std::string picture(milliseconds now, LiveTable::Room room = {}) {
    return live.render(status, now, room, false);
  }

  engine::PipelineStatus status;
  LiveTable live;
};

TEST_F(LiveTables, a_copy_shows_its_part_its_rate_and_the_time_left) {
  auto& orders = table("orders", TableState::snapshot);
  orders.snapshot_rows_estimate = 100'000;
  EXPECT_THAT(picture(milliseconds{0}), ContainsRegex("public.orders +snapshot +░░░░░░░░ +0 +\n"));
  orders.snapshot_rows = 25'000;
  EXPECT_THAT(picture(milliseconds{500}), HasSubstr("██░░░░░░     50k/s 2 s"));
  orders.snapshot_rows = 100'000;
  EXPECT_THAT(picture(milliseconds{1000}), Not(HasSubstr("████████"))) << "it is not complete before it is";
  orders.copied = true;
  orders.state = TableState::catching_up;
  EXPECT_THAT(picture(milliseconds{1500}), HasSubstr("catching up ████████       100,000"));
}

TEST_F(LiveTables, a_table_that_was_not_begun_does_not_spoil_the_rate_of_its_copy) {
  auto& items = table("items", TableState::snapshot);
  items.snapshot_rows_estimate = 1'000'000;
  for (int second = 0; second < 60; ++second) picture(milliseconds{1000 * second});
  for (int second = 60; second < 70; ++second) {
    items.snapshot_rows += 10'000;
    picture(milliseconds{1000 * second});
  }
  EXPECT_THAT(picture(milliseconds{70'000}), HasSubstr(" 6.7k/s "));
}

TEST_F(LiveTables, the_rate_of_changes_is_that_of_the_last_seconds) {
  auto& orders = table("orders", TableState::streaming);
  for (int tenth = 0; tenth <= 100; ++tenth) {
    picture(milliseconds{100 * tenth});
    orders.changes += 20;
  }
  EXPECT_THAT(picture(milliseconds{10'100}), HasSubstr("     2,020  200/s"));
  for (int tenth = 102; tenth <= 140; ++tenth) picture(milliseconds{100 * tenth});
  EXPECT_THAT(picture(milliseconds{14'100}), ContainsRegex("2,020 +0 ms\n"))
      << "nobody changes anything any more";
}

TEST_F(LiveTables, each_table_has_its_own_lag) {
  status.destinations.front().lag_micros = 12'300;
  table("a", TableState::streaming);
  table("b", TableState::paused).left_at = system_clock().wall() - 7'300'000'000;
  table("c", TableState::snapshot);
  const auto lines = lines_of(picture(milliseconds{0}));
  EXPECT_THAT(lines[3], HasSubstr(" 13 ms"));
  EXPECT_THAT(lines[4], HasSubstr("    2 h"));
  EXPECT_THAT(lines[5], Not(HasSubstr("ms")));
}

TEST_F(LiveTables, no_line_is_wider_than_the_terminal_whatever_the_names) {
  auto& table = this->table("größe_der_bestellungen_nach_monaten", TableState::quarantined);
  table.snapshot_rows_estimate = 99'000'000'000;
  table.changes = 12'345'678;
  table.reason = std::string(300, 'x') + "\n\x1b[2J";
  table.last_schema_change = std::string(300, 'y');
  table.left_at = system_clock().wall() - std::int64_t{300} * 86'400 * 1'000'000;
  status.capture_error = std::string(300, 'z');
  for (const int columns : {72, 80, 132, 250}) {
    picture(milliseconds{0}, {columns, 40});
    table.snapshot_rows += 12'345'678;
    for (const auto& line : lines_of(picture(milliseconds{700}, {columns, 40}))) {
      EXPECT_LE(columns_of(line), columns) << line;
      EXPECT_THAT(line, Not(HasSubstr("\x1b"))) << "what others wrote does not command the terminal";
    }
  }
}

TEST_F(LiveTables, where_there_is_no_room_for_all_tables_those_with_trouble_are_shown) {
  for (int i = 0; i < 50; ++i) table(fmt::format("t{:02}", i), TableState::streaming);
  table("t30", TableState::quarantined).reason = "the disk is gone";
  table("t31", TableState::waiting);
  const auto all = lines_of(picture(milliseconds{0}, {100, 60}));
  EXPECT_EQ(all.size(), 3u + 50u + 1u);
  const auto some = picture(milliseconds{0}, {100, 10});
  EXPECT_EQ(lines_of(some).size(), 10u) << some;
  EXPECT_THAT(lines_of(some)[3], HasSubstr("public.t30"));
  EXPECT_THAT(some, HasSubstr("the disk is gone"));
  EXPECT_THAT(lines_of(some)[5], HasSubstr("public.t31"));
  EXPECT_THAT(lines_of(some).back(), HasSubstr("  and 45 streaming"));
}

TEST_F(LiveTables, several_destinations_share_the_room) {
  for (int i = 0; i < 20; ++i) table(fmt::format("t{:02}", i), TableState::streaming);
  status.destinations.push_back(status.destinations.front());
  status.destinations.back().name = "files";
  const auto lines = lines_of(picture(milliseconds{0}, {100, 25}));
  EXPECT_LE(lines.size(), 25u);
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const auto& line) { return line.find("streaming") != line.npos; }),
            2 * 9 + 2);
}

}  // namespace
}  // namespace maia::app
