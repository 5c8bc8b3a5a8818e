// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/sql_select.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "maia/config/nearest.h"
#include "maia/transforms/script_binder.h"
#include "maia/transforms/sql_tree.h"

namespace maia::transforms {
namespace {

Error refused(std::string what, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(what), std::move(hint)};
}

}  // namespace

/// Takes a SELECT out of DuckDB's syntax tree.
class SqlSelectReader {
 public:
  SqlSelectReader(duckdb_connection connection, const std::set<std::string>& aggregates)
      : connection_(connection), aggregates_(aggregates) {}

  Result<SqlSelect> read(SqlNode select) {
    MAIA_TRY(check_shape(select));
    MAIA_TRY(check_from(select["from_table"]));
    for (const auto each : list_of(select, "select_list")) MAIA_TRY(item(each));
    if (!is_null(select, "where_clause")) out_.filter_ = MAIA_TRY(value(select["where_clause"]));
    for (const auto& each : out_.items_) {
      if (const auto* star = std::get_if<SqlSelect::Star>(&each.what)) {
        out_.reads_.insert(star->excluded.begin(), star->excluded.end());
      } else if (const auto* plain = std::get_if<SqlSelect::Plain>(&each.what)) {
        out_.reads_.insert(plain->column);
      }
    }
    return std::move(out_);
  }

 private:
  static Status check_shape(SqlNode select) {
    const auto one_row = [](std::string what) {
      return refused(std::move(what), "a transform turns each row into one row; filter rows with WHERE");
    };
    if (text_of(select, "type") != "SELECT_NODE")
      return one_row("UNION and the like combine several queries");
    if (!list_of(select, "modifiers").empty())
      return one_row("DISTINCT, ORDER BY and LIMIT look at several rows");
    if (!list_of(select, "group_expressions").empty() || !list_of(select, "group_sets").empty() ||
        text_of(select, "aggregate_handling") != "STANDARD_HANDLING" || !is_null(select, "having")) {
      return one_row("GROUP BY and HAVING look at several rows");
    }
    if (!is_null(select, "qualify")) return one_row("QUALIFY looks at several rows");
    if (!is_null(select, "sample")) return one_row("a sample leaves rows out by chance");
    if (!list_of(select["cte_map"], "map").empty()) return one_row("WITH makes further queries");
    return {};
  }

  Status check_from(SqlNode from) {
    const auto type = text_of(from, "type");
    if (type != "BASE_TABLE" || !same_word(text_of(from, "table_name"), "input") ||
        !text_of(from, "schema_name").empty() || !is_null(from, "sample") ||
        !list_of(from, "column_name_alias").empty()) {
      return refused("a transform reads FROM input and from nothing else",
                     type == "JOIN" ? "join at the destination" : "write for example: SELECT * FROM input");
    }
    if (const auto alias = text_of(from, "alias"); !alias.empty()) out_.relation_ = alias;
    return {};
  }

  Status item(SqlNode node) {
    const auto kind = text_of(node, "class");
    if (kind == "STAR") return star(node);
    auto alias = text_of(node, "alias");
    auto names = MAIA_TRY(row_wise_names(node, aggregates_));
    if (kind == "COLUMN_REF" &&
        (names[0].size() == 1 || (names[0].size() == 2 && is_relation(names[0][0])))) {
      auto column = names[0].back();
      if (alias.empty()) alias = column;
      out_.items_.push_back({std::move(alias), SqlSelect::Plain{std::move(column)}});
      return {};
    }
    auto made = MAIA_TRY(value(node));
    if (alias.empty()) {
      return refused(fmt::format("the expression {} has no name", made.sql),
                     "add AS and the name of the column");
    }
    out_.items_.push_back({std::move(alias), std::move(made)});
    return {};
  }

  Status star(SqlNode node) {
    bool columns = false;
    if (node["columns"].get(columns) != simdjson::SUCCESS || columns || !is_null(node, "expr")) {
      return refused("COLUMNS() is not available in transforms", "name the columns, or write *");
    }
    if (!list_of(node, "rename_list").empty() || !list_of(node, "qualified_exclude_list").empty()) {
      return refused("RENAME and qualified names are not available behind *", "write * EXCLUDE (a), a AS b");
    }
    SqlSelect::Star made;
    for (const auto each : list_of(node, "exclude_list")) made.excluded.emplace(std::string_view(each));
    std::vector<SqlSelect::Item> replaced;
    for (const auto each : list_of(node, "replace_list")) {
      auto made_value = MAIA_TRY(value(each["value"]));
      replaced.push_back({text_of(each, "key"), std::move(made_value)});
    }
    out_.items_.push_back({"", std::move(made)});
    // Later items of the same name take the place of the star's.
    std::move(replaced.begin(), replaced.end(), std::back_inserter(out_.items_));
    return {};
  }

  Result<SqlSelect::Value> value(SqlNode node) {
    SqlSelect::Value made;
    for (const auto& parts : MAIA_TRY(row_wise_names(node, aggregates_))) {
      const bool qualified = parts.size() > 1 && is_relation(parts[0]);
      made.names.push_back(parts[qualified ? 1 : 0]);
      const auto is_alias = [&](const auto& each) { return same_word(each.alias, made.names.back()); };
      if (std::none_of(out_.items_.begin(), out_.items_.end(), is_alias))
        out_.reads_.insert(made.names.back());
    }
    made.sql = MAIA_TRY(expression_sql(connection_, node));
    return made;
  }

  bool is_relation(std::string_view name) const { return same_word(name, out_.relation_); }

  duckdb_connection connection_;
  const std::set<std::string>& aggregates_;
  SqlSelect out_;
};

/// Gives the names of a SELECT their meaning for one table.
class SqlSelectBinder {
 public:
  SqlSelectBinder(const SqlSelect& select, const TableSchema& input) : select_(select), input_(input) {
    mapping_.relation = select.relation_;
    for (const auto& column : input.columns) mapping_.column_names.push_back(column.name);
  }

  Result<Mapping> bind() {
    for (const auto& item : select_.items_) MAIA_TRY(add(item));
    if (select_.filter_) mapping_.filter = MAIA_TRY(computed("where", *select_.filter_));
    return std::move(mapping_);
  }

 private:
  Status add(const SqlSelect::Item& item) {
    if (const auto* star = std::get_if<SqlSelect::Star>(&item.what)) {
      for (const auto& name : star->excluded) MAIA_TRY(column(name));
      for (std::size_t i = 0; i < input_.columns.size(); ++i) {
        const auto& name = input_.columns[i].name;
        const auto is = [&](const auto& excluded) { return same_word(excluded, name); };
        if (std::none_of(star->excluded.begin(), star->excluded.end(), is)) put(name, Mapping::Copy{i});
      }
      return {};
    }
    if (const auto* plain = std::get_if<SqlSelect::Plain>(&item.what)) {
      if (const auto alias = aliases_.find(plain->column); !find(plain->column) && alias != aliases_.end()) {
        put(item.alias, Mapping::Computed{alias->second});
        return {};
      }
      const auto index = MAIA_TRY(column(plain->column));
      put(item.alias, Mapping::Copy{index});
      return {};
    }
    const auto made = MAIA_TRY(computed(item.alias, std::get<SqlSelect::Value>(item.what)));
    aliases_[item.alias] = made;
    put(item.alias, Mapping::Computed{made});
    return {};
  }

  template <class From>
  void put(const std::string& name, From from) {
    for (auto& output : mapping_.outputs) {
      if (output.name == name) {
        output.from = from;
        return;
      }
    }
    mapping_.outputs.push_back({name, from});
  }

  Result<std::size_t> computed(const std::string& name, const SqlSelect::Value& value) {
    Expression made;
    std::set<std::size_t> inputs;
    std::set<std::size_t> uses;
    for (const auto& read : value.names) {
      const auto alias = aliases_.find(read);
      if (find(read) || alias == aliases_.end()) {
        inputs.insert(MAIA_TRY(column(read)));
      } else {
        uses.insert(alias->second);
        const auto& through = mapping_.expressions[alias->second].inputs;
        inputs.insert(through.begin(), through.end());
      }
    }
    // Later items may read it by its alias, unless a column has that name.
    made.name = find(name) ? fmt::format("{} #{}", name, mapping_.expressions.size() + 1) : name;
    made.sql = value.sql;
    made.inputs.assign(inputs.begin(), inputs.end());
    made.uses.assign(uses.begin(), uses.end());
    mapping_.expressions.push_back(std::move(made));
    return mapping_.expressions.size() - 1;
  }

  /// As written, or without regard to case as SQL does.
  std::optional<std::size_t> find(const std::string& name) const {
    if (const auto exact = input_.find(name)) return exact;
    for (std::size_t i = 0; i < input_.columns.size(); ++i) {
      if (same_word(input_.columns[i].name, name)) return i;
    }
    return {};
  }

  Result<std::size_t> column(const std::string& name) const {
    if (const auto found = find(name)) return *found;
    std::vector<std::string> known;
    for (const auto& each : input_.columns) known.push_back(each.name);
    auto hint = config::did_you_mean(name, known);
    if (hint.empty()) hint = "its columns are " + config::listed(known);
    return refused(fmt::format("the table {} has no column '{}'", to_string(input_.name), name),
                   std::move(hint));
  }

  const SqlSelect& select_;
  const TableSchema& input_;
  Mapping mapping_;
  std::map<std::string, std::size_t> aliases_;
};

Result<SqlSelect> SqlSelect::parse(Sandbox& sandbox, std::string_view sql) {
  const auto connection = MAIA_TRY(sandbox.connect());
  const auto tree = MAIA_TRY(SqlTree::parse(connection.get(), sql));
  SqlSelectReader reader(connection.get(), sandbox.aggregates());
  try {
    return reader.read(tree.select());
  } catch (const simdjson::simdjson_error& error) {
    return Error{Error::Code::internal, Recovery::halt,
                 fmt::format("DuckDB's syntax tree has an unknown shape: {}", error.what()), ""};
  }
}

Result<Mapping> SqlSelect::bind(const TableSchema& input) const {
  return SqlSelectBinder(*this, input).bind();
}

}  // namespace maia::transforms
