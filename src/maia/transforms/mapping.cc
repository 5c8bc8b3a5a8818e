// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace maia::transforms {
namespace {

std::string enclosed(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

std::string cast(const std::string& value, const std::string& type) {
  if (type.empty()) return value;
  if (type == "to_json") return fmt::format("to_json({})", value);
  return fmt::format("CAST({} AS {})", value, type);
}

bool reads_only(const std::vector<std::size_t>& inputs, const std::vector<std::size_t>& allowed) {
  return std::includes(allowed.begin(), allowed.end(), inputs.begin(), inputs.end());
}

}  // namespace

std::string to_string(const TextPlace& place) {
  return fmt::format("line {}, column {}", place.line, place.column);
}
std::string quoted(std::string_view name) { return enclosed(name, '"'); }
std::string literal(std::string_view text) { return enclosed(text, '\''); }

std::vector<std::size_t> inputs_of(const Mapping& mapping, const Mapping::Output& output) {
  if (const auto* copy = std::get_if<Mapping::Copy>(&output.from)) return {copy->column};
  return mapping.expressions[std::get<Mapping::Computed>(output.from).expression].inputs;
}

std::vector<std::size_t> closure(const Mapping& mapping, const std::vector<std::size_t>& wanted) {
  std::set<std::size_t> all;
  std::vector<std::size_t> open = wanted;
  while (!open.empty()) {
    const auto next = open.back();
    open.pop_back();
    if (!all.insert(next).second) continue;
    const auto& uses = mapping.expressions[next].uses;
    open.insert(open.end(), uses.begin(), uses.end());
  }
  return {all.begin(), all.end()};
}

std::vector<bool> output_key(const Mapping& mapping, const TableSchema& input) {
  std::vector<bool> in_key(mapping.outputs.size());
  const auto key = input.key();
  std::set<std::size_t> copied;
  for (const bool same_name : {true, false}) {
    for (std::size_t i = 0; i < mapping.outputs.size(); ++i) {
      const auto* copy = std::get_if<Mapping::Copy>(&mapping.outputs[i].from);
      if (copy == nullptr || !input.columns[copy->column].in_key) continue;
      if (same_name && input.columns[copy->column].name != mapping.outputs[i].name) continue;
      if (copied.insert(copy->column).second) in_key[i] = true;
    }
  }
  if (copied.size() == key.size()) return in_key;
  std::set<std::size_t> read;
  for (std::size_t i = 0; i < mapping.outputs.size(); ++i) {
    const auto inputs = inputs_of(mapping, mapping.outputs[i]);
    in_key[i] = !inputs.empty() && reads_only(inputs, key);
    if (in_key[i]) read.insert(inputs.begin(), inputs.end());
  }
  if (read.size() != key.size()) in_key.assign(in_key.size(), false);
  return in_key;
}

std::string select(const Mapping& mapping, const std::vector<std::size_t>& wanted,
                   const std::vector<std::string>& casts, const std::string& source) {
  const auto needed = closure(mapping, wanted);
  std::vector<std::size_t> level(mapping.expressions.size(), 0);
  std::size_t levels = 0;
  for (const auto each : needed) {
    for (const auto used : mapping.expressions[each].uses)
      level[each] = std::max(level[each], level[used] + 1);
    levels = std::max(levels, level[each] + 1);
  }
  auto sql = fmt::format("{} AS {}", source, quoted(mapping.relation));
  for (std::size_t at = 0; at < levels; ++at) {
    std::string list = "*";
    for (const auto each : needed) {
      const auto& expression = mapping.expressions[each];
      if (level[each] == at) list += fmt::format(", ({}) AS {}", expression.sql, quoted(expression.name));
    }
    sql = fmt::format("(SELECT {} FROM {}) AS {}", list, sql, quoted(mapping.relation));
  }
  std::string list;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto value = cast(quoted(mapping.expressions[wanted[i]].name), casts.empty() ? "" : casts[i]);
    list += fmt::format("{}{} AS c{}", i == 0 ? "" : ", ", value, i);
  }
  return fmt::format("SELECT {} FROM {}", list, sql);
}

}  // namespace maia::transforms
