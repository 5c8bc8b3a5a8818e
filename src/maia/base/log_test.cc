// SPDX-License-Identifier: Apache-2.0
#include "maia/base/log.h"

#include <gmock/gmock.h>

#include <limits>

#include "maia/base/repeat_limit.h"

namespace maia::log {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

constexpr std::int64_t kTime = 1'700'000'000'123'456;

std::string json(std::initializer_list<Field> fields, std::uint64_t suppressed = 0) {
  return line(Format::json, kTime, Level::info, "snapshot done", Fields(fields.begin(), fields.size()),
              suppressed);
}

std::string text(std::initializer_list<Field> fields, std::uint64_t suppressed = 0) {
  return line(Format::text, kTime, Level::warning, "snapshot done", Fields(fields.begin(), fields.size()),
              suppressed);
}

TEST(LogTest, a_json_line_has_time_level_message_and_typed_fields) {
  const std::string table = "a \"b\"\n";
  EXPECT_EQ(json({{"table", table},
                  {"rows", 5},
                  {"size", std::uint64_t{18446744073709551615u}},
                  {"fresh", true},
                  {"lag", 0.5}}),
            R"({"ts":"2023-11-14T22:13:20.123456Z","level":"info","msg":"snapshot done","table":"a \"b\"\n",)"
            R"("rows":5,"size":18446744073709551615,"fresh":true,"lag":0.5})");
  EXPECT_EQ(json({}), R"({"ts":"2023-11-14T22:13:20.123456Z","level":"info","msg":"snapshot done"})");
}

TEST(LogTest, numbers_that_json_lacks_are_strings) {
  EXPECT_THAT(json({{"x", std::numeric_limits<double>::quiet_NaN()}}), HasSubstr(R"("x":"nan")"));
  EXPECT_THAT(json({{"x", -std::numeric_limits<double>::infinity()}}), HasSubstr(R"("x":"-inf")"));
}

TEST(LogTest, a_text_line_quotes_only_what_needs_it) {
  EXPECT_THAT(text({{"table", "public.orders"}, {"why", "no such file"}, {"empty", ""}, {"esc", "\x1b[2J"}}),
              MatchesRegex(R"([0-9:]{8}\.123 warning snapshot done table=public.orders why="no such file" )"
                           R"(empty="" esc="\\u001b\[2J")"));
}

TEST(LogTest, suppressed_repeats_are_counted_in_the_line) {
  EXPECT_THAT(json({{"a", 1}}, 7), HasSubstr(R"("a":1,"suppressed":7})"));
  EXPECT_THAT(text({}, 7), HasSubstr("snapshot done suppressed=7"));
}

TEST(LogTest, lines_go_to_standard_error_from_the_configured_level_on) {
  configure(Level::warning, Format::json);
  testing::internal::CaptureStderr();
  info("left out");
  warning("kept", {{"rows", 1}});
  error("failed", Error{Error::Code::timeout, Recovery::retry, "no answer", "look at the network"});
  const auto out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, Not(HasSubstr("left out")));
  EXPECT_THAT(out, HasSubstr(R"("level":"warning","msg":"kept","rows":1})"
                             "\n"));
  EXPECT_THAT(out,
              HasSubstr(R"("msg":"failed","error":"no answer","code":"timeout","hint":"look at the network"})"
                        "\n"));
}

TEST(LogTest, a_flood_of_one_message_does_not_drown_another) {
  configure(Level::info, Format::json);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) warning("flood", {{"table", "t"}});
  warning("flood", {{"table", "other"}});
  info("quiet");
  const auto out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, HasSubstr("quiet"));
  EXPECT_THAT(out, HasSubstr("other"));
  const auto lines = std::count(out.begin(), out.end(), '\n');
  EXPECT_LE(lines, 2 * kRepeatsPerSecond + 2);
}

TEST(RepeatLimitTest, what_passes_after_a_pause_tells_how_many_were_held_back) {
  RepeatLimit limit(2);
  EXPECT_EQ(limit.admit(1, 0), 0u);
  EXPECT_EQ(limit.admit(1, 10), 0u);
  EXPECT_EQ(limit.admit(1, 20), std::nullopt);
  EXPECT_EQ(limit.admit(1, 999'999), std::nullopt);
  EXPECT_EQ(limit.admit(2, 999'999), 0u);
  EXPECT_EQ(limit.admit(1, 1'000'000), 2u);
  EXPECT_EQ(limit.admit(1, 1'000'001), 0u);
  EXPECT_EQ(limit.admit(1, 1'000'002), std::nullopt);
}

TEST(RepeatLimitTest, many_different_messages_do_not_grow_it_without_bound) {
  RepeatLimit limit(1);
  for (std::uint64_t kind = 0; kind < 100'000; ++kind) ASSERT_EQ(limit.admit(kind, 5), 0u);
}

}  // namespace
}  // namespace maia::log
