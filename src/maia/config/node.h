// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace maia::config {

/// Where a value stands; line and column count from 1, 0 means "not from a file".
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;
};
/// "maia.yaml:3:5"
std::string to_string(const Mark& mark);

/// One value of a parsed YAML document, with its place. Mappings keep their order; keys are unique.
struct Node {
  struct Null {};
  /// As written, before any type is read from it. `quoted` scalars are always text.
  struct Scalar {
    std::string text;
    bool quoted = false;
    bool secret = false;  ///< came out of a ${...} reference; never echoed
  };
  using Sequence = std::vector<Node>;
  struct Entry;
  using Mapping = std::vector<Entry>;

  std::variant<Null, Scalar, Sequence, Mapping> value;
  Mark mark;

  bool is_null() const { return std::holds_alternative<Null>(value); }
  const Scalar* scalar() const { return std::get_if<Scalar>(&value); }
  const Sequence* sequence() const { return std::get_if<Sequence>(&value); }
  const Mapping* mapping() const { return std::get_if<Mapping>(&value); }
  /// The value under a key of a mapping; null pointer if there is none or this is no mapping.
  const Node* find(std::string_view key) const;

  /// A quoted scalar that stands nowhere.
  static Node text(std::string text);
};

struct Node::Entry {
  std::string key;
  Mark mark;
  Node value;
};

inline Node Node::text(std::string text) { return Node{Scalar{std::move(text), true, false}, {}}; }

inline const Node* Node::find(std::string_view key) const {
  if (const auto* entries = mapping()) {
    for (const auto& entry : *entries) {
      if (entry.key == key) return &entry.value;
    }
  }
  return nullptr;
}

}  // namespace maia::config
