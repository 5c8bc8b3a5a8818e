// SPDX-License-Identifier: Apache-2.0
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include "maia/connectors/mysql/json_node.h"
#include "maia/connectors/mysql/wire.h"

namespace maia::mysql {
namespace {

enum class Change : std::uint8_t { replace, insert, remove };

Error misfit() {
  return Error{.code = Error::Code::corruption,
               .message = "a difference of a JSON value in the binary log does not fit the value"};
}

/// One step of a path: a member, or a place in an array.
struct Step {
  std::optional<std::string> member;
  std::size_t place = 0;
};

std::optional<std::string> take_quoted(std::string_view& rest) {
  std::size_t end = 1;
  while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
  if (end >= rest.size()) return {};
  const simdjson::padded_string literal(rest.substr(0, end + 1));
  simdjson::dom::parser parser;
  std::string_view member;
  if (parser.parse(literal).get_string().get(member) != simdjson::SUCCESS) return {};
  rest.remove_prefix(end + 1);
  return std::string(member);
}

std::optional<Step> take_step(std::string_view& rest) {
  Step step;
  const char kind = rest.front();
  rest.remove_prefix(1);
  if (kind == '[') {
    const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), step.place);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (failure != std::errc{} || !rest.starts_with(']')) return {};
    rest.remove_prefix(1);
    return step;
  }
  if (kind != '.' || rest.empty()) return {};
  if (rest.front() == '"') {
    step.member = take_quoted(rest);
  } else {
    const auto end = std::min(rest.find_first_of(".["), rest.size());
    step.member = std::string(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  if (!step.member) return {};
  return step;
}

std::optional<std::vector<Step>> parse_path(std::string_view path) {
  if (!path.starts_with('$')) return {};
  path.remove_prefix(1);
  std::vector<Step> steps;
  while (!path.empty()) {
    auto step = take_step(path);
    if (!step) return {};
    steps.push_back(*std::move(step));
  }
  return steps;
}

/// Where a step leads to in a container: the child, or where it would be inserted.
struct Place {
  std::size_t index = 0;
  bool there = false;
};
std::optional<Place> find(const JsonNode& node, const Step& step) {
  if (!step.member) {
    if (node.kind != JsonNode::Kind::array || step.place > node.children.size()) return {};
    return Place{step.place, step.place < node.children.size()};
  }
  if (node.kind != JsonNode::Kind::object) return {};
  // Members are in the order of their length, and then of their bytes.
  const auto before = [](const std::string& a, const std::string& b) {
    return std::forward_as_tuple(a.size(), a) < std::forward_as_tuple(b.size(), b);
  };
  const auto at = std::lower_bound(node.keys.begin(), node.keys.end(), *step.member, before);
  return Place{static_cast<std::size_t>(at - node.keys.begin()),
               at != node.keys.end() && *at == *step.member};
}

Status insert(JsonNode& node, const Step& step, JsonNode value) {
  const auto place = find(node, step);
  if (!place || (step.member && place->there)) return misfit();
  const auto at = static_cast<std::ptrdiff_t>(place->index);
  node.children.insert(node.children.begin() + at, std::move(value));
  if (step.member) node.keys.insert(node.keys.begin() + at, *step.member);
  return {};
}

Status apply(JsonNode& document, Change change, std::string_view path, std::optional<JsonNode> value) {
  const auto steps = parse_path(path);
  if (!steps) return misfit();
  if (steps->empty()) {
    if (change != Change::replace) return misfit();
    document = *std::move(value);
    return {};
  }
  auto* node = &document;
  for (std::size_t i = 0; i + 1 < steps->size(); ++i) {
    const auto place = find(*node, (*steps)[i]);
    if (!place || !place->there) return misfit();
    node = &node->children[place->index];
  }
  const auto& last = steps->back();
  if (change == Change::insert) return insert(*node, last, *std::move(value));
  const auto place = find(*node, last);
  if (!place || !place->there) return misfit();
  if (change == Change::replace) {
    node->children[place->index] = *std::move(value);
    return {};
  }
  const auto at = static_cast<std::ptrdiff_t>(place->index);
  node->children.erase(node->children.begin() + at);
  if (last.member) node->keys.erase(node->keys.begin() + at);
  return {};
}

}  // namespace

Status apply_json_differences(JsonNode& document, ByteView differences) {
  WireReader in(differences);
  while (in.ok() && in.left() > 0) {
    const auto change = in.u8();
    if (change > 2) return misfit();
    const auto path = in.packed_text();
    std::optional<JsonNode> value;
    if (static_cast<Change>(change) != Change::remove) value = MAIA_TRY(parse_json(in.bytes(in.packed())));
    if (!in.ok()) return misfit();
    MAIA_TRY(apply(document, static_cast<Change>(change), path, std::move(value)));
  }
  return in.ok() ? Status() : misfit();
}

}  // namespace maia::mysql
