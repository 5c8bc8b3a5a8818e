// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/protobuf_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace maia::kafka {
namespace {

constexpr std::int32_t kLargest = (1 << 29) - 1;
/// Protocol Buffers keeps these numbers for itself.
constexpr std::int32_t kOwnFirst = 19'000, kOwnLast = 19'999;

bool in_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/// Words, numbers, strings and signs of a schema's text, without comments.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) { next(); }
  /// Empty at the end.
  std::string_view peek() const { return token_; }
  std::string_view take() {
    const auto taken = token_;
    next();
    return taken;
  }
  bool take_if(std::string_view token) {
    if (token_ != token) return false;
    next();
    return true;
  }
  /// Leaves out all up to the end of a statement, or of the block that it has.
  void skip_statement() {
    for (std::size_t depth = 0; !token_.empty();) {
      const auto token = take();
      if (token == "{") ++depth;
      if (token == "}" && --depth == 0) return;
      if (token == ";" && depth == 0) return;
      if (depth == 0 && token_ == "}") return;
    }
  }

 private:
  void next() {
    skip_blanks();
    std::size_t size = 0;
    if (at_ < text_.size() && in_word(text_[at_])) {
      while (at_ + size < text_.size() && in_word(text_[at_ + size])) ++size;
    } else if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      for (size = 1; at_ + size < text_.size() && text_[at_ + size] != text_[at_]; ++size) {
        if (text_[at_ + size] == '\\') ++size;
      }
      ++size;
    } else {
      size = 1;
    }
    token_ = text_.substr(std::min(at_, text_.size()), size);
    at_ += size;
  }
  void skip_blanks() {
    for (;;) {
      while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
      const auto rest = text_.substr(std::min(at_, text_.size()));
      if (rest.starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest.starts_with("/*")) {
        const auto end = text_.find("*/", at_ + 2);
        at_ = end == text_.npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view token_;
};

std::optional<std::int32_t> number_of(std::string_view token) {
  if (token == "max") return kLargest;
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  const bool whole = error == std::errc() && end == token.data() + token.size();
  return whole && number > 0 && number <= kLargest ? std::optional(number) : std::nullopt;
}

/// What follows `reserved`; names among it say nothing of numbers.
bool read_reserved(Tokens& tokens, ProtobufMessage& message) {
  do {
    if (tokens.peek().starts_with('"') || tokens.peek().starts_with('\'')) {
      tokens.take();
      continue;
    }
    const auto first = number_of(tokens.take());
    const auto last = tokens.take_if("to") ? number_of(tokens.take()) : first;
    if (!first || !last || *last < *first) return false;
    message.gone.emplace_back(*first, *last);
  } while (tokens.take_if(","));
  return tokens.take_if(";");
}

bool read_field(Tokens& tokens, ProtobufMessage& message) {
  ProtobufField field;
  field.type = tokens.take();
  if (field.type == "optional" || field.type == "repeated") {
    field.type += ' ';
    field.type += tokens.take();
  }
  field.name = tokens.take();
  if (!tokens.take_if("=")) return false;
  const auto number = number_of(tokens.take());
  if (!number) return false;
  field.number = *number;
  message.fields.push_back(std::move(field));
  tokens.skip_statement();
  return true;
}

/// What stands between the braces, with the closing one.
bool read_body(Tokens& tokens, ProtobufMessage& message) {
  while (!tokens.take_if("}")) {
    const auto word = tokens.peek();
    if (word.empty()) return false;
    if (word == "message" || word == "enum" || word == "oneof" || word == "extend" || word == "option" ||
        word == ";") {
      tokens.skip_statement();
    } else if (tokens.take_if("reserved")) {
      if (!read_reserved(tokens, message)) return false;
    } else if (!read_field(tokens, message)) {
      return false;
    }
  }
  return true;
}

/// In order, and as few ranges as can be, so that a text does not depend on how a registry writes them.
void merge(std::vector<std::pair<std::int32_t, std::int32_t>>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::size_t kept = 0;
  for (const auto& range : ranges) {
    if (kept > 0 && range.first <= ranges[kept - 1].second + 1) {
      ranges[kept - 1].second = std::max(ranges[kept - 1].second, range.second);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\{:03o}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

Result<ProtobufMessage> parse_protobuf_message(std::string_view schema, std::string_view name) {
  Tokens tokens(schema);
  while (!tokens.peek().empty()) {
    if (!tokens.take_if("message") || !tokens.take_if(name) || !tokens.take_if("{")) {
      if (tokens.peek() != "message") tokens.take();
      continue;
    }
    ProtobufMessage message;
    if (read_body(tokens, message)) return message;
    break;
  }
  return Error{Error::Code::unsupported, Recovery::halt,
               fmt::format("the message {} cannot be read in the registry's last schema", name)};
}

Status number_fields(ProtobufMessage& message, const ProtobufMessage& last) {
  message.gone = last.gone;
  std::int32_t largest = 0;
  for (const auto& [first, end] : last.gone) largest = std::max(largest, end);
  for (const auto& old : last.fields) {
    largest = std::max(largest, old.number);
    const auto same = std::find_if(message.fields.begin(), message.fields.end(), [&](const auto& field) {
      return field.name == old.name && field.type == old.type;
    });
    if (same == message.fields.end()) {
      message.gone.emplace_back(old.number, old.number);
    } else {
      same->number = old.number;
    }
  }
  merge(message.gone);
  for (auto& field : message.fields) {
    if (field.number != 0) continue;
    if (largest == kLargest) {
      return Error{Error::Code::unsupported, Recovery::halt, "the message has no number left for a field"};
    }
    if (++largest >= kOwnFirst && largest <= kOwnLast) largest = kOwnLast + 1;
    field.number = largest;
  }
  return {};
}

std::string protobuf_text(std::string_view name, const ProtobufMessage& message, std::string_view more) {
  std::string out = fmt::format("message {} {{\n", name);
  for (const auto& [first, last] : message.gone) {
    out += first == last ? fmt::format("  reserved {};\n", first)
                         : fmt::format("  reserved {} to {};\n", first, last);
  }
  for (const auto& field : message.fields) {
    out += fmt::format("  {} {} = {} [json_name = {}];\n", field.type, field.name, field.number,
                       quoted(field.json_name));
  }
  out += more;
  return out + "}\n";
}

}  // namespace maia::kafka
