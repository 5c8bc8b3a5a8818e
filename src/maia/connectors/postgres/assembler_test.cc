// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/assembler.h"

#include "maia/connectors/postgres/source_fixture.h"

namespace maia::postgres {
namespace {

/// Feeds messages by hand, in the very order that a test needs; the table is a real one, for its catalogue.
class AssemblerTest : public SourceTest {
 protected:
  void SetUp() override {
    SourceTest::SetUp();
    sql("CREATE TABLE t (id int PRIMARY KEY, v text)");
    Connection::Options options;
    options.endpoint = config().connection;
    catalogue_ = must(Connection::open(options));
    oid_ = static_cast<Oid>(std::stoul(value("SELECT 't'::regclass::oid")));
    Relations::Terms terms;
    terms.selection = must(Selection::parse({}, {"public"}));
    terms.known = {
        std::make_shared<const TableSchema>(must(read_table(*catalogue_, terms.scope, oid_))->schema())};
    relations_ = std::make_unique<Relations>(*catalogue_, std::move(terms));
    assembler_ =
        std::make_unique<Assembler>(*relations_, LogPlace{7, 1, 100}, Assembler::Limits{1 << 20, 10});
  }
  void TearDown() override {
    assembler_.reset();
    relations_.reset();
    catalogue_.reset();
    SourceTest::TearDown();
  }

  template <class M>
  Status take(M message) {
    return assembler_->take(Message(std::move(message)), 50);
  }
  void begin(Xid xid, Lsn commit = 1000) { must(take(Begin{.final_lsn = commit, .xid = xid})); }
  void commit(Lsn end) { must(take(Commit{.commit_lsn = end - 8, .end_lsn = end})); }
  void describe(Xid xid = 0) {
    static constexpr RelationColumn kColumns[] = {
        {true, "id", 23, -1}, {false, "v", 25, -1}, {false, "n", 23, -1}};
    must(take(Relation{.xid = xid,
                       .oid = oid_,
                       .schema = "public",
                       .name = "t",
                       .columns = std::span(kColumns).first(columns_)}));
  }
  void insert(int id, Xid xid = 0) {
    const auto text = std::to_string(id);
    const TupleValue values[] = {{TupleValue::Kind::text, text}, {TupleValue::Kind::text, "x"}, {}};
    must(take(Insert{.xid = xid, .relation = oid_, .after = std::span(values).first(columns_)}));
  }
  void block(Xid top, const std::function<void()>& body) {
    must(take(StreamStart{.xid = top}));
    body();
    must(take(StreamStop{}));
  }
  /// Hands everything out, and shows it in short.
  std::string events() {
    std::string text;
    while (assembler_->has_event()) {
      auto event = assembler_->pop();
      if (const auto* changes = std::get_if<StreamEvent::Changes>(&event.what)) {
        text += "changes" + ids(changes->window) + " of " +
                std::to_string(changes->window.transactions.size()) + "; ";
      } else if (const auto* fragment = std::get_if<StreamEvent::Fragment>(&event.what)) {
        text += "fragment " + fragment->transaction + ids(fragment->window) + "; ";
      } else if (const auto* abort = std::get_if<StreamEvent::Abort>(&event.what)) {
        text += "abort " + abort->transaction + " from " + std::to_string(abort->from_ordinal) + "; ";
      } else if (const auto* done = std::get_if<StreamEvent::Commit>(&event.what)) {
        text += "commit " + done->transaction + "; ";
      } else {
        text += "idle; ";
      }
    }
    return text;
  }
  static std::string ids(const Window& window) {
    std::string text;
    for (const auto& item : window.items) {
      if (std::holds_alternative<SchemaChange>(item)) text += " schema";
      const auto* batch = std::get_if<Batch>(&item);
      for (std::size_t r = 0; batch != nullptr && r < batch->rows(); ++r) {
        text += " " + std::to_string(batch->ordinal(r)) + ":" +
                std::to_string(batch->after(0).fixed<std::int32_t>(r));
      }
    }
    return text;
  }
  void add_column() {
    sql("ALTER TABLE t ADD COLUMN n int");
    columns_ = 3;
  }

  std::size_t columns_ = 2;
  Oid oid_ = 0;
  std::unique_ptr<Connection> catalogue_;
  std::unique_ptr<Relations> relations_;
  std::unique_ptr<Assembler> assembler_;
};

TEST_F(AssemblerTest, a_flush_in_the_middle_of_a_transaction_leaves_its_rows) {
  begin(1);
  describe();
  insert(1);
  commit(1000);
  begin(2);
  insert(2);
  insert(3);
  assembler_->flush();
  EXPECT_EQ(events(), "changes 0:1 of 1; ");
  assembler_->flush();
  EXPECT_EQ(events(), "") << "half a transaction was handed out";
  insert(4);
  commit(2000);
  assembler_->flush();
  EXPECT_EQ(events(), "changes 0:2 1:3 2:4 of 1; ");
}

TEST_F(AssemblerTest, a_group_ends_at_its_limit_and_a_transaction_beyond_it_goes_out_in_fragments) {
  begin(1);
  describe();
  insert(1);
  commit(1000);
  begin(2);
  for (int i = 0; i < 21; ++i) insert(i);
  commit(2000);
  EXPECT_EQ(
      events(),
      "changes 0:1 of 1; fragment 2 0:0 1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10 11:11 12:12 13:13 14:14 "
      "15:15 16:16 17:17 18:18; fragment 2 19:19 20:20; commit 2; ");
}

TEST_F(AssemblerTest, ordinals_after_a_rollback_are_those_of_a_transaction_without_it) {
  block(5, [&] {
    describe(5);
    insert(1, 5);
    insert(2, 6);
    insert(3, 6);
  });
  must(take(StreamAbort{.xid = 5, .subxid = 6}));
  must(take(StreamAbort{.xid = 5, .subxid = 9}));
  must(take(StreamAbort{.xid = 77, .subxid = 77}));
  block(5, [&] { insert(4, 5); });
  must(take(StreamCommit{.xid = 5, .commit_lsn = 900, .end_lsn = 1000}));
  EXPECT_EQ(events(), "fragment 5 0:1 1:2 2:3; abort 5 from 1; fragment 5 1:4; commit 5; ");
}

TEST_F(AssemblerTest, a_change_that_was_rolled_back_is_told_again_though_the_table_is_not_described_again) {
  block(5, [&] {
    describe(5);
    insert(1, 5);
  });
  add_column();
  block(5, [&] {
    describe(6);
    insert(2, 6);
  });
  block(5, [&] {
    describe(6);  // the second time it brings nothing new
    insert(3, 6);
  });
  must(take(StreamAbort{.xid = 5, .subxid = 6}));
  block(5, [&] { insert(4, 5); });
  must(take(StreamCommit{.xid = 5, .commit_lsn = 900, .end_lsn = 1000}));
  EXPECT_EQ(
      events(),
      "fragment 5 0:1; fragment 5 schema 2:2; fragment 5 3:3; abort 5 from 1; fragment 5 schema 2:4; commit "
      "5; ");
  begin(7);
  insert(5);
  commit(2000);
  assembler_->flush();
  EXPECT_EQ(events(), "changes 0:5 of 1; ") << "the commit has told everyone";
}

TEST_F(AssemblerTest, transactions_from_before_the_position_are_dropped) {
  begin(1, 50);
  describe();
  insert(1);
  commit(60);
  block(5, [&] {
    describe(5);
    insert(2, 5);
  });
  must(take(StreamCommit{.xid = 5, .commit_lsn = 90, .end_lsn = 98}));
  begin(6, 100);
  insert(3);
  commit(120);
  assembler_->flush();
  EXPECT_EQ(events(), "fragment 5 0:2; abort 5 from 0; changes 0:3 of 1; ");
}

TEST_F(AssemblerTest, only_between_transactions_the_server_s_end_is_a_position) {
  assembler_->pass_to(90);
  assembler_->flush();
  EXPECT_EQ(events(), "");
  begin(1);
  describe();
  assembler_->pass_to(500);
  assembler_->flush();
  EXPECT_EQ(events(), "");
  commit(1000);
  assembler_->flush();
  EXPECT_EQ(events(), "idle; ");
  assembler_->pass_to(1500);
  assembler_->flush();
  EXPECT_EQ(events(), "idle; ");
  EXPECT_EQ(assembler_->read_to(), 1500u);
}

TEST_F(AssemblerTest, what_is_out_of_order_is_an_error) {
  EXPECT_FALSE(take(Commit{}).ok());
  EXPECT_FALSE(take(Insert{.relation = oid_}).ok());
  EXPECT_FALSE(take(StreamStop{}).ok());
  begin(1);
  EXPECT_FALSE(take(Begin{}).ok());
  EXPECT_FALSE(take(StreamStart{.xid = 5}).ok());
  EXPECT_EQ(take(Insert{.relation = 1}).error().code, Error::Code::corruption) << "never described";
  for (const auto& refused : {take(BeginPrepare{}), take(Prepare{}), take(CommitPrepared{}),
                              take(RollbackPrepared{}), take(StreamPrepare{})}) {
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Error::Code::unsupported);
  }
}

}  // namespace
}  // namespace maia::postgres
