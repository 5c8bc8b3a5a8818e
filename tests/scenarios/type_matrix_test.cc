// SPDX-License-Identifier: Apache-2.0
// Every type at its edges, through snapshot and stream, into each destination: what the destination holds is
// what the source holds, as an oracle that shares no code with MAIA's types sees it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cctype>
#include <fstream>
#include <map>
#include <set>

#include "maia/testing/edge_values.h"
#include "maia/testing/mysql_server.h"
#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using testing::EdgeType;
using testing::PostgresSession;

/// Rows of the stream have the ids of the snapshot's, raised by this.
constexpr int kStreamed = 1000;

/// One source database with a table `edge.t_<type>` for every type, (id, v, touched).
class TypeMatrix : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    // A server of its own: slots belong to the whole server, and each pipeline here has the same name.
    server_ = testing::PostgresServer::start({.version = GetParam()}).value();
    session_.emplace(PostgresSession::open(uri()).value());
    run(std::string(testing::kEdgeTypesSetup));
    for (const auto& type : testing::edge_types()) {
      if (!available(type)) continue;
      types_.push_back(type);
      if (extensions_.insert(type.extension).second && !type.extension.empty() && type.extension != "xml") {
        run(fmt::format("CREATE EXTENSION {}", type.extension));
      }
      run(fmt::format("CREATE TABLE edge.t_{} (id int PRIMARY KEY, v {}, touched int DEFAULT 0)", type.name,
                      type.declaration));
    }
  }

  std::string uri() const { return server_->uri(); }

  void run(const std::string& sql) {
    const auto status = session_->execute(sql);
    ASSERT_TRUE(status.ok()) << sql.substr(0, 300) << "\n" << status.error().message;
  }

  bool available(const EdgeType& type) {
    if (type.from_version > GetParam()) return false;
    if (type.extension.empty()) return true;
    if (type.extension == "xml") return session_->query("SELECT '<a/>'::xml").ok();
    return session_
               ->value(fmt::format("SELECT count(*) FROM pg_available_extensions WHERE name = '{}'",
                                   type.extension))
               .value() == "1";
  }

  /// Inserts every value but those for which `wanted` says no, and a NULL, with ids from `first`.
  template <class Wanted>
  void insert(const EdgeType& type, int first, Wanted wanted) {
    int id = first;
    for (const auto value : type.values) {
      ++id;
      if (!wanted(type, value)) continue;
      run(fmt::format("INSERT INTO edge.t_{} VALUES ({}, ({})::{})", type.name, id, value, type.declaration));
    }
    if (type.name != "domain_of_domain")
      run(fmt::format("INSERT INTO edge.t_{} VALUES ({}, NULL)", type.name, first));
  }

  /// Copies, changes and streams all tables into one destination, then compares.
  template <class Wanted>
  void mirror_and_compare(
      const std::string& destination_lines,
      const std::function<Result<std::unique_ptr<testing::ComparedSystem>>(Mirror&)>& open, Wanted wanted) {
    auto mirror = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [\"edge.*\"]\n", uri()),
                               destination_lines);
    ASSERT_TRUE(mirror.ok()) << mirror.error().message;
    each_type([&](const EdgeType& type) { insert(type, 0, wanted); });
    auto caught_up = mirror->catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
    each_type([&](const EdgeType& type) {
      insert(type, kStreamed, wanted);
      // Large values are not sent again with this; the copied row must keep them.
      run(fmt::format("UPDATE edge.t_{} SET touched = 1 WHERE id % 2 = 1", type.name));
      run(fmt::format("UPDATE edge.t_{} SET id = id + 500 WHERE id = 2", type.name));
      run(fmt::format("DELETE FROM edge.t_{} WHERE id = {}", type.name, kStreamed + 1));
    });
    caught_up = mirror->catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
    auto source = testing::compared_postgres(uri());
    auto destination = open(*mirror);
    ASSERT_TRUE(source.ok() && destination.ok());
    each_type([&](const EdgeType& type) {
      SCOPED_TRACE(type.name);
      const auto table = fmt::format("t_{}", type.name);
      const auto compared = testing::compare(
          **source, **destination, {.left = {"edge", table}, .right = {"edge", table}, .except = {}});
      ASSERT_TRUE(compared.ok()) << compared.error().message;
      EXPECT_TRUE(compared->equal()) << compared->report().substr(0, 2000);
      EXPECT_GE(compared->left.rows, 2u);
    });
  }

  template <class Kept>
  void keep_tables(Kept kept) {
    for (const auto& type : types_) {
      if (!kept(type)) run(fmt::format("DROP TABLE edge.t_{}", type.name));
    }
    std::erase_if(types_, [&](const EdgeType& type) { return !kept(type); });
  }

  void each_type(const std::function<void(const EdgeType&)>& visit) {
    for (const auto& type : types_) visit(type);
  }

  std::unique_ptr<testing::PostgresServer> server_;
  std::optional<PostgresSession> session_;
  std::set<std::string_view> extensions_;
  std::vector<EdgeType> types_;  ///< that this server has
};

/// A database of its own at another server, with the extensions of the source.
class PostgresCopy {
 public:
  PostgresCopy(int version, const std::set<std::string_view>& extensions)
      : server_(testing::shared_postgres(version)), database_(server_.make_database().value()) {
    for (const auto extension : extensions) {
      if (extension.empty() || extension == "xml") continue;
      EXPECT_TRUE(server_.execute(fmt::format("CREATE EXTENSION {}", extension), database_).ok());
    }
  }
  std::string uri() const { return server_.uri(database_); }
  std::string lines() const { return fmt::format("type: postgres\nurl: {}\n", uri()); }

 private:
  testing::PostgresServer& server_;
  std::string database_;
};

bool every_value(const EdgeType&, std::string_view) { return true; }

TEST_P(TypeMatrix, postgres_holds_the_same_values) {
  const PostgresCopy copy(GetParam(), extensions_);
  mirror_and_compare(
      copy.lines(), [&](Mirror&) { return testing::compared_postgres(copy.uri()); }, every_value);
}

// One column without a binary form makes the whole stream text, so those tables are left out here.
TEST_P(TypeMatrix, postgres_holds_the_same_values_of_a_binary_stream) {
  keep_tables([](const EdgeType& type) { return !type.text_only; });
  const PostgresCopy copy(GetParam(), extensions_);
  mirror_and_compare(
      copy.lines(), [&](Mirror&) { return testing::compared_postgres(copy.uri()); }, every_value);
}

/// DuckDB's DECIMAL has no NaN and its INTERVAL no infinity: such values are refused by name, which the tests
/// of the connector look at.
bool duckdb_holds(const EdgeType& type, std::string_view value) {
  const bool limited_numeric = type.name.starts_with("numeric_10") || type.name.starts_with("numeric_18") ||
                               type.name.starts_with("numeric_38");
  return !(limited_numeric && value == "'NaN'") && type.name != "interval_infinite";
}

std::string duckdb_lines(std::string_view more) {
  return fmt::format("type: duckdb\npath: {{}}/copy.duckdb\n{}", more);
}

Result<std::unique_ptr<testing::ComparedSystem>> open_duckdb(Mirror& mirror) {
  return testing::compared_duckdb(mirror.directory() / "copy.duckdb");
}

TEST_P(TypeMatrix, duckdb_holds_the_same_values) {
  mirror_and_compare(duckdb_lines("arrays: text\n"), open_duckdb, duckdb_holds);
}

TEST_P(TypeMatrix, duckdb_holds_arrays_of_one_dimension_as_lists) {
  const std::set<std::string_view> kLists = {"int4_array", "text_array", "bool_array", "uuid_array",
                                             "enum_array"};
  keep_tables([&](const EdgeType& type) { return kLists.contains(type.name); });
  mirror_and_compare(duckdb_lines(""), open_duckdb, [](const EdgeType&, std::string_view value) {
    return !value.starts_with("'{{") && !value.starts_with("'[");
  });
}

/// Its dates end in the year 9999 and begin in the year 1, and neither they nor its numbers have infinities
/// or NaN: such values are refused by name, which the tests of the connector look at. MariaDB has no negative
/// zero, whatever one writes.
bool mysql_holds(testing::MysqlProduct product, const EdgeType& type, std::string_view value) {
  const auto has = [&](std::string_view part) { return value.find(part) != value.npos; };
  const bool limited_numeric = type.name.starts_with("numeric_10") || type.name.starts_with("numeric_18") ||
                               type.name == "numeric_38_0" || type.name == "numeric_38_3";
  if (type.name.starts_with("float") && value == "'-0'") return product == testing::MysqlProduct::mysql;
  if (type.name.starts_with("float") || limited_numeric) return !has("NaN") && !has("Infinity");
  if (type.name != "date" && type.name != "timestamp" && type.name != "timestamptz") return true;
  return !has("BC") && !has("infinity") && !has("'10000") && !has("'5874897") && !has("'294247");
}

/// PostgreSQL's newest types, and both servers of the other kind.
class TypeMatrixIntoMysql : public TypeMatrix {
 protected:
  void mirror_into(testing::MysqlProduct product) {
    auto server = testing::MysqlServer::start({.product = product, .settings = {}});
    ASSERT_TRUE(server.ok()) << server.error().message;
    ASSERT_TRUE((*server)->execute("create database edge").ok());
    const auto at = (*server)->uri("edge");
    mirror_and_compare(
        fmt::format("type: mysql\nurl: {}\n", at), [&](Mirror&) { return testing::compared_mysql(at); },
        [&](const EdgeType& type, std::string_view value) { return mysql_holds(product, type, value); });
  }
};

TEST_P(TypeMatrixIntoMysql, mysql_holds_the_same_values) { mirror_into(testing::MysqlProduct::mysql); }
TEST_P(TypeMatrixIntoMysql, mariadb_holds_the_same_values) { mirror_into(testing::MysqlProduct::mariadb); }

INSTANTIATE_TEST_SUITE_P(Versions, TypeMatrixIntoMysql, ::testing::Values(18),
                         [](const auto& each) { return fmt::format("postgres_{}", each.param); });

/// The value of column v in every first image of a row, as JSON, by table and id.
using FirstImages = std::map<std::string, std::map<std::int64_t, std::string>>;

FirstImages read_first_images(const std::filesystem::path& lines) {
  FirstImages images;
  std::ifstream file(lines);
  simdjson::dom::parser parser;
  for (std::string line; std::getline(file, line);) {
    const auto change = parser.parse(line);
    const std::string_view op = change.at_pointer("/op").value();
    if (op != "r" && op != "c") continue;
    const std::string table(std::string_view(change.at_pointer("/source/table").value()));
    images[table][change.at_pointer("/after/id").get_int64().value()] =
        simdjson::minify(change.at_pointer("/after/v").value());
  }
  return images;
}

std::string sql_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + '\'';
}

/// SQL that reads a value of the lines back: a string in JSON is the value's text, but for bytes and for
/// years before Christ or of five digits; numbers and booleans are what they look like.
std::string read_back(const EdgeType& type, const std::string& json) {
  if (!json.starts_with('"')) return fmt::format("{}::{}", sql_literal(json), type.declaration);
  const auto text = fmt::format("({}::json #>> '{{}}')", sql_literal(json));
  if (type.declaration == "bytea") return fmt::format("decode({}, 'base64')", text);
  const bool has_year = type.declaration == "date" || type.declaration.starts_with("timestamp");
  if (!has_year || std::isdigit(static_cast<unsigned char>(json[2])) == 0)
    return fmt::format("{}::{}", text, type.declaration);
  const int year = std::stoi(json.substr(1));
  const auto year_end = json.find('-', 2);
  return fmt::format("'{:04}{}{}'::{}", year > 0 ? year : 1 - year,
                     json.substr(year_end, json.size() - year_end - 1), year > 0 ? "" : " BC",
                     type.declaration);
}

TEST_P(TypeMatrix, file_lines_say_the_same_of_snapshot_and_stream_and_the_source_reads_them_back) {
  auto mirror = Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [\"edge.*\"]\n", uri()),
                             "type: file\npath: {}/changes.jsonl\n");
  ASSERT_TRUE(mirror.ok()) << mirror.error().message;
  for (const int first : {0, kStreamed}) {
    each_type([&](const EdgeType& type) { insert(type, first, every_value); });
    const auto caught_up = mirror->catch_up();
    ASSERT_TRUE(caught_up.ok()) << caught_up.error().message;
  }
  const auto images = read_first_images(mirror->directory() / "changes.jsonl");
  each_type([&](const EdgeType& type) {
    SCOPED_TRACE(type.name);
    const auto& values = images.at(fmt::format("t_{}", type.name));
    EXPECT_GE(values.size(), 2 * type.values.size());
    for (const auto& [id, json] : values) {
      if (id >= kStreamed) continue;
      EXPECT_EQ(json, values.at(id + kStreamed));
      // An array of JSON is none that the source could read.
      if (json.starts_with('[')) continue;
      const auto same = session_->value(
          json == "null"
              ? fmt::format("SELECT v IS NULL FROM edge.t_{} WHERE id = {}", type.name, id)
              : fmt::format("SELECT format('%s', {}) = format('%s', v) FROM edge.t_{} WHERE id = {}",
                            read_back(type, json), type.name, id));
      ASSERT_TRUE(same.ok()) << same.error().message << json.substr(0, 200);
      EXPECT_EQ(*same, "t") << id << ": " << json.substr(0, 200);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Versions, TypeMatrix, ::testing::Values(15, 18),
                         [](const auto& each) { return fmt::format("postgres_{}", each.param); });

}  // namespace
}  // namespace maia::tests
