// SPDX-License-Identifier: Apache-2.0
#include "maia/config/scalar.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

namespace maia::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};
constexpr std::array<Unit, 6> kTimes{{{"d", 86'400'000'000},
                                      {"h", 3'600'000'000},
                                      {"m", 60'000'000},
                                      {"s", 1'000'000},
                                      {"ms", 1'000},
                                      {"us", 1}}};
constexpr std::array<Unit, 9> kSizes{{{"TiB", 1ULL << 40},
                                      {"TB", 1'000'000'000'000},
                                      {"GiB", 1ULL << 30},
                                      {"GB", 1'000'000'000},
                                      {"MiB", 1ULL << 20},
                                      {"MB", 1'000'000},
                                      {"KiB", 1ULL << 10},
                                      {"kB", 1'000},
                                      {"B", 1}}};
constexpr double kMost = 9.2e18;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

bool same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

void drop_plus(std::string_view& text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
}

void skip_spaces(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

/// Takes "12.5 MB" off the front and yields it in the smallest unit; nothing if it is not one, or not a whole
/// number of that unit. `bare` is the size of a number without a unit, 0 where it needs one.
std::optional<std::uint64_t> take(std::string_view& text, std::span<const Unit> units, std::uint64_t bare) {
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  const auto number = parse_number(text.substr(0, end));
  if (!number || !is_digit(text.front())) return {};
  const auto whole = parse_integer(text.substr(0, end));
  text.remove_prefix(end);
  skip_spaces(text);
  end = 0;
  while (end < text.size() && is_letter(text[end])) ++end;
  const auto word = text.substr(0, end);
  text.remove_prefix(end);
  std::uint64_t size = word.empty() ? bare : 0;
  for (const auto& unit : units) {
    if (!word.empty() && same_word(word, unit.name)) size = unit.size;
  }
  if (word.empty() && *number == 0) return 0;
  if (size == 0) return {};
  const double product = *number * static_cast<double>(size);
  if (product > kMost) return {};
  if (whole) return static_cast<std::uint64_t>(*whole) * size;
  if (product != std::floor(product)) return {};
  return static_cast<std::uint64_t>(product);
}

std::string shortest(std::uint64_t value, std::span<const Unit> units, std::string_view smallest,
                     std::string_view space) {
  for (const auto& unit : units) {
    if (value >= unit.size && value % unit.size == 0)
      return fmt::format("{}{}{}", value / unit.size, space, unit.name);
  }
  return fmt::format("{}{}{}", value, space, smallest);
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  drop_plus(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  drop_plus(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return {};
}

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
  std::uint64_t total = 0;
  if (text.empty()) return {};
  while (!text.empty()) {
    const auto part = take(text, kTimes, 0);
    if (!part || total + *part > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return {};
    total += *part;
    skip_spaces(text);
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(total));
}

std::optional<ByteSize> parse_byte_size(std::string_view text) {
  if (text.empty()) return {};
  const auto size = take(text, kSizes, 1);
  if (!size || !text.empty()) return {};
  return ByteSize{*size};
}

std::string to_string(std::chrono::microseconds duration) {
  if (duration.count() <= 0) return "0s";
  return shortest(static_cast<std::uint64_t>(duration.count()), kTimes, "us", "");
}

std::string to_string(ByteSize size) {
  constexpr std::uint64_t kUnrounded = 1024;
  if (size.bytes < kUnrounded) return fmt::format("{} B", size.bytes);
  return shortest(size.bytes, kSizes, "B", " ");
}

std::string to_string(double number) { return fmt::format("{}", number); }

}  // namespace maia::config
