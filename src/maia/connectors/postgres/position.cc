// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/position.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace maia::postgres {
namespace {

/// The whole text as a number; nothing if it is anything else. Leading zeros, signs, blanks and small hex
/// digits are refused, so that a place has exactly one token.
template <class T>
std::optional<T> whole(std::string_view text, int radix) {
  T value = 0;
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return {};
  if (text.find_first_of("abcdef") != std::string_view::npos) return {};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, radix);
  if (failure != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace

std::string to_string(Lsn lsn) { return fmt::format("{:X}/{:X}", lsn >> 32, lsn & 0xFFFFFFFF); }

Result<Lsn> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto high = whole<std::uint32_t>(text.substr(0, slash), 16);
    const auto low = whole<std::uint32_t>(text.substr(slash + 1), 16);
    if (high && low) return (Lsn{*high} << 32) | *low;
  }
  return Error{Error::Code::corruption, Recovery::halt, "the server sent what is no LSN", ""};
}

std::string Beat::nonce_text() const { return fmt::format("{:08x}", nonce); }

std::string Beat::text() const { return fmt::format("{}-{:08x}", number, nonce); }

std::optional<Beat> Beat::parse(std::string_view text) {
  constexpr std::size_t kNonce = 8;
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || text.size() != dash + 1 + kNonce) return {};
  const auto number = whole<std::uint64_t>(text.substr(0, dash), 10);
  const auto digits = text.substr(dash + 1);
  Beat beat;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + kNonce, beat.nonce, 16);
  if (!number || *number == 0 || failure != std::errc{} || end != digits.data() + kNonce) return {};
  beat.number = *number;
  if (beat.nonce_text() != digits) return {};
  return beat;
}

Position LogPlace::position() const {
  auto token = fmt::format("{}/{}/{:X}", system, timeline, lsn);
  if (beat.number > 0) token += "/" + beat.text();
  return Position{std::move(token)};
}

Result<LogPlace> LogPlace::parse(const Position& position) {
  const std::string_view token = position.token;
  const auto first = token.find('/');
  const auto second = first == std::string_view::npos ? first : token.find('/', first + 1);
  if (second != std::string_view::npos) {
    const auto system = whole<std::uint64_t>(token.substr(0, first), 10);
    const auto timeline = whole<std::uint32_t>(token.substr(first + 1, second - first - 1), 10);
    const auto third = std::min(token.find('/', second + 1), token.size());
    const auto lsn = whole<Lsn>(token.substr(second + 1, third - second - 1), 16);
    const auto beat = third == token.size() ? std::optional(Beat{}) : Beat::parse(token.substr(third + 1));
    if (system && timeline && lsn && beat) return LogPlace{*system, *timeline, *lsn, *beat};
  }
  return Error{Error::Code::corruption, Recovery::halt, "a saved position is not one of a PostgreSQL source",
               "the checkpoint belongs to another kind of source, or it is damaged"};
}

std::partial_ordering compare(const Position& a, const Position& b) {
  if (a.empty() || b.empty()) return !a.empty() <=> !b.empty();
  const auto left = LogPlace::parse(a);
  const auto right = LogPlace::parse(b);
  if (!left.ok() || !right.ok() || left->system != right->system) return std::partial_ordering::unordered;
  if (left->timeline == right->timeline) return left->lsn <=> right->lsn;
  const bool later_is_ahead =
      left->timeline < right->timeline ? left->lsn <= right->lsn : left->lsn >= right->lsn;
  if (!later_is_ahead) return std::partial_ordering::unordered;
  return left->timeline <=> right->timeline;
}

}  // namespace maia::postgres
