// SPDX-License-Identifier: Apache-2.0
#include "maia/connector/row_condition.h"

#include <optional>

namespace maia {
namespace {

constexpr std::string_view kHint =
    "write comparisons of key columns, joined by and: id >= 10 and id < 20, or code in ('a', 'b')";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 128;
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<RowCondition> read() {
    RowCondition condition;
    skip_spaces();
    if (at_end()) return condition;
    for (;;) {
      condition.all.push_back(MAIA_TRY(comparison()));
      if (at_end()) return condition;
      if (!take_word("and")) return expected("and");
    }
  }

 private:
  bool at_end() const { return place_ == text_.size(); }
  char next() const { return at_end() ? '\0' : text_[place_]; }
  void skip_spaces() {
    while (!at_end() && is_space(next())) ++place_;
  }

  Error expected(std::string_view what) const {
    const auto rest = at_end() ? std::string("at its end") : "at '" + std::string(text_.substr(place_)) + "'";
    return {Error::Code::invalid_config, Recovery::halt,
            "the condition '" + std::string(text_) + "' is not understood " + rest + ": expected " +
                std::string(what),
            std::string(kHint)};
  }

  bool take(std::string_view symbol) {
    if (!text_.substr(place_).starts_with(symbol)) return false;
    place_ += symbol.size();
    skip_spaces();
    return true;
  }

  bool take_word(std::string_view word) {
    const auto rest = text_.substr(place_);
    if (rest.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (lower(rest[i]) != word[i]) return false;
    }
    if (rest.size() > word.size() && (is_letter(rest[word.size()]) || is_digit(rest[word.size()])))
      return false;
    place_ += word.size();
    skip_spaces();
    return true;
  }

  /// From behind the opening quote; a doubled quote stands for itself.
  std::optional<std::string> quoted(char quote) {
    std::string out;
    for (++place_; !at_end(); ++place_) {
      if (next() == quote) {
        ++place_;
        if (next() != quote || at_end()) {
          skip_spaces();
          return out;
        }
      }
      out += next();
    }
    return std::nullopt;
  }

  Result<std::string> column() {
    if (next() == '"') {
      auto name = quoted('"');
      if (!name || name->empty()) return expected("the closing \" of a column's name");
      return std::move(*name);
    }
    const auto begin = place_;
    if (!is_letter(next())) return expected("a column's name");
    while (!at_end() && (is_letter(next()) || is_digit(next()))) ++place_;
    auto name = std::string(text_.substr(begin, place_ - begin));
    skip_spaces();
    return name;
  }

  Result<std::string> literal() {
    if (next() == '\'') {
      auto value = quoted('\'');
      if (!value) return expected("the closing ' of a text");
      return std::move(*value);
    }
    const auto begin = place_;
    if (next() == '-' || next() == '+') ++place_;
    const auto digits = place_;
    while (is_digit(next()) || next() == '.') ++place_;
    if (place_ == digits || is_letter(next())) {
      place_ = begin;
      return expected("a number or a 'text'");
    }
    auto value = std::string(text_.substr(begin, place_ - begin));
    skip_spaces();
    return value;
  }

  Result<RowCondition::Comparison> comparison() {
    using Compare = RowCondition::Compare;
    RowCondition::Comparison out;
    out.column = MAIA_TRY(column());
    if (take_word("in")) {
      out.how = Compare::one_of;
      if (!take("(")) return expected("(");
      do {
        out.literals.push_back(MAIA_TRY(literal()));
      } while (take(","));
      if (!take(")")) return expected(", or )");
      return out;
    }
    if (take("<=")) {
      out.how = Compare::at_most;
    } else if (take(">=")) {
      out.how = Compare::at_least;
    } else if (take("<")) {
      out.how = Compare::less;
    } else if (take(">")) {
      out.how = Compare::greater;
    } else if (take("=")) {
      out.how = Compare::equal;
    } else {
      return expected("=, <, <=, >, >= or in");
    }
    out.literals.push_back(MAIA_TRY(literal()));
    return out;
  }

  std::string_view text_;
  std::size_t place_ = 0;
};

}  // namespace

std::string_view sign(RowCondition::Compare how) {
  using Compare = RowCondition::Compare;
  switch (how) {
    case Compare::equal: return "=";
    case Compare::less: return "<";
    case Compare::at_most: return "<=";
    case Compare::greater: return ">";
    case Compare::at_least: return ">=";
    case Compare::one_of: return "in";
  }
  return "=";
}

Result<RowCondition> parse_row_condition(std::string_view text) { return Reader(text).read(); }

}  // namespace maia
