// SPDX-License-Identifier: Apache-2.0
// Every type at its edges, as real servers send it: the text and the binary form must give identical columns,
// and the canonical text of what was decoded must be what the server prints.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <libpq-fe.h>

#include "maia/connectors/postgres/copy_decoder.h"
#include "maia/connectors/postgres/session.h"
#include "maia/testing/edge_values.h"
#include "maia/testing/postgres_server.h"
#include "maia/types/value_text.h"

namespace maia::postgres {
namespace {

using maia::testing::EdgeType;
using maia::testing::PostgresSession;

class ValueDecoderAgainstPostgresTest : public ::testing::TestWithParam<int> {
 protected:
  static PostgresSession& session() {
    static std::map<int, PostgresSession> sessions;
    const auto found = sessions.find(GetParam());
    if (found != sessions.end()) return found->second;
    auto& server = maia::testing::shared_postgres(GetParam());
    auto opened = PostgresSession::open(server.uri(server.make_database().value())).value();
    EXPECT_TRUE(opened.execute(maia::testing::kEdgeTypesSetup).ok());
    for (const auto* extension : {"hstore", "citext"}) {
      if (!has_extension(opened, extension)) continue;
      EXPECT_TRUE(opened.execute(fmt::format("CREATE EXTENSION {}", extension)).ok());
    }
    return sessions.emplace(GetParam(), std::move(opened)).first->second;
  }

  static bool has_extension(PostgresSession& session, std::string_view name) {
    if (name == "xml") return session.query("SELECT '<a/>'::xml").ok();
    return session.value(fmt::format("SELECT count(*) FROM pg_available_extensions WHERE name = '{}'", name))
               .value() == "1";
  }
};

struct TableColumn {
  SchemaRef schema;
  MappedType mapped;
};

NativeType native_type(PostgresSession& session, const std::string& table) {
  const auto column =
      session
          .query(fmt::format(
              "SELECT atttypid, atttypmod, format_type(atttypid, atttypmod), attndims FROM pg_attribute "
              "WHERE attrelid = '{}'::regclass AND attname = 'v'",
              table))
          .value()
          .at(0);
  auto query = std::string(kTypeCatalogueQuery);
  query.replace(query.find("$1"), 2, fmt::format("'{{{}}}'", *column[0]));
  TypeCatalogue catalogue;
  for (const auto& row : session.query(query).value()) {
    std::vector<std::optional<std::string_view>> values(row.begin(), row.end());
    EXPECT_TRUE(catalogue.add_row(values).ok());
  }
  return catalogue.resolve(static_cast<Oid>(std::stoul(*column[0])), std::stoi(*column[1]), *column[2])
      .value();
}

std::vector<std::string> copy_out(PostgresSession& session, const std::string& query, CopyFormat format) {
  const auto sql =
      fmt::format("COPY ({}) TO STDOUT (FORMAT {})", query, format == CopyFormat::text ? "text" : "binary");
  auto* connection = session.raw();
  auto* result = PQexec(connection, sql.c_str());
  EXPECT_EQ(PQresultStatus(result), PGRES_COPY_OUT) << PQerrorMessage(connection);
  PQclear(result);
  std::vector<std::string> pieces;
  char* piece = nullptr;
  for (int size = 0; (size = PQgetCopyData(connection, &piece, 0)) > 0; PQfreemem(piece))
    pieces.emplace_back(piece, size);
  for (result = PQgetResult(connection); result != nullptr; result = PQgetResult(connection)) {
    EXPECT_EQ(PQresultStatus(result), PGRES_COMMAND_OK) << PQerrorMessage(connection);
    PQclear(result);
  }
  return pieces;
}

Batch decode(const TableColumn& table, const std::vector<std::string>& pieces, CopyFormat format) {
  CopyDecoder decoder(format, {ValueDecoder(table.mapped)});
  Batch batch(table.schema);
  for (const auto& piece : pieces) {
    const auto fed = decoder.feed(std::as_bytes(std::span(piece)), batch);
    EXPECT_TRUE(fed.ok()) << fed.error().message;
  }
  EXPECT_TRUE(decoder.finish().ok());
  return batch;
}

TableColumn make_table(PostgresSession& session, const EdgeType& type) {
  const auto table = fmt::format("edge.t_{}", type.name);
  EXPECT_TRUE(session
                  .execute(fmt::format("DROP TABLE IF EXISTS {}; CREATE TABLE {} (id serial, v {})", table,
                                       table, type.declaration))
                  .ok());
  for (const auto value : type.values) {
    const auto sql = fmt::format("INSERT INTO {} (v) VALUES (({})::{})", table, value, type.declaration);
    const auto inserted = session.execute(sql);
    EXPECT_TRUE(inserted.ok()) << sql << "\n" << inserted.error().message;
  }
  if (type.name != "domain_of_domain") {
    EXPECT_TRUE(session.execute(fmt::format("INSERT INTO {} (v) VALUES (NULL)", table)).ok());
  }
  auto mapped = map_type(native_type(session, table));
  TableSchema schema{.id = "1", .name = {"edge", std::string(type.name)}};
  schema.columns.push_back({.name = "v", .type = mapped.type});
  return {std::make_shared<const TableSchema>(std::move(schema)), std::move(mapped)};
}

void expect_equal(const Batch& text, const Batch& binary) {
  const auto& a = text.after(0);
  const auto& b = binary.after(0);
  EXPECT_EQ(a.valid(), b.valid());
  EXPECT_EQ(a.fixed_bytes(), b.fixed_bytes());
  EXPECT_EQ(a.ends(), b.ends());
  EXPECT_EQ(a.chars(), b.chars());
}

TEST_P(ValueDecoderAgainstPostgresTest, text_and_binary_of_every_type_agree_and_print_as_the_server_does) {
  ASSERT_TRUE(session().execute(session_set_statements()).ok());
  for (const auto& type : maia::testing::edge_types()) {
    if (type.from_version > GetParam()) continue;
    if (!type.extension.empty() && !has_extension(session(), type.extension)) continue;
    SCOPED_TRACE(type.name);
    // Extensions are in schema public, which the session's empty search path does not see.
    ASSERT_TRUE(session().execute("SET search_path = public").ok());
    const auto table = make_table(session(), type);
    ASSERT_TRUE(session().execute("SET search_path = ''").ok());
    const auto query = fmt::format("SELECT v FROM edge.t_{} ORDER BY id", type.name);
    const auto text = decode(table, copy_out(session(), query, CopyFormat::text), CopyFormat::text);
    ASSERT_EQ(text.rows(), type.values.size() + (type.name == "domain_of_domain" ? 0 : 1));
    const auto prints = session()
                            .query(fmt::format("SELECT CASE WHEN v IS DISTINCT FROM NULL THEN format('%s', "
                                               "v) END FROM edge.t_{} ORDER BY id",
                                               type.name))
                            .value();
    for (std::size_t row = 0; row < text.rows(); ++row) {
      if (row == type.values.size()) {
        EXPECT_EQ(text.after(0).presence(row), Presence::null);
        continue;
      }
      std::string out;
      append_value_text(out, table.mapped.type, text.after(0), row);
      EXPECT_EQ(out, prints[row][0].value_or("NULL")) << type.values[row];
    }
    EXPECT_EQ(table.mapped.has_binary, !type.text_only);
    if (table.mapped.has_binary) {
      expect_equal(text, decode(table, copy_out(session(), query, CopyFormat::binary), CopyFormat::binary));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, ValueDecoderAgainstPostgresTest, ::testing::Values(15, 16, 17, 18),
                         [](const auto& each) { return fmt::format("postgres_{}", each.param); });

}  // namespace
}  // namespace maia::postgres
