// SPDX-License-Identifier: Apache-2.0
// `maia tail` and `maia journal` on a journal that another has open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "maia/app/commands.h"
#include "maia/base/disk.h"
#include "maia/journal/local_journal.h"
#include "maia/testing/temporary_directory.h"

namespace maia::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr WallMicros kNoon = 1'790'000'000'000'000;  // 2026-09-21 14:13:20 UTC
constexpr WallMicros kMinute = 60'000'000;

SchemaRef orders() {
  auto schema = std::make_shared<TableSchema>();
  schema->id = "1";
  schema->name = {"public", "orders"};
  schema->identity = Identity::full;
  schema->columns = {{.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true},
                     {.name = "status", .type = Type::text()},
                     {.name = "total", .type = Type::decimal(10, 2)}};
  return schema;
}

/// Order 7 is inserted (transaction 501), paid (502), and deleted (503), a minute apart; 8 is inserted with
/// it.
class JournalCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = (dir_ / "state/shop/journal").string();
    journal_ = LocalJournal::open(system_disk(), {.directory = directory_}).value();
    ASSERT_TRUE(journal_->reset(Sequence{0}, Position{"sys/1/0"}).ok());
    Batch inserts(schema_);
    push_row(inserts, Op::insert, 0, 7, "new", 1250);
    push_row(inserts, Op::insert, 1, 8, "new", 300);
    append(501, std::move(inserts));
    Batch update(schema_);
    update.begin_row(Op::update, 0);
    push(update, false, 7, "paid", 1250);
    push(update, true, 7, "new", 1250);
    update.finish_row();
    append(502, std::move(update));
    Batch removal(schema_);
    removal.begin_row(Op::remove, 0);
    push(removal, true, 7, "paid", 1250);
    removal.finish_row();
    append(503, std::move(removal));
    ASSERT_TRUE(journal_->sync().ok());
  }
  static void push(Batch& batch, bool before, std::int64_t id, const std::string& status,
                   std::int64_t cents) {
    const auto column = [&](std::size_t i) -> ColumnVector& {
      return before ? batch.mutable_before(i) : batch.mutable_after(i);
    };
    column(0).push_fixed(id);
    column(1).push_text(status);
    column(2).push_fixed(static_cast<int128>(cents));
  }
  static void push_row(Batch& batch, Op op, std::uint64_t ordinal, std::int64_t id, const std::string& status,
                       std::int64_t cents) {
    batch.begin_row(op, ordinal);
    push(batch, false, id, status, cents);
    batch.finish_row();
  }
  void append(int transaction, Batch batch) {
    Window window;
    window.end = Position{"sys/1/" + std::to_string(transaction)};
    window.transactions.push_back(
        {window.end, std::to_string(transaction), kNoon + (transaction - 501) * kMinute, 0});
    window.items.emplace_back(std::move(batch));
    ASSERT_TRUE(journal_->append({StreamEvent::Changes{std::move(window)}}).ok());
  }
  ExitCode run(std::vector<std::string> words) {
    out_.str("");
    err_.str("");
    words.insert(words.end(), {"--state", (dir_ / "state").string()});
    Outside outside{.out = out_,
                    .err = err_,
                    .terminal = false,
                    .environment = [](const std::string&) { return std::optional<std::string>(); },
                    .connectors = {}};
    return run_program(words, outside);
  }
  std::string answer(const std::vector<std::string>& words) {
    EXPECT_EQ(run(words), ExitCode::done) << err_.str();
    return out_.str();
  }

  testing::TemporaryDirectory dir_ = testing::TemporaryDirectory::make().value();
  std::string directory_;
  SchemaRef schema_ = orders();
  std::unique_ptr<LocalJournal> journal_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(JournalCommands, tail_shows_every_retained_change_in_order) {
  EXPECT_EQ(
      answer({"tail", "--until-now"}),
      "2026-09-21 14:13:20+00  #1  sys/1/501  501  insert public.orders (7)  id=7  status=new  total=12.50\n"
      "2026-09-21 14:13:20+00  #1  sys/1/501  501  insert public.orders (8)  id=8  status=new  total=3.00\n"
      "2026-09-21 14:14:20+00  #2  sys/1/502  502  update public.orders (7)  status=new -> paid\n"
      "2026-09-21 14:15:20+00  #3  sys/1/503  503  delete public.orders (7)  id=7  status=paid  "
      "total=12.50\n");
}

TEST_F(JournalCommands, tail_begins_at_a_time_an_age_a_sequence_or_a_position) {
  for (const std::string from :
       {"2026-09-21 14:14:00+00", "2026-09-21T14:14:20Z", "#2", "sys/1/501", "501"}) {
    const auto shown = answer({"tail", "shop", "--until-now", "--from", from});
    EXPECT_THAT(shown, HasSubstr("update public.orders")) << from;
    EXPECT_THAT(shown, Not(HasSubstr("insert"))) << from;
  }
  EXPECT_EQ(run({"tail", "--until-now", "--from", "2026-01-01 00:00:00+00"}), ExitCode::done);
  EXPECT_THAT(answer({"tail", "--until-now", "--from", "36500d"}), HasSubstr("insert"));
  EXPECT_EQ(run({"tail", "--until-now", "--from", "2126-01-01 00:00:00+00"}), ExitCode::usage);
  EXPECT_THAT(err_.str(), HasSubstr("is in the future"));
  EXPECT_EQ(run({"tail", "--until-now", "--from", "yesterday"}), ExitCode::usage);
  EXPECT_THAT(err_.str(), HasSubstr("neither a time nor a position"));
}

TEST_F(JournalCommands, tail_filters_by_table_key_and_operation) {
  EXPECT_EQ(answer({"tail", "--until-now", "--table", "customers"}), "");
  EXPECT_THAT(answer({"tail", "--until-now", "--table", "orders", "--op", "delete"}), HasSubstr("#3"));
  EXPECT_THAT(answer({"tail", "--until-now", "--op", "delete,update"}), Not(HasSubstr("#1")));
  const auto eight = answer({"tail", "--until-now", "--key", "8"});
  EXPECT_THAT(eight, HasSubstr("(8)"));
  EXPECT_THAT(eight, Not(HasSubstr("(7)")));
}

TEST_F(JournalCommands, tail_writes_json_and_the_debezium_envelope) {
  EXPECT_EQ(
      answer({"tail", "--until-now", "--from", "#2", "--op", "update", "--format", "json"}),
      R"({"sequence":2,"transaction":"502","position":"sys/1/502","committed_at":"2026-09-21T14:14:20Z",)"
      R"("table":"public.orders","op":"update","key":{"id":7},)"
      R"("before":{"id":7,"status":"new","total":"12.50"},)"
      R"("after":{"id":7,"status":"paid","total":"12.50"},"operation_id":"sys/1/502/0"})"
      "\n");
  const auto envelope =
      answer({"tail", "--until-now", "--from", "#2", "--op", "update", "--format", "debezium"});
  EXPECT_THAT(envelope, HasSubstr(R"("op":"u")"));
  EXPECT_THAT(envelope, HasSubstr(R"("txId":502)"));
}

TEST_F(JournalCommands, a_journal_may_be_named_by_its_directory) {
  EXPECT_THAT(answer({"tail", "--until-now", "--journal", directory_}), HasSubstr("#3"));
  EXPECT_EQ(run({"tail", "store", "--until-now"}), ExitCode::usage);
  EXPECT_THAT(err_.str(), HasSubstr("there are: shop"));
}

TEST_F(JournalCommands, list_shows_the_segments) {
  const auto shown = answer({"journal", "list"});
  EXPECT_THAT(shown, HasSubstr("1 to 3"));
  EXPECT_THAT(shown, HasSubstr("2026-09-21 14:13:20+00"));
  EXPECT_THAT(shown, HasSubstr("being written"));
  EXPECT_THAT(answer({"journal", "list", "--json"}), HasSubstr(R"("transactions": 3)"));
}

TEST_F(JournalCommands, check_names_a_damaged_byte_and_ends_with_three) {
  EXPECT_THAT(answer({"journal", "check"}), HasSubstr("are what was written"));
  const auto path = directory_ + "/00000000000000000002.journal";
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(250);
  file.put('\x55');
  file.close();
  EXPECT_EQ(run({"journal", "check"}), ExitCode::check_failed);
  EXPECT_THAT(out_.str(), HasSubstr(path + " is damaged at byte"));
}

TEST_F(JournalCommands, query_tells_who_changed_a_row_when_and_in_which_transaction) {
  EXPECT_EQ(answer({"journal", "query", "--format", "csv",
                    "select transaction, committed_at, op, after->>'status' as status from changes "
                    "where table_name = 'public.orders' and (key->>'id') = '7' order by sequence"}),
            "transaction,committed_at,op,status\r\n"
            "501,2026-09-21 14:13:20+00,insert,new\r\n"
            "502,2026-09-21 14:14:20+00,update,paid\r\n"
            "503,2026-09-21 14:15:20+00,delete,\r\n");
}

TEST_F(JournalCommands, query_has_each_table_with_its_types) {
  EXPECT_EQ(
      answer({"journal", "query", "--format", "csv",
              "select op, id + 1 as next, total * 2 as twice from orders where id = 7 order by sequence"}),
      "op,next,twice\r\ninsert,8,25.00\r\nupdate,8,25.00\r\ndelete,8,25.00\r\n");
  EXPECT_EQ(answer({"journal", "query", "--format", "csv", "select count(*) as n from \"public.orders\""}),
            "n\r\n4\r\n");
}

TEST_F(JournalCommands, query_refuses_what_is_no_select_in_words) {
  EXPECT_EQ(run({"journal", "query", "drop view changes"}), ExitCode::usage);
  EXPECT_EQ(run({"journal", "query", "select nothing from changes"}), ExitCode::usage);
  EXPECT_THAT(err_.str(), HasSubstr("nothing"));
  EXPECT_EQ(run({"journal", "query"}), ExitCode::usage);
  EXPECT_THAT(err_.str(), HasSubstr("query needs a statement"));
  EXPECT_EQ(run({"journal", "query", "select * from read_csv('/etc/passwd')"}), ExitCode::usage);
}

}  // namespace
}  // namespace maia::app
