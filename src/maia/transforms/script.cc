// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "maia/transforms/script_binder.h"

namespace maia::transforms {
namespace {

constexpr std::array<std::string_view, 24> kReserved{
    "in",   "out",      "and",  "or",   "not",       "null",    "true", "false",
    "case", "when",     "then", "else", "end",       "is",      "like", "ilike",
    "cast", "interval", "date", "time", "timestamp", "between", "as",   "from"};

}  // namespace

/// Reads statements; an expression is what stands up to the end of its line.
class ScriptParser {
 public:
  explicit ScriptParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Script> parse() {
    while (peek().kind != Token::Kind::end) {
      if (peek().kind == Token::Kind::newline) {
        ++at_;
        continue;
      }
      MAIA_TRY(statement());
    }
    if (script_.statements_.empty()) {
      return script_error(peek().place, "the script is empty", "write for example: out = in");
    }
    return std::move(script_);
  }

 private:
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  bool is_symbol(char c, std::size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::symbol && peek(ahead).text[0] == c;
  }
  bool is_name(std::string_view word, std::size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::name && same_word(peek(ahead).text, word);
  }
  Error expected(std::string_view what) const {
    const auto& token = peek();
    const bool at_end = token.kind == Token::Kind::newline || token.kind == Token::Kind::end;
    return script_error(token.place, at_end ? fmt::format("{} is expected, but the line ends", what)
                                            : fmt::format("{} is expected, not '{}'", what, token.text));
  }

  Status statement() {
    const auto place = peek().place;
    if (is_name("out") && is_symbol('=', 1)) return take_all(place);
    if (is_name("out")) return assign(place);
    if (is_name("drop")) return drop(place);
    if (is_name("filter")) {
      ++at_;
      auto condition = MAIA_TRY(expression());
      script_.statements_.push_back({place, Script::Filter{std::move(condition)}});
      return {};
    }
    if (is_name("let")) return let(place);
    auto error = expected("out.<column> =, out = in, drop, filter or let");
    error.hint = "a script has one statement a line, such as out.email = lower(in.email)";
    return error;
  }

  Result<std::string> name(std::string_view what) {
    if (peek().kind != Token::Kind::name && peek().kind != Token::Kind::quoted_name) return expected(what);
    return tokens_[at_++].text;
  }
  Result<std::string> out_column() {
    if (!is_name("out") || !is_symbol('.', 1)) return expected("out.<column>");
    at_ += 2;
    return name("the name of a column");
  }

  Status take_all(TextPlace place) {
    at_ += 2;
    if (!is_name("in") || is_symbol('.', 1)) return expected("'in' after 'out ='");
    ++at_;
    script_.statements_.push_back({place, Script::TakeAll{}});
    return end_of_line();
  }

  Status assign(TextPlace place) {
    auto column = MAIA_TRY(out_column());
    if (!is_symbol('=') || is_symbol('=', 1)) return expected("'='");
    ++at_;
    auto value = MAIA_TRY(expression());
    script_.statements_.push_back({place, Script::Assign{std::move(column), std::move(value)}});
    return {};
  }

  Status drop(TextPlace place) {
    ++at_;
    Script::Drop dropped;
    for (;;) {
      dropped.names.push_back(MAIA_TRY(out_column()));
      if (!is_symbol(',')) break;
      ++at_;
    }
    script_.statements_.push_back({place, std::move(dropped)});
    return end_of_line();
  }

  Status let(TextPlace place) {
    ++at_;
    const auto& token = peek();
    auto local = MAIA_TRY(name("a name"));
    const auto is = [&](std::string_view word) { return same_word(word, local); };
    if (std::any_of(kReserved.begin(), kReserved.end(), is)) {
      return script_error(token.place, fmt::format("'{}' cannot be the name of a value", local));
    }
    if (!is_symbol('=')) return expected("'='");
    ++at_;
    auto value = MAIA_TRY(expression());
    script_.statements_.push_back({place, Script::Let{std::move(local), std::move(value)}});
    return {};
  }

  Status end_of_line() {
    if (peek().kind != Token::Kind::newline) return expected("the end of the line");
    ++at_;
    return {};
  }

  Result<std::vector<Token>> expression() {
    std::vector<Token> tokens;
    for (; peek().kind != Token::Kind::newline; ++at_) {
      if (is_name("select")) {
        return script_error(peek().place, "an expression cannot hold a query",
                            "a transform sees one row at a time; join at the destination");
      }
      // in.column, but not the last part of something.in.column.
      const bool input = is_name("in") && is_symbol('.', 1) && (tokens.empty() || tokens.back().text != ".");
      if (input && (peek(2).kind == Token::Kind::name || peek(2).kind == Token::Kind::quoted_name)) {
        script_.reads_.insert(peek(2).text);
      }
      tokens.push_back(peek());
    }
    if (tokens.empty()) return expected("an expression");
    ++at_;
    return tokens;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  Script script_;
};

Result<Script> Script::parse(std::string_view text) {
  return ScriptParser(MAIA_TRY(split_script(text))).parse();
}

Result<Mapping> Script::bind(const TableSchema& input) const { return ScriptBinder(*this, input).bind(); }

}  // namespace maia::transforms
