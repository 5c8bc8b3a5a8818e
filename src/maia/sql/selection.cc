// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/selection.h"

#include <algorithm>

namespace maia::sql {
namespace {

Error bad_pattern(std::string_view text, std::string_view why) {
  return Error{Error::Code::invalid_config, Recovery::halt,
               "tables: '" + std::string(text) + "' " + std::string(why),
               "write table or schema.table; * and ? are wildcards, a part in double quotes is literal, "
               "! in front excludes"};
}

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool Selection::Part::matches(std::string_view name) const {
  return literal ? text == name : matches_glob(text, name);
}

Result<Selection::Pattern> Selection::parse_pattern(std::string_view text) {
  std::vector<Part> parts;
  std::size_t at = 0;
  for (;;) {
    Part part;
    if (at < text.size() && text[at] == '"') {
      part.literal = true;
      for (++at;; ++at) {
        if (at >= text.size()) return bad_pattern(text, "has a quote that does not end");
        if (text[at] == '"') {
          ++at;
          if (at >= text.size() || text[at] != '"') break;
        }
        part.text += text[at];
      }
      if (at < text.size() && text[at] != '.') return bad_pattern(text, "goes on after a quoted name");
    } else {
      const auto end = std::min(text.find('.', at), text.size());
      part.text = text.substr(at, end - at);
      at = end;
    }
    if (part.text.empty()) return bad_pattern(text, "has an empty name");
    parts.push_back(std::move(part));
    if (at >= text.size()) break;
    ++at;
  }
  if (parts.size() > 2) return bad_pattern(text, "has more than two parts");
  Pattern pattern;
  pattern.has_schema = parts.size() == 2;
  if (pattern.has_schema) pattern.schema = std::move(parts.front());
  pattern.table = std::move(parts.back());
  return pattern;
}

Result<Selection> Selection::parse(const std::vector<std::string>& patterns,
                                   std::vector<std::string> search_path) {
  Selection selection;
  selection.search_path_ = std::move(search_path);
  for (std::string_view text : patterns) {
    const bool exclude = text.starts_with('!');
    if (exclude) text.remove_prefix(1);
    auto pattern = MAIA_TRY(parse_pattern(text));
    const auto plain = [](const Part& part) {
      return part.literal || part.text.find_first_of("*?") == std::string::npos;
    };
    if (!exclude && plain(pattern.table) && (!pattern.has_schema || plain(pattern.schema))) {
      const auto schema = pattern.has_schema               ? pattern.schema.text
                          : selection.search_path_.empty() ? "public"
                                                           : selection.search_path_.front();
      selection.named_.push_back({std::string(text), {schema, pattern.table.text}});
    }
    (exclude ? selection.excluded_ : selection.included_).push_back(std::move(pattern));
  }
  return selection;
}

bool Selection::matches(const Pattern& pattern, const TableName& name) const {
  if (!pattern.table.matches(name.table)) return false;
  if (pattern.has_schema) return pattern.schema.matches(name.schema);
  return std::find(search_path_.begin(), search_path_.end(), name.schema) != search_path_.end();
}

bool Selection::names(const Named& named, const TableName& name) const {
  const auto pattern = parse_pattern(named.pattern);
  return pattern.ok() && matches(*pattern, name);
}

bool Selection::includes(const TableName& name) const {
  // MAIA's own tables are no data, unless somebody asks for them by their schema's name.
  constexpr std::string_view kOwn = "maia";
  if (name.schema == kOwn) {
    return std::any_of(included_.begin(), included_.end(), [&](const Pattern& pattern) {
      return pattern.has_schema && pattern.schema.text == kOwn && matches(pattern, name);
    });
  }
  const auto fits = [&](const Pattern& pattern) { return matches(pattern, name); };
  if (std::any_of(excluded_.begin(), excluded_.end(), fits)) return false;
  return included_.empty() || std::any_of(included_.begin(), included_.end(), fits);
}

}  // namespace maia::sql
