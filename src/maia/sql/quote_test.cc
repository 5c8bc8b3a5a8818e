// SPDX-License-Identifier: Apache-2.0
#include "maia/sql/quote.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>
#include <optional>

namespace maia::sql {
namespace {

using Quote = Result<std::string> (*)(std::string_view);

/// Reads SQL source as a server's lexer does; nothing if it is not exactly one quoted token.
std::optional<std::string> read_token(std::string_view sql, char quote, bool backslashes) {
  if (sql.size() < 2 || sql.front() != quote) return std::nullopt;
  std::string text;
  for (std::size_t i = 1; i < sql.size(); ++i) {
    if (backslashes && sql[i] == '\\') {
      if (++i == sql.size() || sql[i] != '\\') return std::nullopt;
    } else if (sql[i] == quote) {
      if (i + 1 == sql.size()) return text;
      if (sql[++i] != quote) return std::nullopt;
    }
    text += sql[i];
  }
  return std::nullopt;
}

std::optional<std::string> read_identifier(std::string_view sql) { return read_token(sql, '"', false); }
std::optional<std::string> read_duckdb_literal(std::string_view sql) { return read_token(sql, '\'', false); }
std::optional<std::string> read_postgres_literal(std::string_view sql) {
  if (sql.starts_with(" E")) return read_token(sql.substr(2), '\'', true);
  if (sql.find('\\') != sql.npos) return std::nullopt;
  return read_token(sql, '\'', false);
}

rc::Gen<std::string> hostile_text() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
          "a", "B", "\"", "\"\"", "'", "''", "\\", "\\\\", "\n", "\t", "\r", ".", ";", "--", "/*", "*/", " ",
          "$$", "E'", "U&", "ä", "水", "🦆", "\xcc\x88", "{", "}", ",", "%s", "\x7f", "\x01")),
      [](const std::vector<std::string>& pieces) {
        std::string text;
        for (const auto& piece : pieces) text += piece;
        return text;
      });
}

void reads_back(Quote quote, const std::function<std::optional<std::string>(std::string_view)>& read,
                std::size_t longest) {
  const bool good = rc::check([&] {
    for (const auto& text : *rc::gen::container<std::vector<std::string>>(1000, hostile_text())) {
      const auto sql = quote(text);
      if (text.size() > longest || (text.empty() && !quote("").ok())) {
        RC_ASSERT(!sql.ok());
        continue;
      }
      RC_ASSERT(sql.ok());
      RC_ASSERT(read(*sql) == text);
    }
  });
  EXPECT_TRUE(good);
}

TEST(Quote, each_postgres_identifier_reads_back_as_itself) {
  reads_back(postgres_identifier, read_identifier, 63);
}
TEST(Quote, each_duckdb_identifier_reads_back_as_itself) {
  reads_back(duckdb_identifier, read_identifier, 1 << 20);
}
TEST(Quote, each_postgres_literal_reads_back_as_itself) {
  reads_back(postgres_literal, read_postgres_literal, 1 << 20);
}
TEST(Quote, each_duckdb_literal_reads_back_as_itself) {
  reads_back(duckdb_literal, read_duckdb_literal, 1 << 20);
}

TEST(Quote, quotes_are_part_of_the_name) {
  EXPECT_EQ(*postgres_identifier("\"a\""), "\"\"\"a\"\"\"");
  EXPECT_EQ(*duckdb_identifier("\"a\""), "\"\"\"a\"\"\"");
  EXPECT_EQ(*postgres_identifier("select"), "\"select\"");
}

TEST(Quote, backslashes_mean_themselves) {
  EXPECT_EQ(*postgres_literal("a\\'b"), " E'a\\\\''b'");
  EXPECT_EQ(*postgres_literal("it's"), "'it''s'");
  EXPECT_EQ(*duckdb_literal("a\\'b"), "'a\\''b'");
}

TEST(Quote, names_and_texts_of_mysql_read_back_as_themselves) {
  EXPECT_EQ(*mysql_identifier("a`b\"c"), "`a``b\"c`");
  EXPECT_EQ(*mysql_table({"d.b", "t"}), "`d.b`.`t`");
  EXPECT_EQ(*mysql_literal(std::string_view("a\\'b\0c", 6)), "'a\\\\''b\\0c'");
  EXPECT_TRUE(mysql_identifier("\u00e4" + std::string(63, 'x')).ok());
  for (const auto& bad : {std::string(), std::string(65, 'x'), std::string("blank "),
                          std::string("\U0001f986"), std::string("a\0b", 3), std::string("\xff")})
    EXPECT_FALSE(mysql_identifier(bad).ok());
  EXPECT_FALSE(mysql_literal("\xff").ok());
}

TEST(Quote, empty_text_is_a_literal_but_no_name) {
  EXPECT_EQ(*postgres_literal(""), "''");
  EXPECT_EQ(*duckdb_literal(""), "''");
  EXPECT_EQ(postgres_identifier("").error().code, Error::Code::data);
  EXPECT_EQ(duckdb_identifier("").error().code, Error::Code::data);
}

TEST(Quote, nul_and_invalid_utf8_are_refused) {
  for (const Quote quote : {postgres_identifier, postgres_literal, duckdb_identifier, duckdb_literal}) {
    for (const std::string_view bad :
         {std::string_view("a\0b", 3), std::string_view("\xff"), std::string_view("\xc3"),
          std::string_view("\xed\xa0\x80"), std::string_view("\xc0\xaf")}) {
      const auto sql = quote(bad);
      ASSERT_FALSE(sql.ok());
      EXPECT_EQ(sql.error().code, Error::Code::data);
    }
  }
}

TEST(Quote, a_name_that_postgres_would_cut_is_refused) {
  EXPECT_TRUE(postgres_identifier(std::string(63, 'x')).ok());
  const auto cut = postgres_identifier(std::string(64, 'x'));
  ASSERT_FALSE(cut.ok());
  EXPECT_NE(cut.error().message.find("64 bytes"), std::string::npos);
  EXPECT_FALSE(cut.error().hint.empty());
  EXPECT_FALSE(postgres_identifier("a" + std::string(62, 'x') + "ä").ok());
  EXPECT_TRUE(duckdb_identifier(std::string(500, 'x')).ok());
}

TEST(Quote, a_table_has_its_schema_in_front_if_there_is_one) {
  EXPECT_EQ(*postgres_table({"a.b", "c\""}), "\"a.b\".\"c\"\"\"");
  EXPECT_EQ(*postgres_table({"", "t"}), "\"t\"");
  EXPECT_EQ(*duckdb_table({"main", "t"}), "\"main\".\"t\"");
  EXPECT_FALSE(duckdb_table({"main", ""}).ok());
  EXPECT_FALSE(postgres_table({std::string(64, 's'), "t"}).ok());
}

}  // namespace
}  // namespace maia::sql
