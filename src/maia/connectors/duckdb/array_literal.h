// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace maia::duckdb {

/// Reads the elements of a one-dimensional PostgreSQL array literal ({1,NULL,"a b"}) one after the other.
/// See PostgreSQL's documentation, 8.15.6 Array Input and Output Syntax.
class ArrayLiteral {
 public:
  enum class Shape { list, other, malformed };

  explicit ArrayLiteral(std::string_view text, char delimiter = ',');
  /// `other`: the literal is an array, but has lower bounds that are not 1 or several dimensions.
  /// Final once next() has returned false.
  Shape shape() const { return shape_; }
  /// Moves to the next element; false at the end or when the shape is not `list`.
  bool next();
  bool is_null() const { return is_null_; }
  /// The element's text; valid until next().
  std::string_view element() const { return element_; }

 private:
  bool fail(Shape shape);
  bool quoted();
  bool bare();
  bool skip_bounds();

  std::string_view rest_;
  char delimiter_;
  Shape shape_ = Shape::list;
  bool first_ = true;
  bool is_null_ = false;
  std::string_view element_;
  std::string unescaped_;
};

}  // namespace maia::duckdb
