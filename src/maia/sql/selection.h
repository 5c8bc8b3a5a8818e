// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "maia/base/result.h"
#include "maia/types/schema.h"

namespace maia::sql {

/// Which tables a pipeline takes: `tables: [customers, "sales.*", "!sales.tmp_*"]`. A pattern is a table or
/// schema.table; * stands for any characters and ? for one; a part in double quotes is taken literally; ! in
/// front excludes. A pattern without schema means the schemas of the search path. No inclusion: everything.
class Selection {
 public:
  /// `search_path`: schemas in which a bare name is looked for. Code::invalid_config for a bad pattern.
  static Result<Selection> parse(const std::vector<std::string>& patterns,
                                 std::vector<std::string> search_path);

  bool includes(const TableName& name) const;
  /// Inclusions without wildcard, as names; they must exist. One with a bare name has the first schema of the
  /// search path.
  struct Named {
    std::string pattern;
    TableName name;
  };
  const std::vector<Named>& named() const { return named_; }
  /// Whether an inclusion without wildcard means this table.
  bool names(const Named& named, const TableName& name) const;

 private:
  struct Part {
    std::string text;
    bool literal = false;
    bool matches(std::string_view name) const;
  };
  struct Pattern {
    bool has_schema = false;
    Part schema;
    Part table;
  };
  bool matches(const Pattern& pattern, const TableName& name) const;
  static Result<Pattern> parse_pattern(std::string_view text);

  std::vector<Pattern> included_;
  std::vector<Pattern> excluded_;
  std::vector<Named> named_;
  std::vector<std::string> search_path_;
};

/// Whether `text` follows a pattern of * and ?. Linear in practice: it goes back to the last * only.
bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace maia::sql
