// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/protobuf_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace maia::kafka {
namespace {

/// Messages within messages beyond this are refused, so that none can exhaust the stack.
constexpr int kDeepest = 100;

Error refused(std::string what) { return Error{Error::Code::data, Recovery::halt, std::move(what)}; }

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
  /// Leaves out what is left of a statement, whatever brackets are in it.
  void skip_statement() {
    for (std::size_t depth = 0; !token_.empty();) {
      const auto token = take();
      if (token == "{" || token == "[" || token == "(") ++depth;
      if ((token == "}" || token == "]" || token == ")") && depth > 0) --depth;
      if (token == ";" && depth == 0) return;
    }
  }
  /// Leaves out all up to the end of the next block.
  void skip_block() {
    for (std::size_t depth = 0; !token_.empty();) {
      const auto token = take();
      if (token == "{") ++depth;
      if (token == "}" && (depth == 0 || --depth == 0)) return;
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

std::optional<std::int32_t> whole_of(std::string_view token) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
  return error == std::errc() && end == token.data() + token.size() ? std::optional(number) : std::nullopt;
}

/// The number of a field.
std::optional<std::int32_t> number_of(std::string_view token) {
  if (token == "max") return kLargestNumber;
  const auto number = whole_of(token);
  return number && *number > 0 && *number <= kLargestNumber ? number : std::nullopt;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : tokens_(text) {}

  Result<ProtobufFile> file() {
    ProtobufFile file;
    while (!tokens_.peek().empty()) {
      if (tokens_.take_if("message")) {
        file.messages.push_back(MAIA_TRY(message(0)));
      } else if (tokens_.take_if("enum")) {
        file.enums.push_back(MAIA_TRY(symbols()));
      } else if (tokens_.take_if("syntax")) {
        tokens_.take_if("=");
        file.proto3 = tokens_.peek().find("proto3") != std::string_view::npos;
        tokens_.skip_statement();
      } else if (tokens_.take_if("package")) {
        file.package = tokens_.take();
        tokens_.skip_statement();
      } else if (tokens_.peek() == "service" || tokens_.peek() == "extend") {
        tokens_.skip_block();
      } else {
        MAIA_TRY(other("import", "option", "edition"));
      }
    }
    return file;
  }

 private:
  Error unexpected() const {
    return refused(tokens_.peek().empty()
                       ? "the Protobuf schema ends too early"
                       : fmt::format("the Protobuf schema has '{}' where it cannot be", tokens_.peek()));
  }
  Status expect(std::string_view token) {
    if (!tokens_.take_if(token)) return unexpected();
    return {};
  }
  /// A statement that says nothing of fields.
  template <class... Word>
  Status other(Word... words) {
    if (tokens_.take_if(";")) return {};
    if (((tokens_.peek() != words) && ...)) return unexpected();
    tokens_.skip_statement();
    return {};
  }
  Result<std::string> word() {
    if (tokens_.peek().empty() || !in_word(tokens_.peek()[0])) return unexpected();
    return std::string(tokens_.take());
  }
  Result<std::int32_t> number() {
    const auto number = number_of(tokens_.peek());
    if (!number) return unexpected();
    tokens_.take();
    return *number;
  }

  Result<ProtobufMessage> message(int depth) {
    if (depth > kDeepest) return refused("the Protobuf schema is nested too deep");
    ProtobufMessage out;
    out.name = MAIA_TRY(word());
    MAIA_TRY(expect("{"));
    while (!tokens_.take_if("}")) {
      if (tokens_.take_if("message")) {
        out.messages.push_back(MAIA_TRY(message(depth + 1)));
      } else if (tokens_.take_if("enum")) {
        out.enums.push_back(MAIA_TRY(symbols()));
      } else if (tokens_.take_if("oneof")) {
        MAIA_TRY(choice(out));
      } else if (tokens_.take_if("reserved")) {
        MAIA_TRY(reserved(out));
      } else if (tokens_.peek() == "extend") {
        tokens_.skip_block();
      } else if (tokens_.peek() == ";" || tokens_.peek() == "option" || tokens_.peek() == "extensions") {
        MAIA_TRY(other("option", "extensions"));
      } else {
        out.fields.push_back(MAIA_TRY(field()));
      }
    }
    return out;
  }

  Result<ProtobufField> field() {
    ProtobufField field;
    const auto label = tokens_.peek();
    if (label == "optional" || label == "repeated" || label == "required")
      field.type = std::string(tokens_.take()) + " ";
    const auto type = MAIA_TRY(word());
    if (type == "group") return refused("the Protobuf schema has a group, which is not read");
    field.type += type;
    if (type == "map" && tokens_.take_if("<")) {
      const auto key = MAIA_TRY(word());
      MAIA_TRY(expect(","));
      field.type += fmt::format("<{}, {}>", key, MAIA_TRY(word()));
      MAIA_TRY(expect(">"));
    }
    field.name = MAIA_TRY(word());
    MAIA_TRY(expect("="));
    field.number = MAIA_TRY(number());
    if (tokens_.peek() == "[") {
      tokens_.skip_statement();
    } else {
      MAIA_TRY(expect(";"));
    }
    return field;
  }

  Status choice(ProtobufMessage& out) {
    MAIA_TRY(word());
    MAIA_TRY(expect("{"));
    while (!tokens_.take_if("}")) {
      if (tokens_.peek() == ";" || tokens_.peek() == "option") {
        MAIA_TRY(other("option"));
        continue;
      }
      out.fields.push_back(MAIA_TRY(field()));
      out.fields.back().in_choice = true;
    }
    return {};
  }

  /// Names among what is reserved say nothing of numbers.
  Status reserved(ProtobufMessage& out) {
    do {
      if (tokens_.peek().starts_with('"') || tokens_.peek().starts_with('\'')) {
        tokens_.take();
        continue;
      }
      const auto first = MAIA_TRY(number());
      const auto last = tokens_.take_if("to") ? MAIA_TRY(number()) : first;
      if (last < first) return refused("the Protobuf schema reserves a range that ends before it begins");
      out.gone.emplace_back(first, last);
    } while (tokens_.take_if(","));
    return expect(";");
  }

  Result<ProtobufEnum> symbols() {
    ProtobufEnum out;
    out.name = MAIA_TRY(word());
    MAIA_TRY(expect("{"));
    while (!tokens_.take_if("}")) {
      if (tokens_.peek() == ";" || tokens_.peek() == "option" || tokens_.peek() == "reserved") {
        MAIA_TRY(other("option", "reserved"));
        continue;
      }
      const auto symbol = MAIA_TRY(word());
      MAIA_TRY(expect("="));
      const bool negative = tokens_.take_if("-");
      const auto number = whole_of(tokens_.peek());
      if (!number) return unexpected();
      // The first of several names of one number is the one.
      out.symbols.emplace(negative ? -*number : *number, symbol);
      tokens_.skip_statement();
    }
    return out;
  }

  Tokens tokens_;
};

const ProtobufMessage* find(const std::vector<ProtobufMessage>& messages, std::string_view name) {
  for (const auto& message : messages) {
    if (message.name == name) return &message;
    if (const auto* within = find(message.messages, name)) return within;
  }
  return nullptr;
}

}  // namespace

Result<ProtobufFile> parse_protobuf(std::string_view schema) { return Parser(schema).file(); }

Result<ProtobufMessage> parse_protobuf_message(std::string_view schema, std::string_view name) {
  const auto file = parse_protobuf(schema);
  if (const auto* message = file.ok() ? find(file->messages, name) : nullptr) return *message;
  return Error{Error::Code::unsupported, Recovery::halt,
               fmt::format("the message {} cannot be read in the registry's last schema{}", name,
                           file.ok() ? "" : ": " + file.error().message)};
}

}  // namespace maia::kafka
