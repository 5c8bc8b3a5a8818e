// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/script_lexer.h"

#include <fmt/format.h>

namespace maia::transforms {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> split() {
    for (;;) {
      MAIA_TRY(skip_space());
      if (at_ >= text_.size()) break;
      MAIA_TRY(next());
      spaced_ = false;
    }
    if (!open_.empty()) {
      return script_error(open_.back().place, fmt::format("'{}' is not closed", open_.back().text));
    }
    push(Token::Kind::newline, "", place());
    push(Token::Kind::end, "", place());
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  TextPlace place() const { return {line_, static_cast<int>(at_ - line_begin_) + 1}; }
  void push(Token::Kind kind, std::string text, TextPlace where) {
    tokens_.push_back({kind, std::move(text), where, spaced_});
  }
  void break_line() {
    ++at_;
    ++line_;
    line_begin_ = at_;
  }

  Status skip_space() {
    for (; at_ < text_.size(); spaced_ = true) {
      const char c = peek();
      if (c == '\n') {
        // Inside brackets a statement goes on in the next line.
        if (open_.empty()) push(Token::Kind::newline, "", place());
        break_line();
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at_;
      } else if (c == '#' || (c == '-' && peek(1) == '-')) {
        while (at_ < text_.size() && peek() != '\n') ++at_;
      } else if (c == '/' && peek(1) == '*') {
        MAIA_TRY(skip_block_comment());
      } else {
        break;
      }
    }
    return {};
  }

  Status skip_block_comment() {
    const auto where = place();
    at_ += 2;
    while (!(peek() == '*' && peek(1) == '/')) {
      if (at_ >= text_.size()) return script_error(where, "the comment does not end", "close it with */");
      if (peek() == '\n') {
        break_line();
      } else {
        ++at_;
      }
    }
    at_ += 2;
    return {};
  }

  Status next() {
    const char c = peek();
    if (c == '\'') return string();
    if (c == '"') return quoted_name();
    if (is_letter(c)) {
      take_while(Token::Kind::name, [](char x) { return is_letter(x) || is_digit(x) || x == '$'; });
      return {};
    }
    if (is_digit(c)) {
      take_while(Token::Kind::number, [](char x) { return is_digit(x) || is_letter(x) || x == '.'; });
      return {};
    }
    return symbol();
  }

  template <class Accept>
  void take_while(Token::Kind kind, Accept accept) {
    const auto where = place();
    const auto begin = at_;
    while (at_ < text_.size() && accept(peek())) ++at_;
    push(kind, std::string(text_.substr(begin, at_ - begin)), where);
  }

  /// Up to the quote that ends it; a doubled quote stands for one.
  Result<std::string> enclosed(char quote, std::string_view what) {
    const auto where = place();
    std::string inside;
    for (++at_;; ++at_) {
      if (at_ >= text_.size() || peek() == '\n')
        return script_error(where, fmt::format("{} does not end", what));
      if (peek() == quote) {
        ++at_;
        if (peek() != quote) return inside;
      }
      inside += peek();
    }
  }

  Status string() {
    const auto where = place();
    if (!spaced_ && !tokens_.empty() && tokens_.back().kind == Token::Kind::name) {
      // E'...' would follow other rules for where it ends.
      return script_error(where, "text cannot follow a word without a space", "write plain text as 'text'");
    }
    push(Token::Kind::string, literal(MAIA_TRY(enclosed('\'', "the text"))), where);
    return {};
  }

  Status quoted_name() {
    const auto where = place();
    auto name = MAIA_TRY(enclosed('"', "the name"));
    if (name.empty()) return script_error(where, "a name cannot be empty");
    push(Token::Kind::quoted_name, std::move(name), where);
    return {};
  }

  Status symbol() {
    const char c = peek();
    if (std::string_view("()[]{}.,=<>!+-*/%^&|~:@").find(c) == std::string_view::npos) {
      const bool visible = c > ' ' && c < '\x7f';
      const auto shown =
          visible ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      return script_error(place(), fmt::format("'{}' has no meaning here", shown),
                          c == ';' ? "write one statement a line, without ';'" : "");
    }
    push(Token::Kind::symbol, std::string(1, c), place());
    if (c == '(' || c == '[' || c == '{') open_.push_back(tokens_.back());
    if (c == ')' || c == ']' || c == '}') MAIA_TRY(close(c));
    ++at_;
    return {};
  }

  Status close(char c) {
    const char opens = c == ')' ? '(' : c == ']' ? '[' : '{';
    if (open_.empty() || open_.back().text[0] != opens) {
      return script_error(place(), fmt::format("'{}' closes nothing", c));
    }
    open_.pop_back();
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  int line_ = 1;
  bool spaced_ = false;
  std::vector<Token> tokens_;
  std::vector<Token> open_;
};

}  // namespace

Result<std::vector<Token>> split_script(std::string_view script) { return Lexer(script).split(); }

Error script_error(const TextPlace& place, std::string_view what, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, fmt::format("{}: {}", to_string(place), what),
          std::move(hint)};
}

}  // namespace maia::transforms
