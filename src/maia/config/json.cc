// SPDX-License-Identifier: Apache-2.0
#include "maia/config/json.h"

#include <fmt/format.h>

#include "maia/base/json_text.h"
#include "maia/config/scalar.h"

namespace maia::config {
namespace {

std::string scalar_json(const Node::Scalar& scalar) {
  if (scalar.secret) return "\"***\"";
  if (scalar.quoted) return json_quoted(scalar.text);
  if (const auto flag = parse_boolean(scalar.text)) return *flag ? "true" : "false";
  if (const auto whole = parse_integer(scalar.text)) return fmt::format("{}", *whole);
  if (const auto number = parse_number(scalar.text)) return fmt::format("{}", *number);
  return json_quoted(scalar.text);
}

struct Writer {
  int indent;
  std::string out;

  void line(int level) {
    if (indent == 0) return;
    out += '\n';
    out.append(static_cast<std::size_t>(level * indent), ' ');
  }

  void write(const Node& node, int level) {
    if (const auto* scalar = node.scalar()) {
      out += scalar_json(*scalar);
    } else if (const auto* sequence = node.sequence()) {
      write_all('[', ']', *sequence, level, [&](const Node& element) { write(element, level + 1); });
    } else if (const auto* mapping = node.mapping()) {
      write_all('{', '}', *mapping, level, [&](const Node::Entry& entry) {
        out += json_quoted(entry.key) + (indent == 0 ? ":" : ": ");
        write(entry.value, level + 1);
      });
    } else {
      out += "null";
    }
  }

  template <class Elements, class Each>
  void write_all(char open, char close, const Elements& elements, int level, Each each) {
    out += open;
    bool first = true;
    for (const auto& element : elements) {
      if (!first) out += ',';
      first = false;
      line(level + 1);
      each(element);
    }
    if (!elements.empty()) line(level);
    out += close;
  }
};

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string to_json(const Node& node, int indent) {
  Writer writer{indent, {}};
  writer.write(node, 0);
  return std::move(writer.out);
}

Object&& Object::set(std::string key, Node value) && {
  entries_.push_back({std::move(key), {}, std::move(value)});
  return std::move(*this);
}
Object&& Object::set(std::string key, std::string_view text) && {
  return std::move(*this).set(std::move(key), Node::text(std::string(text)));
}
Object&& Object::set(std::string key, bool value) && {
  return std::move(*this).set(std::move(key), Node{Node::Scalar{value ? "true" : "false"}, {}});
}
Object&& Object::set(std::string key, std::int64_t value) && {
  return std::move(*this).set(std::move(key), Node{Node::Scalar{std::to_string(value)}, {}});
}
Object&& Object::set(std::string key, std::uint64_t value) && {
  return std::move(*this).set(std::move(key), Node{Node::Scalar{std::to_string(value)}, {}});
}

Node text_list(const std::vector<std::string>& words) {
  Node::Sequence out;
  for (const auto& word : words) out.push_back(Node::text(word));
  return Node{std::move(out), {}};
}

}  // namespace maia::config
