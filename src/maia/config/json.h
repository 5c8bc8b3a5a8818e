// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/config/node.h"

namespace maia::config {

/// JSON text of a node. Unquoted scalars that are numbers, true or false become such; all others become
/// strings; secrets are written as "***". `indent` is the number of spaces per level, 0 for one line.
std::string to_json(const Node& node, int indent = 0);

/// A JSON string literal, quotes included. Bytes that are not UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text);

/// Builds an object or list in place: `Object().set("rows", 5).set("name", "x").node()`.
class Object {
 public:
  Object&& set(std::string key, Node value) &&;
  Object&& set(std::string key, std::string_view text) &&;
  Object&& set(std::string key, const char* text) && {
    return std::move(*this).set(std::move(key), std::string_view(text));
  }
  Object&& set(std::string key, bool value) &&;
  Object&& set(std::string key, std::int64_t value) &&;
  Object&& set(std::string key, std::uint64_t value) &&;
  Node node() && { return Node{std::move(entries_), {}}; }

 private:
  Node::Mapping entries_;
};

/// A list of texts.
Node text_list(const std::vector<std::string>& words);

}  // namespace maia::config
