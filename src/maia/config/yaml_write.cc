// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "maia/config/json.h"
#include "maia/config/scalar.h"
#include "maia/config/yaml.h"

namespace maia::config {
namespace {

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

/// Whether a text can stand without quotes, in block and in flow style.
bool is_plain(std::string_view text) {
  constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`<=";
  if (is_null_word(text) || kIndicators.find(text.front()) != kIndicators.npos) return false;
  if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (text.find(": ") != text.npos || text.find(" #") != text.npos) return false;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || byte >= 0x80) return false;
    if (c == ',' || c == '[' || c == ']' || c == '{' || c == '}') return false;
  }
  return true;
}

/// "${env:NAME}" reads well without quotes although it has braces.
bool is_reference(std::string_view text) {
  const auto breaks = [](char c) {
    return c <= ' ' || c == 0x7F || std::string_view("#,[]\"'").find(c) != std::string_view::npos;
  };
  return text.starts_with("${") && text.ends_with('}') && std::none_of(text.begin(), text.end(), breaks);
}

/// Whether a plain scalar with this text is a number or a truth value.
bool is_typed(std::string_view text) {
  return parse_boolean(text) || parse_integer(text) || parse_number(text);
}

std::string scalar_yaml(const Node::Scalar& scalar) {
  if (scalar.secret) return "\"***\"";
  if (is_typed(scalar.text)) return scalar.quoted ? json_quoted(scalar.text) : scalar.text;
  if (is_plain(scalar.text) || is_reference(scalar.text)) return scalar.text;
  return json_quoted(scalar.text);
}

bool fits_literal(const Node::Scalar& scalar) {
  const auto& text = scalar.text;
  if (scalar.secret || text.find('\n') == text.npos || text.front() == ' ' || text.front() == '\n')
    return false;
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return false;
  }
  return text.back() == '\n' && !text.ends_with("\n\n");
}

bool is_flow(const Node::Sequence& sequence) {
  for (const auto& element : sequence) {
    if (!element.scalar() || element.scalar()->text.find('\n') != std::string::npos) return false;
  }
  return true;
}

struct Writer {
  std::string out;

  void pad(int level) { out.append(static_cast<std::size_t>(level) * 2, ' '); }

  void literal(const std::string& text, int level) {
    out += "|\n";
    for (std::size_t begin = 0; begin < text.size();) {
      const auto end = text.find('\n', begin);
      if (end != begin) pad(level);
      out.append(text, begin, end - begin + 1);
      begin = end + 1;
    }
  }

  void flow(const Node::Sequence& sequence) {
    out += '[';
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      const auto& scalar = *sequence[i].scalar();
      out += (i ? ", " : "") + (is_reference(scalar.text) ? json_quoted(scalar.text) : scalar_yaml(scalar));
    }
    out += "]\n";
  }

  /// What comes after "key:" or "-".
  void after(const Node& node, int level) {
    if (const auto* scalar = node.scalar()) {
      out += ' ';
      fits_literal(*scalar) ? literal(scalar->text, level) : void(out += scalar_yaml(*scalar) + "\n");
    } else if (const auto* sequence = node.sequence()) {
      if (is_flow(*sequence)) {
        out += ' ';
        return flow(*sequence);
      }
      out += '\n';
      block(*sequence, level);
    } else if (const auto* mapping = node.mapping()) {
      out += mapping->empty() ? " {}\n" : "\n";
      block(*mapping, level);
    } else {
      out += " null\n";
    }
  }

  void block(const Node::Sequence& sequence, int level) {
    for (const auto& element : sequence) {
      pad(level);
      out += '-';
      if (const auto* mapping = element.mapping(); mapping && !mapping->empty()) {
        out += ' ';
        entries(*mapping, level + 1, true);
      } else {
        after(element, level + 1);
      }
    }
  }
  void block(const Node::Mapping& mapping, int level) { entries(mapping, level, false); }

  void entries(const Node::Mapping& mapping, int level, bool first_is_placed) {
    for (const auto& entry : mapping) {
      if (!first_is_placed) pad(level);
      first_is_placed = false;
      out += is_plain(entry.key) ? entry.key : json_quoted(entry.key);
      out += ':';
      after(entry.value, level + 1);
    }
  }
};

}  // namespace

std::string to_yaml(const Node& node) {
  Writer writer;
  if (const auto* mapping = node.mapping(); mapping && !mapping->empty()) {
    writer.block(*mapping, 0);
  } else if (const auto* sequence = node.sequence(); sequence && !is_flow(*sequence)) {
    writer.block(*sequence, 0);
  } else {
    writer.after(node, 1);  // the lines of a text must stand further in than the document itself
    writer.out.erase(0, writer.out.find_first_not_of(' '));
  }
  return std::move(writer.out);
}

}  // namespace maia::config
