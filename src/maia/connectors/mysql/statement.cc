// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/statement.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace maia::mysql {
namespace {

using Kind = Statement::Kind;

/// A word, a quoted name or text, or one other character.
struct Token {
  std::string text;
  bool quoted = false;
};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

/// Cuts a statement into tokens. Comments are left out, but what stands in one for a server to execute is in.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : rest_(text) {}

  std::optional<Token> next() {
    skip_blanks();
    if (rest_.empty()) return {};
    const char first = rest_.front();
    if (first == '`' || first == '"' || first == '\'') return quoted(first);
    std::size_t end = 0;
    while (end < rest_.size() && is_word(rest_[end])) ++end;
    end = std::max<std::size_t>(end, 1);
    Token token{std::string(rest_.substr(0, end)), false};
    rest_.remove_prefix(end);
    return token;
  }

 private:
  void skip_blanks() {
    for (;;) {
      while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0)
        rest_.remove_prefix(1);
      if (rest_.starts_with("/*!") || rest_.starts_with("/*M!")) {
        rest_.remove_prefix(rest_.find('!') + 1);
        while (!rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_.front())) != 0)
          rest_.remove_prefix(1);
      } else if (rest_.starts_with("*/")) {
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("/*")) {
        skip_to("*/");
      } else if (rest_.starts_with("#") || rest_.starts_with("-- ")) {
        skip_to("\n");
      } else {
        return;
      }
    }
  }
  void skip_to(std::string_view end) {
    const auto at = rest_.find(end);
    rest_.remove_prefix(at == rest_.npos ? rest_.size() : at + end.size());
  }
  Token quoted(char quote) {
    Token token{"", true};
    std::size_t at = 1;
    for (; at < rest_.size(); ++at) {
      if (rest_[at] == '\\' && quote != '`' && at + 1 < rest_.size()) {
        ++at;
      } else if (rest_[at] == quote) {
        if (at + 1 >= rest_.size() || rest_[at + 1] != quote) break;
        ++at;
      }
      token.text += rest_[at];
    }
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
    return token;
  }

  std::string_view rest_;
};

class Reader {
 public:
  Reader(std::string_view text, std::string_view database) : tokens_(text), database_(database) { advance(); }

  Statement read() {
    if (take("BEGIN")) return of(Kind::begin);
    if (take("COMMIT")) return of(Kind::commit);
    if (take("SAVEPOINT")) return named(Kind::savepoint);
    if (take("ROLLBACK"))
      return take("TO") ? (take("SAVEPOINT"), named(Kind::rollback_to)) : of(Kind::rollback);
    if (take("XA")) return read_xa();
    if (take("TRUNCATE")) {
      take("TABLE");
      return with_tables(Kind::truncate);
    }
    if (take("DROP")) return read_drop();
    if (take("CREATE")) return read_create();
    if (take("RENAME") && (take("TABLE") || take("TABLES"))) return read_rename();
    if (take("ALTER")) return read_alter();
    return of(Kind::other);
  }

 private:
  void advance() { now_ = tokens_.next(); }
  bool is(std::string_view word) const {
    return now_ && !now_->quoted &&
           std::equal(word.begin(), word.end(), now_->text.begin(), now_->text.end(),
                      [](char a, char b) { return a == std::toupper(static_cast<unsigned char>(b)); });
  }
  bool take(std::string_view word) {
    if (!is(word)) return false;
    advance();
    return true;
  }
  static Statement of(Kind kind) {
    Statement statement;
    statement.kind = kind;
    return statement;
  }
  Statement named(Kind kind) {
    auto statement = of(kind);
    if (now_) statement.name = now_->text;
    return statement;
  }
  /// A table's name, perhaps with that of its database in front.
  std::optional<TableName> take_table() {
    if (!now_ || (!now_->quoted && !is_word(now_->text.front()))) return {};
    TableName name{database_, now_->text};
    advance();
    if (!take(".")) return name;
    if (!now_) return {};
    name.schema = std::exchange(name.table, now_->text);
    advance();
    return name;
  }
  Statement with_tables(Kind kind) {
    auto statement = of(kind);
    do {
      auto name = take_table();
      if (!name) {
        statement.unclear = true;
        break;
      }
      statement.tables.push_back(*std::move(name));
    } while (take(","));
    return statement;
  }
  void take_if_exists() {
    if (take("IF")) {
      take("NOT");
      take("EXISTS");
    }
  }
  Statement read_drop() {
    if (take("DATABASE") || take("SCHEMA")) {
      take_if_exists();
      return named(Kind::drop_database);
    }
    if (take("TEMPORARY")) return of(Kind::other);
    if (!take("TABLE") && !take("TABLES")) return of(Kind::other);
    take_if_exists();
    return with_tables(Kind::drop_table);
  }
  Statement read_create() {
    if (take("OR")) take("REPLACE");
    if (!take("TABLE")) return of(Kind::other);
    auto statement = of(Kind::create_table);
    statement.if_not_exists = is("IF");
    take_if_exists();
    if (auto name = take_table()) statement.tables.push_back(*std::move(name));
    return statement;
  }
  Statement read_rename() {
    auto statement = of(Kind::rename_table);
    take_if_exists();
    do {
      auto from = take_table();
      const bool to_follows = take("TO");
      auto to = take_table();
      if (!from || !to_follows || !to) {
        statement.unclear = true;
        break;
      }
      statement.tables.push_back(*std::move(from));
      statement.to.push_back(*std::move(to));
    } while (take(","));
    return statement;
  }
  Statement read_alter() {
    take("ONLINE");
    take("IGNORE");
    if (!take("TABLE")) return of(Kind::other);
    take_if_exists();
    auto statement = of(Kind::alter_table);
    auto name = take_table();
    if (!name) {
      statement.unclear = true;
      return statement;
    }
    statement.tables.push_back(*name);
    while (now_) {
      if (take("CHANGE")) {
        statement.renames_columns = true;
      } else if (take("RENAME")) {
        if (take("COLUMN")) {
          statement.renames_columns = true;
        } else if (!is("INDEX") && !is("KEY")) {
          if (!take("TO")) take("AS");
          if (auto to = take_table()) statement.to.push_back(*std::move(to));
        }
      } else {
        advance();
      }
    }
    return statement;
  }
  Statement read_xa() {
    const auto kind = take("START") || take("BEGIN") ? Kind::xa_start
                      : take("END")                  ? Kind::xa_end
                      : take("COMMIT")               ? Kind::xa_commit
                      : take("ROLLBACK")             ? Kind::xa_rollback
                                                     : Kind::other;
    auto statement = of(kind);
    // X'67',X'62',1 with any case, as the log has it.
    std::string xid;
    for (; now_; advance()) {
      if (is("ONE") || is("JOIN") || is("RESUME") || is("SUSPEND")) break;
      auto text = now_->text;
      std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
      xid += now_->quoted ? "'" + text + "'" : text;
    }
    statement.name = xid;
    return statement;
  }

  Tokens tokens_;
  std::string database_;
  std::optional<Token> now_;
};

}  // namespace

Statement read_statement(std::string_view text, std::string_view database) {
  return Reader(text, database).read();
}

}  // namespace maia::mysql
