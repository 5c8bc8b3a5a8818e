// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/log_place.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace maia::kafka {
namespace {

constexpr std::string_view kPrefix = "kafka:";

/// Takes what is before the next `until`, and the mark itself.
std::string_view next_part(std::string_view& rest, char until) {
  const auto end = std::min(rest.find(until), rest.size());
  const auto part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::optional<TopicPlace> parse_topic(std::string_view text) {
  TopicPlace place;
  place.id = next_part(text, ',');
  if (place.id.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto part = next_part(text, ',');
    std::int64_t offset = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), offset);
    if (error != std::errc() || end != part.data() + part.size() || offset < 0) return std::nullopt;
    place.offsets.push_back(offset);
  }
  return place;
}

}  // namespace

Position LogPlace::position() const {
  std::string token = std::string(kPrefix) + cluster;
  for (const auto& [name, topic] : topics) {
    token += ";" + name + "=" + topic.id;
    for (const auto offset : topic.offsets) token += "," + std::to_string(offset);
  }
  return Position{std::move(token)};
}

std::string LogPlace::text() const {
  std::string out;
  for (const auto& [name, topic] : topics) {
    for (std::size_t i = 0; i < topic.offsets.size(); ++i)
      out += fmt::format("{}{}[{}]={}", out.empty() ? "" : " ", name, i, topic.offsets[i]);
  }
  return out;
}

Result<LogPlace> LogPlace::parse(const Position& position) {
  const Error wrong{Error::Code::corruption, Recovery::halt, "a saved position is not one of a Kafka source",
                    "the checkpoint belongs to another kind of source, or it is damaged"};
  std::string_view rest = position.token;
  if (!rest.starts_with(kPrefix)) return wrong;
  rest.remove_prefix(kPrefix.size());
  LogPlace place;
  place.cluster = next_part(rest, ';');
  while (!rest.empty()) {
    auto text = next_part(rest, ';');
    const auto name = next_part(text, '=');
    auto topic = parse_topic(text);
    if (!topic || name.empty() || !place.topics.emplace(name, *std::move(topic)).second) return wrong;
  }
  return place.position() == position ? Result<LogPlace>(std::move(place)) : Result<LogPlace>(wrong);
}

std::partial_ordering compare(const LogPlace& a, const LogPlace& b) {
  if (a.cluster != b.cluster) return std::partial_ordering::unordered;
  bool less = false;
  bool greater = false;
  const auto look = [](const LogPlace& one, const LogPlace& other, bool& ahead) {
    for (const auto& [name, topic] : one.topics) {
      const auto found = other.topics.find(name);
      const auto* theirs = found == other.topics.end() ? nullptr : &found->second;
      if (theirs && theirs->id != topic.id) return false;
      for (std::size_t i = 0; i < topic.offsets.size(); ++i) {
        // A partition that is mentioned comes after one that is not, although nothing of it was read.
        const auto there = theirs && i < theirs->offsets.size() ? theirs->offsets[i] : -1;
        ahead = ahead || topic.offsets[i] > there;
      }
    }
    return true;
  };
  if (!look(a, b, greater) || !look(b, a, less)) return std::partial_ordering::unordered;
  if (less && greater) return std::partial_ordering::unordered;
  if (less) return std::partial_ordering::less;
  return greater ? std::partial_ordering::greater : std::partial_ordering::equivalent;
}

std::partial_ordering compare(const Position& a, const Position& b) {
  if (a == b) return std::partial_ordering::equivalent;
  if (a.empty() || b.empty()) return !a.empty() <=> !b.empty();
  const auto left = LogPlace::parse(a);
  const auto right = LogPlace::parse(b);
  if (!left.ok() || !right.ok()) return std::partial_ordering::unordered;
  return compare(*left, *right);
}

}  // namespace maia::kafka
