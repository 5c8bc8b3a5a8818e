// SPDX-License-Identifier: Apache-2.0
// The messages of real servers, for every version of the protocol that they speak.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "maia/connectors/postgres/pgoutput.h"
#include "maia/connectors/postgres/wire.h"
#include "maia/testing/postgres_server.h"

namespace maia::postgres {
namespace {

using maia::testing::PostgresServer;
using maia::testing::PostgresSession;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 2; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string text_of(TupleView tuple) {
  std::string out;
  for (const auto& value : tuple) {
    if (!out.empty()) out += ' ';
    out += static_cast<char>(value.kind);
    if (value.kind == TupleValue::Kind::text) out += fmt::format(":{}", value.bytes.substr(0, 12));
    if (value.kind == TupleValue::Kind::binary) out += fmt::format(":{} bytes", value.bytes.size());
  }
  return out;
}

std::string text_of(const Relation& relation) {
  std::string out =
      fmt::format("relation {}.{} {}", relation.schema, relation.name, relation.replica_identity);
  for (const auto& column : relation.columns)
    out += fmt::format(" {}{}", column.name, column.in_key ? "*" : "");
  return out;
}

std::string text_of(const Update& update) {
  const auto old = update.old_kind == OldTuple::none
                       ? ""
                       : fmt::format(" {}({})", static_cast<char>(update.old_kind), text_of(update.before));
  return fmt::format("update{} N({})", old, text_of(update.after));
}

std::string text_of(const Message& message) {
  struct Visitor {
    std::string operator()(const Begin&) const { return "begin"; }
    std::string operator()(const Commit&) const { return "commit"; }
    std::string operator()(const Origin&) const { return "origin"; }
    std::string operator()(const Relation& m) const { return text_of(m); }
    std::string operator()(const TypeMessage& m) const { return fmt::format("type {}.{}", m.schema, m.name); }
    std::string operator()(const Insert& m) const { return fmt::format("insert N({})", text_of(m.after)); }
    std::string operator()(const Update& m) const { return text_of(m); }
    std::string operator()(const Delete& m) const {
      return fmt::format("delete {}({})", static_cast<char>(m.old_kind), text_of(m.before));
    }
    std::string operator()(const TruncateMessage& m) const {
      return fmt::format("truncate {}{}{}", m.relations.size(), m.cascade ? " cascade" : "",
                         m.restart_identity ? " restart" : "");
    }
    std::string operator()(const LogicalMessage& m) const {
      return fmt::format("message {}: {}", m.prefix, m.content);
    }
    std::string operator()(const StreamStart& m) const {
      return fmt::format("stream start{}", m.first_segment ? " first" : "");
    }
    std::string operator()(const StreamStop&) const { return "stream stop"; }
    std::string operator()(const StreamCommit&) const { return "stream commit"; }
    std::string operator()(const StreamAbort& m) const {
      return fmt::format("stream abort {}{}", m.xid == m.subxid ? "all" : "part",
                         m.aborted_at != 0 ? " timed" : "");
    }
    std::string operator()(const BeginPrepare& m) const { return fmt::format("begin prepare {}", m.gid); }
    std::string operator()(const Prepare& m) const { return fmt::format("prepare {}", m.gid); }
    std::string operator()(const CommitPrepared& m) const { return fmt::format("commit prepared {}", m.gid); }
    std::string operator()(const RollbackPrepared& m) const {
      return fmt::format("rollback prepared {}", m.gid);
    }
    std::string operator()(const StreamPrepare& m) const { return fmt::format("stream prepare {}", m.gid); }
  };
  return std::visit(Visitor{}, message);
}

/// A database with a publication of all tables and a slot.
class Capture {
 public:
  Capture(int version, bool two_phase)
      : session_(PostgresSession::open(uri(version)).value()), slot_(fmt::format("s{}", ++slots_made)) {
    run("CREATE PUBLICATION p FOR ALL TABLES");
    run(fmt::format("SELECT pg_create_logical_replication_slot('{}', 'pgoutput', false, {})", slot_,
                    two_phase));
  }
  ~Capture() { run(fmt::format("SELECT pg_drop_replication_slot('{}')", slot_)); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void run(const std::string& sql) {
    const auto status = session_.execute(sql);
    EXPECT_TRUE(status.ok()) << sql << "\n" << status.error().message;
  }
  /// What the slot gives now, as the server sends it.
  std::vector<std::string> messages(std::string_view options) {
    const auto rows = session_.query(fmt::format(
        "SELECT data FROM pg_logical_slot_get_binary_changes('{}', NULL, NULL, 'publication_names', 'p', {})",
        slot_, options));
    std::vector<std::string> all;
    if (!rows.ok()) {
      ADD_FAILURE() << rows.error().message;
      return all;
    }
    for (const auto& row : rows.value()) all.push_back(from_hex(*row[0]));
    return all;
  }

 private:
  static std::string uri(int version) {
    static std::map<int, std::unique_ptr<PostgresServer>> servers;
    auto& server = servers[version];
    if (!server) {
      server = PostgresServer::start(
                   {.version = version,
                    .settings = {{"logical_decoding_work_mem", "64kB"}, {"max_prepared_transactions", "4"}},
                    .initdb_arguments = {},
                    .authentication = "trust",
                    .password = {}})
                   .value();
    }
    return server->uri(server->make_database().value());
  }

  static inline int slots_made = 0;
  PostgresSession session_;
  std::string slot_;
};

std::vector<std::string> texts_of(const std::vector<std::string>& messages) {
  PgoutputParser parser;
  std::vector<std::string> texts;
  for (const auto& message : messages) {
    const auto parsed = parser.parse(as_bytes(message));
    texts.push_back(parsed.ok() ? text_of(*parsed) : "error: " + parsed.error().message);
  }
  return texts;
}

/// Each message cut at every byte must be refused, and leave a parser that reads the next one.
void expect_truncations_to_be_refused(const std::vector<std::string>& messages) {
  PgoutputParser parser;
  for (const auto& message : messages) {
    for (std::size_t size = 0; size < message.size(); ++size) {
      if (message[0] == 'A' && size == 9) continue;  // a whole abort of a server without parallel streaming
      const auto cut = parser.parse(as_bytes(std::string_view(message).substr(0, size)));
      ASSERT_FALSE(cut.ok()) << message[0] << " cut at " << size;
      ASSERT_EQ(cut.error().code, Error::Code::corruption) << cut.error().message;
    }
    ASSERT_TRUE(parser.parse(as_bytes(message)).ok());
  }
}

class PgoutputAgainstPostgresTest : public ::testing::TestWithParam<int> {
 protected:
  static std::string newest_protocol() {
    return GetParam() >= 16 ? "'proto_version', '4', 'streaming', 'parallel'"
                            : "'proto_version', '3', 'streaming', 'on'";
  }
};

TEST_P(PgoutputAgainstPostgresTest, every_kind_of_change_is_read) {
  Capture capture(GetParam(), false);
  capture.run("CREATE TYPE mood AS ENUM ('ok')");
  capture.run("CREATE TABLE a (id int PRIMARY KEY, m mood, big text)");
  capture.run("ALTER TABLE a ALTER big SET STORAGE EXTERNAL");
  capture.run("CREATE TABLE f (id int, v text); ALTER TABLE f REPLICA IDENTITY FULL");
  capture.run(
      "BEGIN; INSERT INTO a VALUES (1, 'ok', repeat('x', 9000)); UPDATE a SET m = NULL; UPDATE a SET id = 2; "
      "DELETE FROM a; INSERT INTO f VALUES (1, 'v'); UPDATE f SET v = 'w'; DELETE FROM f; "
      "SELECT pg_logical_emit_message(true, 'maia', 'beat'); TRUNCATE a, f RESTART IDENTITY CASCADE; COMMIT");
  const auto messages = capture.messages("'proto_version', '1', 'messages', 'true'");
  EXPECT_THAT(texts_of(messages),
              ElementsAre("begin", "type public.mood", "relation public.a d id* m big",
                          "insert N(t:1 t:ok t:xxxxxxxxxxxx)", "update N(t:1 n u)",
                          "update K(t:1 n n) N(t:2 n u)", "delete K(t:2 n n)", "relation public.f f id* v*",
                          "insert N(t:1 t:v)", "update O(t:1 t:v) N(t:1 t:w)", "delete O(t:1 t:w)",
                          "message maia: beat", "type public.mood", "relation public.a d id* m big",
                          "relation public.f f id* v*", "truncate 2 cascade restart", "commit"));
  expect_truncations_to_be_refused(messages);
}

TEST_P(PgoutputAgainstPostgresTest, binary_values_are_told_from_text) {
  Capture capture(GetParam(), false);
  capture.run("CREATE TABLE a (id int PRIMARY KEY, v numeric)");
  capture.run("INSERT INTO a VALUES (1, 1.5), (2, NULL)");
  const auto messages = capture.messages("'proto_version', '2', 'binary', 'true'");
  EXPECT_THAT(texts_of(messages),
              ElementsAre("begin", "relation public.a d id* v", "insert N(b:4 bytes b:12 bytes)",
                          "insert N(b:4 bytes n)", "commit"));
  expect_truncations_to_be_refused(messages);
}

TEST_P(PgoutputAgainstPostgresTest, running_transactions_with_aborted_parts_are_read) {
  Capture capture(GetParam(), false);
  capture.run("CREATE TABLE a (id int PRIMARY KEY, v text)");
  capture.run(
      "BEGIN; INSERT INTO a SELECT i, repeat('x', 100) FROM generate_series(1, 2000) i; SAVEPOINT s; "
      "INSERT INTO a SELECT i, repeat('y', 100) FROM generate_series(2001, 4000) i; ROLLBACK TO s; "
      "INSERT INTO a VALUES (5001, 'z'); COMMIT");
  const auto messages = capture.messages(newest_protocol());
  const auto texts = texts_of(messages);
  EXPECT_EQ(texts.front(), "stream start first");
  EXPECT_EQ(texts.back(), "stream commit");
  EXPECT_THAT(texts, Contains(GetParam() >= 16 ? "stream abort part timed" : "stream abort part"));
  EXPECT_THAT(texts, Contains("stream stop"));
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "insert N(t:5001 t:z)"), 1);
  EXPECT_THAT(texts, Not(Contains(HasSubstr("error"))));
}

TEST_P(PgoutputAgainstPostgresTest, prepared_transactions_are_read) {
  Capture capture(GetParam(), true);
  capture.run("CREATE TABLE a (id int PRIMARY KEY)");
  for (const auto* sql :
       {"BEGIN; INSERT INTO a VALUES (1); PREPARE TRANSACTION 'one'", "COMMIT PREPARED 'one'",
        "BEGIN; INSERT INTO a VALUES (2); PREPARE TRANSACTION 'two'", "ROLLBACK PREPARED 'two'",
        "BEGIN; INSERT INTO a SELECT generate_series(10, 4000); PREPARE TRANSACTION 'big'",
        "COMMIT PREPARED 'big'"}) {
    capture.run(sql);
  }
  const auto texts = texts_of(capture.messages(newest_protocol() + ", 'two_phase', 'on'"));
  ASSERT_GT(texts.size(), 9u);
  EXPECT_THAT(std::vector(texts.begin(), texts.begin() + 5),
              ElementsAre("begin prepare one", "relation public.a d id*", "insert N(t:1)", "prepare one",
                          "commit prepared one"));
  EXPECT_THAT(texts, Contains("rollback prepared two"));
  EXPECT_THAT(texts, Contains("stream prepare big"));
  EXPECT_EQ(texts.back(), "commit prepared big");
  EXPECT_THAT(texts, Not(Contains(HasSubstr("error"))));
}

INSTANTIATE_TEST_SUITE_P(Versions, PgoutputAgainstPostgresTest, ::testing::Values(15, 16, 17, 18),
                         [](const auto& each) { return fmt::format("postgres_{}", each.param); });

}  // namespace
}  // namespace maia::postgres
