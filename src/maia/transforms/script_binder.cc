// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/script_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "maia/config/nearest.h"

namespace maia::transforms {
namespace {

bool is_symbol(const std::vector<Token>& tokens, std::size_t at, char c) {
  return at < tokens.size() && tokens[at].kind == Token::Kind::symbol && tokens[at].text[0] == c;
}
bool is_any_name(const std::vector<Token>& tokens, std::size_t at) {
  return at < tokens.size() &&
         (tokens[at].kind == Token::Kind::name || tokens[at].kind == Token::Kind::quoted_name);
}

void add_sorted(std::vector<std::size_t>& into, std::size_t value) {
  const auto place = std::lower_bound(into.begin(), into.end(), value);
  if (place == into.end() || *place != value) into.insert(place, value);
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

ScriptBinder::ScriptBinder(const Script& script, const TableSchema& input) : script_(script), input_(input) {
  // DuckDB does not tell names apart by case, but sources do; a number makes such names differ.
  std::set<std::string> taken;
  for (const auto& each : input.columns) {
    auto name = "in." + each.name;
    const auto folded = [&] {
      std::string lower = name;
      for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      return lower;
    };
    for (int n = 2; !taken.insert(folded()).second; ++n) name = fmt::format("in.{} ({})", each.name, n);
    mapping_.column_names.push_back(name);
  }
}

Result<Mapping> ScriptBinder::bind() {
  for (const auto& statement : script_.statements_) {
    if (const auto* assigned = std::get_if<Script::Assign>(&statement.what)) {
      MAIA_TRY(assign(assigned->name, assigned->value));
    } else if (const auto* let = std::get_if<Script::Let>(&statement.what)) {
      locals_.insert_or_assign(let->name, MAIA_TRY(expression("let " + let->name, let->value)));
    } else if (const auto* dropped = std::get_if<Script::Drop>(&statement.what)) {
      MAIA_TRY(drop(statement.place, dropped->names));
    } else if (const auto* condition = std::get_if<Script::Filter>(&statement.what)) {
      MAIA_TRY(filter(condition->condition));
    } else {
      for (std::size_t i = 0; i < input_.columns.size(); ++i) {
        auto* known = find_output(input_.columns[i].name);
        if (known != nullptr) {
          known->from = Mapping::Copy{i};
        } else {
          mapping_.outputs.push_back({input_.columns[i].name, Mapping::Copy{i}});
        }
      }
    }
  }
  if (mapping_.outputs.empty()) {
    return script_error(script_.statements_.back().place, "the script leaves no column",
                        "assign at least one, such as out.id = in.id, or begin with out = in");
  }
  return std::move(mapping_);
}

Status ScriptBinder::assign(const std::string& name, const std::vector<Token>& value) {
  const auto meaning = MAIA_TRY(expression("out." + name, value));
  if (auto* known = find_output(name)) {
    known->from = meaning;
  } else {
    mapping_.outputs.push_back({name, meaning});
  }
  return {};
}

Status ScriptBinder::drop(const TextPlace& place, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (find_output(name) == nullptr) {
      std::vector<std::string> known;
      for (const auto& output : mapping_.outputs) known.push_back(output.name);
      return script_error(place, fmt::format("there is no out.{} to drop", name),
                          config::did_you_mean(name, known));
    }
    std::erase_if(mapping_.outputs, [&](const auto& output) { return output.name == name; });
  }
  return {};
}

Status ScriptBinder::filter(const std::vector<Token>& condition) {
  const auto meaning = MAIA_TRY(expression("filter", condition));
  Expression all;
  all.place = condition.front().place;
  all.name = fmt::format("filters {}", mapping_.expressions.size());
  if (mapping_.filter) {
    read(Mapping::Computed{*mapping_.filter}, all);
    all.sql += " AND ";
  }
  read(meaning, all);
  if (!mapping_.filter && std::holds_alternative<Mapping::Computed>(meaning)) {
    mapping_.filter = std::get<Mapping::Computed>(meaning).expression;
    return {};
  }
  mapping_.expressions.push_back(std::move(all));
  mapping_.filter = mapping_.expressions.size() - 1;
  return {};
}

Mapping::Output* ScriptBinder::find_output(std::string_view name) {
  for (auto& output : mapping_.outputs) {
    if (output.name == name) return &output;
  }
  return nullptr;
}

Result<ScriptBinder::Meaning> ScriptBinder::expression(const std::string& name,
                                                       const std::vector<Token>& tokens) {
  Expression made;
  made.place = tokens.front().place;
  made.name = fmt::format("{} #{}", name, mapping_.expressions.size() + 1);
  for (std::size_t at = 0; at < tokens.size();) {
    if (tokens[at].spaced && at > 0) made.sql += ' ';
    MAIA_TRY(word(tokens, at, made));
  }
  // Nothing but one name: no need to compute.
  for (const auto input : made.inputs) {
    if (made.uses.empty() && made.sql == quoted(mapping_.column_names[input]))
      return Meaning(Mapping::Copy{input});
  }
  for (const auto used : made.uses) {
    if (made.sql == quoted(mapping_.expressions[used].name)) return Meaning(Mapping::Computed{used});
  }
  mapping_.expressions.push_back(std::move(made));
  return Meaning(Mapping::Computed{mapping_.expressions.size() - 1});
}

Status ScriptBinder::word(const std::vector<Token>& tokens, std::size_t& at, Expression& into) {
  const auto& token = tokens[at];
  const bool first_part = at == 0 || !is_symbol(tokens, at - 1, '.');
  if (token.kind == Token::Kind::name && first_part) {
    if (same_word(token.text, "in") && is_symbol(tokens, at + 1, '.')) return input_column(tokens, at, into);
    if (same_word(token.text, "out") && is_symbol(tokens, at + 1, '.'))
      return output_column(tokens, at, into);
    const bool call = is_symbol(tokens, at + 1, '(');
    if (const auto local = locals_.find(token.text); !call && local != locals_.end()) {
      read(local->second, into);
      ++at;
      return {};
    }
    if (call && (same_word(token.text, "try") || same_word(token.text, "json"))) into.sql += "maia_";
  }
  const auto internal = [&](std::string_view prefix) { return token.text.starts_with(prefix); };
  if (token.kind == Token::Kind::quoted_name && (internal("in.") || internal("out.") || internal("let "))) {
    return script_error(token.place, fmt::format("there is no \"{}\"", token.text),
                        "write a column of the input as in.\"name\", without quotes around both");
  }
  into.sql += token.kind == Token::Kind::quoted_name ? quoted(token.text) : token.text;
  ++at;
  return {};
}

Status ScriptBinder::input_column(const std::vector<Token>& tokens, std::size_t& at, Expression& into) {
  if (!is_any_name(tokens, at + 2)) {
    return script_error(tokens[at].place, "the name of a column is expected after 'in.'");
  }
  const auto index = MAIA_TRY(column(tokens[at + 2]));
  at += 3;
  add_sorted(into.inputs, index);
  const auto name = quoted(mapping_.column_names[index]);
  const bool deeper =
      is_symbol(tokens, at, '.') && is_any_name(tokens, at + 1) && !is_symbol(tokens, at + 2, '(');
  const bool is_json = input_.columns[index].type.id == TypeId::json;
  if (is_json && (deeper || is_symbol(tokens, at, '['))) {
    into.sql += fmt::format("json_extract_string({}, {})", name, literal(MAIA_TRY(json_path(tokens, at))));
    return {};
  }
  if (deeper) {
    return script_error(tokens[at].place,
                        fmt::format("in.{} is not JSON, so it has no parts", input_.columns[index].name),
                        "parse text first: json(in.column, '$.part')");
  }
  into.sql += name;
  return {};
}

Status ScriptBinder::output_column(const std::vector<Token>& tokens, std::size_t& at, Expression& into) {
  if (!is_any_name(tokens, at + 2)) {
    return script_error(tokens[at].place, "the name of a column is expected after 'out.'");
  }
  const auto& name = tokens[at + 2];
  const auto* output = find_output(name.text);
  if (output == nullptr) {
    std::vector<std::string> known;
    for (const auto& each : mapping_.outputs) known.push_back(each.name);
    auto hint = config::did_you_mean(name.text, known);
    if (hint.empty()) hint = "a line can read only what lines above it have assigned";
    return script_error(name.place, fmt::format("there is no out.{} yet", name.text), std::move(hint));
  }
  read(output->from, into);
  at += 3;
  return {};
}

Result<std::size_t> ScriptBinder::column(const Token& name) const {
  if (const auto found = input_.find(name.text)) return *found;
  std::vector<std::string> known;
  for (const auto& each : input_.columns) known.push_back(each.name);
  auto hint = config::did_you_mean(name.text, known);
  if (hint.empty()) hint = "its columns are " + config::listed(known);
  return script_error(name.place,
                      fmt::format("the table {} has no column '{}'", to_string(input_.name), name.text),
                      std::move(hint));
}

Result<std::string> ScriptBinder::json_path(const std::vector<Token>& tokens, std::size_t& at) const {
  std::string path = "$";
  for (;;) {
    if (is_symbol(tokens, at, '.') && is_any_name(tokens, at + 1) && !is_symbol(tokens, at + 2, '(')) {
      const auto& part = tokens[at + 1].text;
      if (part.find('"') != part.npos) {
        return script_error(tokens[at + 1].place, "a JSON path cannot hold a double quote");
      }
      path += fmt::format(".\"{}\"", part);
      at += 2;
    } else if (is_symbol(tokens, at, '[') && at + 2 < tokens.size() &&
               tokens[at + 1].kind == Token::Kind::number && is_symbol(tokens, at + 2, ']')) {
      path += fmt::format("[{}]", tokens[at + 1].text);
      at += 3;
    } else if (is_symbol(tokens, at, '[')) {
      return script_error(tokens[at].place, "an element of a JSON array is named by a number, from 0");
    } else {
      return path;
    }
  }
}

void ScriptBinder::read(const Meaning& meaning, Expression& into) {
  if (const auto* copy = std::get_if<Mapping::Copy>(&meaning)) {
    add_sorted(into.inputs, copy->column);
    into.sql += quoted(mapping_.column_names[copy->column]);
    return;
  }
  const auto index = std::get<Mapping::Computed>(meaning).expression;
  add_sorted(into.uses, index);
  const auto& used = mapping_.expressions[index];
  for (const auto input : used.inputs) add_sorted(into.inputs, input);
  into.sql += quoted(used.name);
}

}  // namespace maia::transforms
