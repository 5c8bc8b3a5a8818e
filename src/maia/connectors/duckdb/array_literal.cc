// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/duckdb/array_literal.h"

namespace maia::duckdb {

ArrayLiteral::ArrayLiteral(std::string_view text, char delimiter) : rest_(text), delimiter_(delimiter) {
  if (!rest_.empty() && rest_[0] == '[' && !skip_bounds()) return;
  if (rest_.size() < 2 || rest_[0] != '{' || rest_.back() != '}') {
    shape_ = Shape::malformed;
    return;
  }
  rest_.remove_prefix(1);
}

bool ArrayLiteral::skip_bounds() {
  const auto equals = rest_.find('=');
  if (equals == rest_.npos) return fail(Shape::malformed);
  // PostgreSQL writes bounds only where one is not 1.
  return fail(Shape::other);
}

bool ArrayLiteral::fail(Shape shape) {
  shape_ = shape;
  return false;
}

bool ArrayLiteral::next() {
  if (shape_ != Shape::list || rest_.empty()) return false;
  if (rest_ == "}") {
    rest_ = {};
    return first_ ? false : fail(Shape::malformed);
  }
  first_ = false;
  if (rest_[0] == '{') return fail(Shape::other);
  if (!(rest_[0] == '"' ? quoted() : bare())) return fail(Shape::malformed);
  // What follows an element is the delimiter and another element, or the end.
  if (rest_ == "}") {
    rest_ = {};
    return true;
  }
  if (rest_.size() < 2 || rest_[0] != delimiter_) return fail(Shape::malformed);
  rest_.remove_prefix(1);
  return true;
}

bool ArrayLiteral::quoted() {
  unescaped_.clear();
  is_null_ = false;
  for (std::size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '"') {
      rest_.remove_prefix(i + 1);
      element_ = unescaped_;
      return true;
    }
    if (rest_[i] == '\\' && ++i == rest_.size()) return false;
    unescaped_ += rest_[i];
  }
  return false;
}

bool ArrayLiteral::bare() {
  std::size_t end = 0;
  while (end < rest_.size() && rest_[end] != delimiter_ && rest_[end] != '}') {
    if (rest_[end] == '{' || rest_[end] == '"' || rest_[end] == '\\') return false;
    ++end;
  }
  if (end == 0) return false;
  element_ = rest_.substr(0, end);
  is_null_ = element_ == "NULL";
  rest_.remove_prefix(end);
  return true;
}

}  // namespace maia::duckdb
