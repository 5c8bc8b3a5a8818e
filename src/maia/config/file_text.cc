// SPDX-License-Identifier: Apache-2.0
#include "maia/config/file_text.h"

#include <filesystem>
#include <vector>

#include "maia/config/yaml.h"

namespace maia::config {
namespace {

constexpr std::string_view kMask = "***";

struct Range {
  std::size_t begin = 0, size = 0;
};

/// The part of a secret's text that must not be kept: of a URI the password between user and host, or as a
/// parameter; of anything else the whole.
Range secret_part(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == text.npos) return {0, text.size()};
  const auto host = scheme + 3;
  const auto at = text.substr(0, text.find('/', host)).rfind('@');
  if (at != text.npos && at > host) {
    const auto colon = text.find(':', host);
    if (colon < at) return {colon + 1, at - colon - 1};
  }
  constexpr std::string_view kParameter = "password=";
  const auto parameter = text.find(kParameter, host);
  if (parameter == text.npos) return {};
  const auto begin = parameter + kParameter.size();
  return {begin, std::min(text.find('&', begin), text.size()) - begin};
}

class Masking {
 public:
  Masking(const std::string& text, const std::set<std::string>& names) : text_(text), names_(names) {}

  /// Masks the document and, where a secret stands in the text as it is, the text.
  void visit(Node& node, bool secret) {
    if (auto* entries = std::get_if<Node::Mapping>(&node.value)) {
      for (auto& entry : *entries) visit(entry.value, secret || names_.contains(entry.key));
    } else if (auto* elements = std::get_if<Node::Sequence>(&node.value)) {
      for (auto& element : *elements) visit(element, secret);
    } else if (auto* scalar = std::get_if<Node::Scalar>(&node.value); scalar && secret) {
      mask(*scalar, node.mark);
    }
  }
  /// Whether every secret was found in the text; otherwise only the document is without them.
  bool complete() const { return complete_; }
  const std::string& text() const { return text_; }

 private:
  std::size_t begin_of_line(int line) const {
    std::size_t at = 0;
    for (int i = 1; i < line && at != text_.npos; ++i) {
      at = text_.find('\n', at);
      if (at != text_.npos) ++at;
    }
    return at;
  }

  void mask(Node::Scalar& scalar, const Mark& mark) {
    if (scalar.text.find("${") != scalar.text.npos) return;
    const auto part = secret_part(scalar.text);
    if (part.size == 0) return;
    const auto written = scalar.text;
    scalar.text.replace(part.begin, part.size, kMask);
    scalar.quoted = true;
    const auto line = begin_of_line(mark.line);
    const auto at = line == text_.npos ? line : text_.find(written, line);
    if (at == text_.npos || at > text_.find('\n', line)) {
      complete_ = false;
      return;
    }
    // A star at the beginning of plain text would be read as an alias.
    const bool plain = part.begin == 0 && (at == 0 || (text_[at - 1] != '"' && text_[at - 1] != '\''));
    text_.replace(at + part.begin, part.size, plain ? "\"***\"" : kMask);
  }

  std::string text_;
  const std::set<std::string>& names_;
  bool complete_ = true;
};

}  // namespace

std::string without_written_secrets(const std::string& text, const Node& document,
                                    const std::set<std::string>& secret_names) {
  Masking masking(text, secret_names);
  Node masked = document;
  masking.visit(masked, false);
  return masking.complete() ? masking.text() : to_yaml(masked);
}

std::string absolute_path(const std::string& path) {
  std::error_code failure;
  const auto absolute = std::filesystem::absolute(path, failure);
  return failure ? path : absolute.lexically_normal().string();
}

}  // namespace maia::config
