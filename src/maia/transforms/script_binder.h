// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>

#include "maia/transforms/script.h"

namespace maia::transforms {

/// Gives the names of a script their meaning for one table.
class ScriptBinder {
 public:
  ScriptBinder(const Script& script, const TableSchema& input);
  Result<Mapping> bind();

 private:
  /// What a name stands for: a column as it came, or an expression.
  using Meaning = std::variant<Mapping::Copy, Mapping::Computed>;

  Status assign(const std::string& name, const std::vector<Token>& value);
  Status drop(const TextPlace& place, const std::vector<std::string>& names);
  Status filter(const std::vector<Token>& condition);
  Mapping::Output* find_output(std::string_view name);
  /// Turns words into SQL and adds the expression; a lone in.x, out.x or local name needs none.
  Result<Meaning> expression(const std::string& name, const std::vector<Token>& tokens);
  /// One word, or a name of several; moves `at` behind it.
  Status word(const std::vector<Token>& tokens, std::size_t& at, Expression& into);
  Status input_column(const std::vector<Token>& tokens, std::size_t& at, Expression& into);
  Status output_column(const std::vector<Token>& tokens, std::size_t& at, Expression& into);
  Result<std::size_t> column(const Token& name) const;
  /// `.a.b[0]` behind a JSON column; moves `at` behind it.
  Result<std::string> json_path(const std::vector<Token>& tokens, std::size_t& at) const;
  void read(const Meaning& meaning, Expression& into);

  const Script& script_;
  const TableSchema& input_;
  Mapping mapping_;
  std::map<std::string, Meaning> locals_;
  std::vector<std::size_t> filters_;
};

/// Compares words of the language, without regard to case.
bool same_word(std::string_view a, std::string_view b);

}  // namespace maia::transforms
