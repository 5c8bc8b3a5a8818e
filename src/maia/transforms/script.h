// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "maia/base/result.h"
#include "maia/transforms/mapping.h"
#include "maia/transforms/script_lexer.h"
#include "maia/types/schema.h"

namespace maia::transforms {

/// A parsed script, not yet bound to a table. The language: docs/reference/mapping-language.md.
class Script {
 public:
  static Result<Script> parse(std::string_view text);

  /// Names of the input columns that it reads; without `out = in`.
  const std::set<std::string>& reads() const { return reads_; }
  /// What it means for a table. Unknown columns are errors that name the nearest.
  Result<Mapping> bind(const TableSchema& input) const;

 private:
  using Tokens = std::vector<Token>;
  struct Assign {
    std::string name;
    Tokens value;
  };
  struct TakeAll {};
  struct Drop {
    std::vector<std::string> names;
  };
  struct Let {
    std::string name;
    Tokens value;
  };
  struct Filter {
    Tokens condition;
  };
  struct Statement {
    TextPlace place;
    std::variant<Assign, TakeAll, Drop, Let, Filter> what;
  };
  friend class ScriptParser;
  friend class ScriptBinder;

  std::vector<Statement> statements_;
  std::set<std::string> reads_;
};

}  // namespace maia::transforms
