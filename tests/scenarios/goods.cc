// SPDX-License-Identifier: Apache-2.0
#include "goods.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <random>

namespace maia::tests {
namespace {

using simdjson::dom::element;
using Value = std::optional<std::string>;

/// Its columns but the id, in order.
enum Column : std::size_t { n, wide, price, ratio, flag, name, made, moment, day, doc, raw, note, kColumns };
constexpr const char* kNames[kColumns] = {"n",    "wide",   "price", "ratio", "flag", "name",
                                          "made", "moment", "day",   "doc",   "raw",  "note"};
constexpr std::string_view kUnavailable = "__debezium_unavailable_value";

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

/// JSON with the members of each object in one order, for systems may keep another.
std::string canonical_json(element value) {
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const auto item : value.get_array()) items.push_back(canonical_json(item));
    return fmt::format("[{}]", fmt::join(items, ","));
  }
  if (!value.is_object()) return simdjson::minify(value);
  std::map<std::string, std::string> members;
  for (const auto [key, member] : value.get_object()) members[std::string(key)] = canonical_json(member);
  return fmt::format("{}", members);
}

/// Of a text as the systems print it.
std::string canonical(std::size_t column, const std::string& text) {
  if (column == ratio) return fmt::format("{:a}", std::strtod(text.c_str(), nullptr));
  if (column != doc) return text;
  simdjson::dom::parser parser;
  element value;
  return parser.parse(text).get(value) == simdjson::SUCCESS ? canonical_json(value) : "no JSON: " + text;
}

std::string bytes_of_base64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  const auto size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  const auto padding = static_cast<std::size_t>(std::count(text.begin(), text.end(), '='));
  bytes.resize(static_cast<std::size_t>(std::max(size, 0)) - padding);
  return bytes;
}

/// A value of an envelope in the form of the systems' text.
std::string text_of(std::size_t column, element value) {
  if (value.is_bool()) return bool(value) ? "1" : "0";
  if (!value.is_string()) return simdjson::minify(value);
  std::string text(std::string_view{value});
  if (column == raw) return hex(bytes_of_base64(text));
  if (column != made && column != moment) return text;
  if (text.ends_with('Z')) text.pop_back();
  std::replace(text.begin(), text.end(), 'T', ' ');
  if (text.find('.') == text.npos) text += '.';
  text.resize(std::string_view("2026-01-01 00:00:00.000000").size(), '0');
  return text;
}

/// What each system prints of the columns, with {} for the table.
const char* selection(Dialect dialect) {
  switch (dialect) {
    case Dialect::postgres:
      return "select id, n, wide, price, ratio, flag::int, name, to_char(made, 'YYYY-MM-DD HH24:MI:SS.US'), "
             "to_char(moment, 'YYYY-MM-DD HH24:MI:SS.US'), day, doc, encode(raw, 'hex'), note from "
             "shop.goods";
    case Dialect::mysql:
      return "select id, n, wide, price, ratio, flag, name, date_format(made, '%Y-%m-%d %H:%i:%s.%f'), "
             "date_format(moment, '%Y-%m-%d %H:%i:%s.%f'), day, doc, lower(hex(raw)), note from shop.goods";
    case Dialect::duckdb:
      return "select id, n, wide, price, ratio, flag::int, name, strftime(made, '%Y-%m-%d %H:%M:%S.%f'), "
             "strftime(make_timestamp(epoch_us(moment)), '%Y-%m-%d %H:%M:%S.%f'), day, doc, lower(hex(raw)), "
             "note from shop.goods";
  }
  return "";
}

/// One row's values as SQL, made from its id; each is NULL now and then.
std::string values_of(Dialect dialect, std::int64_t id) {
  std::mt19937_64 random(static_cast<std::uint64_t>(id));
  const auto or_null = [&](std::string sql) { return random() % 9 == 0 ? std::string("null") : sql; };
  const auto time = [&] {
    return fmt::format("'20{:02}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}'", 10 + random() % 27, 1 + random() % 12,
                       1 + random() % 28, random() % 24, random() % 60, random() % 60, random() % 1'000'000);
  };
  std::string bytes;
  // Some are so large that PostgreSQL does not send them again with each change of their row.
  const auto size = id % 7 == 0 ? std::size_t{5000} : random() % 40;
  while (bytes.size() < size) bytes += static_cast<char>(random());
  const auto* const open = dialect == Dialect::mysql ? "x'" : "'\\x";
  const std::string texts[] = {"", "plain", "Zoë – naïve", "漢字 😀", "it''s \"quoted\"", "two\nlines\t"};
  return fmt::format("({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})", id,
                     or_null(std::to_string(static_cast<std::int32_t>(random()))),
                     or_null(std::to_string(static_cast<std::int64_t>(random() >> 1))),
                     or_null(fmt::format("{}.{:02}", random() % 1'000'000'000, random() % 100)),
                     or_null(fmt::format("{:.17g}", static_cast<double>(random() % 1'000'000'007) / 7e3)),
                     or_null(random() % 2 == 0 ? "true" : "false"),
                     or_null("'" + texts[random() % std::size(texts)] + "'"), or_null(time()),
                     or_null(time()), or_null(time().substr(0, 11) + "'"),
                     or_null(fmt::format(R"('{{"z": [1, {}, null, true], "ä": {{"b": "{}", "a": 0.5}}}}')",
                                         random() % 1000, "漢字")),
                     or_null(open + hex(bytes) + "'"));
}

}  // namespace

const char* const kChangeShape =
    "alter table shop.goods add column note varchar(40) not null default 'as new'";

std::string create_goods(Dialect dialect) {
  const bool mysql = dialect == Dialect::mysql;
  return fmt::format(
      "create {} shop; create table shop.goods (id bigint primary key, n int, wide bigint, price "
      "numeric(12,2), ratio double precision, flag boolean, name text, made {}, moment {}, day date, doc "
      "json, raw {}){}",
      mysql ? "database" : "schema", mysql ? "datetime(6)" : "timestamp",
      mysql ? "timestamp(6) null" : "timestamptz", mysql ? "longblob" : "bytea",
      mysql ? " default charset utf8mb4" : "");
}

std::string insert_goods(Dialect dialect, std::int64_t first, int count) {
  std::vector<std::string> rows;
  for (int i = 0; i < count; ++i) rows.push_back(values_of(dialect, first + i));
  return fmt::format(
      "insert into shop.goods (id, n, wide, price, ratio, flag, name, made, moment, day, doc, raw) values {}",
      fmt::join(rows, ", "));
}

std::string change_goods(Dialect dialect, int round) {
  constexpr std::int64_t kNew = 10'000, kShort = 5'000'000, kMoved = 1'000'000;
  const auto fresh = kNew + 3 * round;
  std::string sql = "begin; " + insert_goods(dialect, fresh, 3) + "; ";
  sql += fmt::format(
      "update shop.goods set n = {0}, price = price + 0.01, flag = not flag, name = "
      "concat(name, '·') where id % 211 = {1}; ",
      round, round % 211);
  sql += fmt::format(
      "update shop.goods set ratio = ratio / 3, doc = '{{\"round\": {0}}}', moment = "
      "'2026-11-25 12:00:00.{0:06}', day = null where id % 307 = {1}; ",
      round, round % 307);
  // Keys that move, also twice in one transaction; those of large values stay, for a log does not hold them
  // again.
  sql += fmt::format("update shop.goods set id = id + {0} where id = {1} and id % 7 <> 0; ", kMoved, round);
  sql += fmt::format(
      "update shop.goods set id = {0} where id = {1} and id % 7 <> 0; "
      "update shop.goods set id = {2}, n = 7 where id = {0}; ",
      kShort + round, fresh + 1, kShort + kMoved + round);
  sql += fmt::format(
      "delete from shop.goods where id = {0}; delete from shop.goods where id % 101 = {1} and id "
      "% 3 = 0; ",
      fresh + 2, round % 101);
  // A key that goes and comes back, and what never was.
  sql += fmt::format("delete from shop.goods where id = {0}; {1}; ", fresh, insert_goods(dialect, fresh, 1));
  return sql + "savepoint s; delete from shop.goods; rollback to savepoint s; commit";
}

Result<Goods> read_goods(Dialect dialect, const Query& query) {
  Goods goods;
  for (auto& row : MAIA_TRY(query(selection(dialect)))) {
    testing::Row values(kColumns);
    for (std::size_t i = 0; i < kColumns; ++i) {
      if (row[i + 1]) values[i] = canonical(i, *row[i + 1]);
    }
    const auto id = std::strtoll(row[0].value_or("").c_str(), nullptr, 10);
    if (!goods.emplace(id, std::move(values)).second) {
      return Error{.code = Error::Code::data, .message = fmt::format("{} is there twice", id)};
    }
  }
  return goods;
}

Result<Goods> fold_goods(const std::vector<std::string>& envelopes) {
  Goods goods;
  simdjson::dom::parser parser;
  for (const auto& envelope : envelopes) {
    element change;
    if (parser.parse(envelope).get(change) != simdjson::SUCCESS) {
      return Error{.code = Error::Code::data, .message = "no JSON: " + envelope};
    }
    const auto id_of = [&](const char* image) {
      std::int64_t id = 0;
      return change[image]["id"].get(id) == simdjson::SUCCESS ? std::optional(id) : std::nullopt;
    };
    const auto before = id_of("before");
    const auto after = id_of("after");
    const auto known = goods.find(before ? *before : after.value_or(0));
    const auto old = known == goods.end() ? testing::Row(kColumns) : known->second;
    if (before) goods.erase(*before);
    if (!after) continue;
    testing::Row values(kColumns);
    values[note] = "as new";
    for (std::size_t i = 0; i < kColumns; ++i) {
      element value;
      if (change["after"][kNames[i]].get(value) != simdjson::SUCCESS) continue;
      if (value.is_null()) {
        values[i].reset();
      } else {
        const auto text = text_of(i, value);
        values[i] =
            value.is_string() && std::string_view{value} == kUnavailable ? old[i] : canonical(i, text);
      }
    }
    goods[*after] = std::move(values);
  }
  return goods;
}

std::string differences(const Goods& source, const Goods& copy) {
  constexpr std::size_t kShown = 10;
  std::vector<std::string> lines;
  const auto show = [&](std::int64_t id, const Value& ours, const Value& theirs, const char* what) {
    lines.push_back(fmt::format("{} {}: {} at the source, {} in the copy", id, what,
                                ours.value_or("NULL").substr(0, 100),
                                theirs.value_or("NULL").substr(0, 100)));
  };
  for (const auto& [id, row] : source) {
    const auto found = copy.find(id);
    if (found == copy.end()) {
      show(id, "there", "missing", "row");
      continue;
    }
    for (std::size_t i = 0; i < kColumns; ++i) {
      if (row[i] != found->second[i]) show(id, row[i], found->second[i], kNames[i]);
    }
  }
  for (const auto& [id, row] : copy) {
    if (!source.contains(id)) show(id, "missing", "there", "row");
  }
  if (lines.empty()) return "";
  const auto count = lines.size();
  lines.resize(std::min(count, kShown));
  return fmt::format("{} differences, first:\n{}", count, fmt::join(lines, "\n"));
}

}  // namespace maia::tests
