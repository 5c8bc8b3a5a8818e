// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

using Level = Finding::Level;
using ::testing::HasSubstr;

class SourceCheckTest : public SourceTest {
 protected:
  /// The finding whose text has this in it.
  static const Finding* find(const Findings& findings, std::string_view what) {
    const auto at = std::ranges::find_if(
        findings, [&](const Finding& f) { return f.what.find(what) != std::string::npos; });
    return at == findings.end() ? nullptr : &*at;
  }
  static bool any_error(const Findings& findings) {
    return std::ranges::any_of(findings, [](const Finding& f) { return f.level == Level::error; });
  }
  std::string all(const Findings& findings) {
    std::string text;
    for (const auto& f : findings) text += f.what + " | " + f.fix + "\n";
    return text;
  }
  void TearDown() override {
    SourceTest::TearDown();
    if (server_ != nullptr)
      static_cast<void>(server_->execute("DROP OWNED BY reader; DROP ROLE IF EXISTS reader", database_));
  }
};

TEST_F(SourceCheckTest, a_server_that_is_ready_has_no_errors) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  open();
  const auto findings = must(source_->check());
  EXPECT_FALSE(any_error(findings)) << all(findings);
  ASSERT_NE(find(findings, "max_slot_wal_keep_size"), nullptr);
  EXPECT_EQ(find(findings, "max_slot_wal_keep_size")->level, Level::warning);
}

TEST_F(SourceCheckTest, every_missing_privilege_is_named_and_its_statement_mends_it) {
  sql("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE hidden (id int PRIMARY KEY);"
      "ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE SCHEMA s; CREATE TABLE s.u (id int PRIMARY KEY)");
  sql("CREATE ROLE reader LOGIN; GRANT SELECT ON hidden TO reader");
  auto with = config();
  with.connection.user = "reader";
  open(with);
  const auto findings = must(source_->check());
  for (const auto* what : {"the user may not replicate", "the user may not make it", "may not read public.t",
                           "may not use schema s", "may not read s.u", "public.hidden has row security"}) {
    const auto* finding = find(findings, what);
    ASSERT_NE(finding, nullptr) << what << "\n" << all(findings);
    EXPECT_EQ(finding->level, Level::error);
    EXPECT_FALSE(finding->fix.empty());
  }
  // An administrator runs what was printed; "let ... run:" introduces a statement for the owner.
  for (const auto& finding : findings) {
    if (finding.level != Level::error) continue;
    const auto at = finding.fix.find("run: ");
    if (finding.what.find("is not in the publication") != std::string::npos) continue;
    sql(at == std::string::npos ? finding.fix : finding.fix.substr(at + 5));
  }
  const auto after = must(source_->check());
  EXPECT_FALSE(any_error(after)) << all(after);
  EXPECT_TRUE(must(source_->prepare({})).created);
}

TEST_F(SourceCheckTest, tables_that_cannot_be_synchronized_say_why_and_what_helps) {
  sql("CREATE TABLE keyless (v int); CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA "
      "IDENTITY "
      "NOTHING; CREATE UNLOGGED TABLE fast (id int PRIMARY KEY); CREATE VIEW seen AS SELECT 1 AS id;"
      "CREATE TABLE lost (id int PRIMARY KEY, u int NOT NULL UNIQUE); ALTER TABLE lost REPLICA IDENTITY "
      "USING INDEX lost_u_key;"
      "ALTER TABLE lost DROP CONSTRAINT lost_u_key; CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE "
      "(id);"
      "CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE fine (id int PRIMARY KEY);"
      "CREATE TABLE slow (id int PRIMARY KEY DEFERRABLE)");
  auto with = config();
  with.tables = {"keyless", "nothing", "fast", "seen", "lost", "p_1", "fine", "absent", "slow"};
  open(with);
  const std::map<std::string, std::string> expected = {
      {"keyless", "no primary key"}, {"nothing", "replica identity nothing"},
      {"fast", "unlogged"},          {"seen", "view"},
      {"lost", "index is gone"},     {"p_1", "partition"},
      {"absent", "does not exist"},  {"fine", ""},
      {"slow", "no primary key"}};
  const auto tables = must(source_->tables());
  ASSERT_EQ(tables.size(), expected.size());
  for (const auto& table : tables) {
    const auto& problem = expected.at(table.schema->name.table);
    if (problem.empty()) {
      EXPECT_EQ(table.problem, "");
    } else {
      EXPECT_THAT(table.problem, HasSubstr(problem));
      EXPECT_FALSE(table.hint.empty());
    }
  }
  const auto findings = must(source_->check());
  EXPECT_NE(find(findings, "public.keyless has no primary key"), nullptr) << all(findings);
  EXPECT_NE(find(findings, "1 of 9 tables can be synchronized"), nullptr) << all(findings);
}

TEST_F(SourceCheckTest, wal_level_replica_is_an_error_with_the_setting) {
  testing::PostgresServer::Options options;
  options.settings = {{"wal_level", "replica"}, {"max_replication_slots", "1"}, {"wal_sender_timeout", "2s"}};
  use_own(options);
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  open();
  const auto findings = must(source_->check());
  const auto* level = find(findings, "wal_level is replica; logical replication needs logical");
  ASSERT_NE(level, nullptr) << all(findings);
  EXPECT_THAT(level->fix, HasSubstr("ALTER SYSTEM SET wal_level = logical"));
  ASSERT_NE(find(findings, "max_replication_slots"), nullptr);
  EXPECT_EQ(find(findings, "max_replication_slots")->level, Level::error);
  EXPECT_NE(find(findings, "wal_sender_timeout is 2000 ms"), nullptr);
  const auto prepared = source_->prepare({});
  ASSERT_FALSE(prepared.ok());
  EXPECT_THAT(prepared.error().hint, HasSubstr("wal_level = logical"));
}

TEST_F(SourceCheckTest, selection_takes_lists_patterns_and_exclusions) {
  sql("CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE \"Odd.Name\"\"x\" (id int PRIMARY KEY);"
      "CREATE SCHEMA sales; CREATE TABLE sales.orders (id int PRIMARY KEY); CREATE TABLE sales.tmp_1 (id int "
      "PRIMARY KEY);"
      "CREATE SCHEMA other; CREATE TABLE other.customers (id int PRIMARY KEY)");
  const auto selected = [&](std::vector<std::string> patterns) {
    auto with = config();
    with.tables = std::move(patterns);
    open(with);
    std::set<std::string> names;
    for (const auto& table : must(source_->tables())) names.insert(to_string(table.schema->name));
    return names;
  };
  using Names = std::set<std::string>;
  EXPECT_EQ(selected({"customers", "sales.*", "!sales.tmp_*"}), (Names{"public.customers", "sales.orders"}));
  EXPECT_EQ(selected({"\"Odd.Name\"\"x\""}), (Names{"public.Odd.Name\"x"}));
  EXPECT_EQ(selected({"*.customers"}), (Names{"public.customers", "other.customers"}));
  EXPECT_EQ(selected({"!sales.*", "!public.*"}), (Names{"other.customers"}));
  must(server().execute("ALTER DATABASE " + database_ + " SET search_path = other, public"));
  EXPECT_EQ(selected({"customers"}), (Names{"public.customers", "other.customers"}));
  for (const auto* bad : {"a.b.c", "\"open", "", "a..b", "\"a\"b"}) {
    auto with = config();
    with.tables = {bad};
    open(with);
    const auto refused = source_->tables();
    ASSERT_FALSE(refused.ok()) << bad;
    EXPECT_EQ(refused.error().code, Error::Code::invalid_config);
  }
}

TEST_F(SourceCheckTest, errors_of_a_connection_say_what_is_wrong_and_hold_no_password) {
  auto with = config();
  with.connection.port = 1;
  with.connection.password = Secret("s3cret-word");
  open(with);
  const auto refused = source_->check();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::unavailable);
  EXPECT_EQ(refused.error().recovery, Recovery::reconnect);
  with = config();
  with.connection.database = "no_such_database";
  open(with);
  const auto absent = source_->check();
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, Error::Code::invalid_config);
  EXPECT_EQ(absent.error().recovery, Recovery::halt);
  testing::PostgresServer::Options options;
  options.authentication = "scram-sha-256";
  options.password = "right";
  use_own(options);
  with = config();
  with.connection.password = Secret("s3cret-word");
  open(with);
  const auto wrong = source_->check();
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, Error::Code::invalid_config);
  EXPECT_THAT(wrong.error().message + wrong.error().hint, ::testing::Not(HasSubstr("s3cret-word")));
  EXPECT_THAT(wrong.error().message, HasSubstr("password authentication failed"));
}

TEST_F(SourceCheckTest, a_server_without_tls_is_no_matter_of_waiting) {
  auto with = config();
  with.connection.tls = net::Tls::verify;
  open(with);
  const auto refused = source_->check();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Error::Code::invalid_config);
  EXPECT_EQ(refused.error().recovery, Recovery::halt);
  EXPECT_THAT(refused.error().hint, HasSubstr("tls: off"));
}

TEST_F(SourceCheckTest, slot_creation_that_waits_names_the_transaction) {
  sql("CREATE TABLE t (id int PRIMARY KEY)");
  open();
  auto blocker = must(testing::PostgresSession::open(server().uri(database_)));
  must(blocker.execute("BEGIN; INSERT INTO t VALUES (1)"));
  Connection::Options options;
  options.endpoint = config().connection;
  const auto observer = must(Connection::open(options));
  options.replication = true;
  const auto replication = must(Connection::open(options));
  const auto slot = create_slot(*replication, *observer, {"waits_" + database_, true},
                                Limits{std::chrono::milliseconds(500), {}});
  ASSERT_FALSE(slot.ok());
  EXPECT_EQ(slot.error().code, Error::Code::timeout);
  EXPECT_THAT(slot.error().message, HasSubstr("pid " + must(blocker.value("SELECT pg_backend_pid()"))));
}

}  // namespace
}  // namespace maia::postgres
