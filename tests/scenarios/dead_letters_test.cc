// SPDX-License-Identifier: Apache-2.0
// Rows that a transform or the destination refuses, between real systems: they are kept, later changes wait
// behind them, they are mended and sent again, and in the end both sides are equal.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

#include "maia/testing/postgres_server.h"
#include "mirror.h"

namespace maia::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DeadLetterScenario : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    source = std::move(*started);
    execute(
        "create table orders (id bigint primary key, state text, note text);"
        "insert into orders select i, 'ok', 'row ' || i from generate_series(1, 500) i");
  }
  void execute(const std::string& sql) {
    const auto executed = source->execute(sql);
    ASSERT_TRUE(executed.ok()) << executed.error().message;
  }
  void mirror(const std::string& lines, const std::string& more) {
    auto made =
        Mirror::make(fmt::format("type: postgres\nurl: {}\ntables: [orders]\n", source->uri()), lines, more);
    ASSERT_TRUE(made.ok()) << made.error().message;
    maia.emplace(std::move(*made));
  }
  void catch_up(int code) {
    const auto ended =
        maia->command({"run", maia->file(), "--state", maia->state(), "--until-caught-up"}, code);
    ASSERT_TRUE(ended.ok()) << ended.error().message;
  }
  std::string dlq(std::vector<std::string> words, int code = 0) {
    words.insert(words.begin(), "dlq");
    words.insert(words.end(), {"--state", maia->state()});
    const auto done = maia->command(words, code);
    EXPECT_TRUE(done.ok()) << done.error().message;
    return done.ok() ? *done : "";
  }
  /// Waits until `maia dlq ACTION` says it, however long the pipeline takes to be there.
  bool eventually(const std::vector<std::string>& words, const std::string& says) {
    for (int i = 0; i < 600; ++i) {
      auto all = words;
      all.insert(all.begin(), "dlq");
      all.insert(all.end(), {"--state", maia->state()});
      const auto done = maia->command(all);
      if (done.ok() && done->find(says) != done->npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  std::string at_destination(const std::string& sql) {
    const auto rows = destination->query(sql);
    EXPECT_TRUE(rows.ok()) << rows.error().message;
    return rows.ok() && !rows->empty() ? rows->at(0).at(0).value_or("NULL") : "";
  }
  void expect_equal(const std::string& view = "orders") {
    auto left = testing::compared_postgres(source->uri());
    auto right = testing::compared_postgres(destination->uri());
    ASSERT_TRUE(left.ok() && right.ok());
    const auto compared = testing::compare(**left, **right, {{"public", view}, {"public", "orders"}, {}});
    ASSERT_TRUE(compared.ok()) << compared.error().message;
    EXPECT_TRUE(compared->equal()) << compared->report();
  }
  void expect_quarantined() {
    ASSERT_TRUE(maia->start().ok());
    const auto there = maia->await({"status", "--json", "--state", maia->state()}, "quarantined");
    EXPECT_TRUE(there.ok()) << there.error().message;
    maia->kill9();
  }
  void start_destination() {
    auto started = testing::PostgresServer::start();
    ASSERT_TRUE(started.ok()) << started.error().message;
    destination = std::move(*started);
  }
  std::string destination_lines() const {
    return fmt::format("type: postgres\nurl: {}\n", destination->uri());
  }

  std::unique_ptr<testing::PostgresServer> source;
  std::unique_ptr<testing::PostgresServer> destination;
  std::optional<Mirror> maia;
};

constexpr const char* kTransform =
    "transform:\n"
    "  - name: checked\n"
    "    script: |\n"
    "      out = in\n"
    "      out.note = case when in.state = 'bad' then ('x' || in.note)::int::text else in.note end\n";

TEST_F(DeadLetterScenario, later_changes_wait_behind_a_letter_and_go_with_it_when_it_is_mended) {
  start_destination();
  mirror(destination_lines(), kTransform);
  catch_up(0);
  execute("update orders set state = 'bad' where id in (3, 5)");
  execute("update orders set note = 'later' where id = 3; update orders set state = 'ok' where id = 3");
  execute("delete from orders where id = 5; update orders set note = 'other' where id = 7");
  catch_up(4);
  EXPECT_EQ(at_destination("select note from orders where id = 7"), "other");
  EXPECT_EQ(at_destination("select note from orders where id = 3"), "row 3") << "what comes later waits";
  EXPECT_EQ(at_destination("select note from orders where id = 5"), "row 5");
  const auto list = dlq({"list"});
  EXPECT_THAT(list, HasSubstr("transform"));
  EXPECT_THAT(list, HasSubstr("order"));
  const auto shown = dlq({"show", "1"});
  EXPECT_THAT(shown, HasSubstr(R"("state":"bad")"));
  // Values that the transform takes, for all that it refused.
  const auto waiting = dlq({"list", "--json"});
  EXPECT_THAT(waiting, HasSubstr("\"stage\":\"order\""));
  for (int id = 1; id <= 5; ++id)
    (void)maia->command({"dlq", "edit", std::to_string(id), "--set", "state=ok", "--state", maia->state()});
  ASSERT_TRUE(maia->start().ok());
  ASSERT_TRUE(eventually({"replay", "--all"}, "replayed"));
  EXPECT_TRUE(eventually({"list"}, "no dead letters"));
  EXPECT_EQ(maia->stop(), 0);
  catch_up(0);
  expect_equal();
}

TEST_F(DeadLetterScenario, with_go_on_a_later_change_overtakes_a_letter_and_replaying_it_must_be_forced) {
  start_destination();
  mirror(destination_lines(), std::string(kTransform) + "errors:\n  later_changes: go_on\n");
  catch_up(0);
  execute("update orders set state = 'bad' where id = 3");
  execute("update orders set state = 'ok', note = 'newer' where id = 3");
  catch_up(4);
  expect_equal();
  EXPECT_THAT(dlq({"list"}), HasSubstr("overtaken"));
  dlq({"edit", "1", "--set", "state=ok", "--set", "note=older"});
  ASSERT_TRUE(maia->start().ok());
  ASSERT_TRUE(eventually({"replay", "1"}, "--force"));
  expect_equal();
  EXPECT_THAT(dlq({"replay", "1", "--force"}), HasSubstr("1 dead letter replayed"));
  EXPECT_EQ(at_destination("select note from orders where id = 3"), "older");
  EXPECT_EQ(maia->stop(), 0);
}

TEST_F(DeadLetterScenario, rows_are_skipped_where_that_is_asked_for_and_counted) {
  start_destination();
  mirror(destination_lines(), std::string(kTransform) + "errors:\n  policy: skip\n");
  execute("update orders set state = 'bad' where id in (3, 5)");
  execute("create view wanted as select * from orders where id not in (3, 5)");
  catch_up(0);
  expect_equal("wanted");
  EXPECT_THAT(dlq({"list"}), HasSubstr("no dead letters"));
}

TEST_F(DeadLetterScenario, more_letters_than_allowed_are_refused_with_what_to_do) {
  start_destination();
  mirror(destination_lines(), std::string(kTransform) + "errors:\n  max_dead_letters: 2\n");
  catch_up(0);
  execute("update orders set state = 'bad' where id <= 10");
  ASSERT_TRUE(maia->start().ok());
  for (int i = 0; i < 600 && maia->log_tail().find("max_dead_letters") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_THAT(maia->log_tail(), HasSubstr("errors.max_dead_letters"));
  maia->kill9();
}

TEST_F(DeadLetterScenario, purged_letters_let_later_changes_pass_and_are_not_replayed) {
  start_destination();
  mirror(destination_lines(), kTransform);
  catch_up(0);
  execute("update orders set state = 'bad' where id = 3");
  catch_up(4);
  EXPECT_THAT(dlq({"purge", "1"}), HasSubstr("1 dead letter purged"));
  EXPECT_THAT(dlq({"list", "--every-status"}), HasSubstr("purged"));
  execute("update orders set state = 'ok', note = 'after' where id = 3");
  catch_up(0);
  expect_equal();
}

TEST_F(DeadLetterScenario,
       rows_that_the_destination_refuses_are_found_and_all_others_of_their_transaction_arrive) {
  start_destination();
  mirror(destination_lines(), "");
  catch_up(0);
  ASSERT_TRUE(
      destination->execute("alter table orders add constraint polite check (note not like 'rude%')").ok());
  execute(
      "begin; insert into orders select i, 'ok', 'many ' || i from generate_series(1001, 3000) i;"
      "update orders set note = 'rude ' || id where id in (42, 2345); delete from orders where id = 17; "
      "commit;"
      "update orders set state = 'later' where id = 42; update orders set note = 'fine' where id = 43");
  catch_up(4);
  EXPECT_EQ(at_destination("select count(*) from orders where id > 1000"), "2000");
  EXPECT_EQ(at_destination("select count(*) from orders where id = 17"), "0");
  EXPECT_EQ(at_destination("select note from orders where id = 43"), "fine");
  EXPECT_EQ(at_destination("select note || state from orders where id = 42"), "row 42ok");
  const auto list = dlq({"list"});
  EXPECT_THAT(list, HasSubstr("write"));
  EXPECT_THAT(list, HasSubstr("polite"));
  EXPECT_THAT(list, HasSubstr("order"));
  ASSERT_TRUE(destination->execute("alter table orders drop constraint polite").ok());
  ASSERT_TRUE(maia->start().ok());
  ASSERT_TRUE(eventually({"replay", "--all"}, "3 dead letters replayed"));
  EXPECT_EQ(maia->stop(), 0);
  catch_up(0);
  expect_equal();
}

TEST_F(DeadLetterScenario, rows_that_the_destination_refuses_while_they_are_copied_are_found_too) {
  start_destination();
  mirror(destination_lines(), "");
  ASSERT_TRUE(destination
                  ->execute("create table orders (id bigint primary key, state text, note text, "
                            "constraint polite check (note not like 'rude%'))")
                  .ok());
  execute("update orders set note = 'rude ' || id where id in (1, 250, 500)");
  catch_up(4);
  EXPECT_EQ(at_destination("select count(*) from orders"), "497");
  EXPECT_THAT(dlq({"list"}), HasSubstr("polite"));
  execute("update orders set note = 'later' where id = 250");
  catch_up(4);
  EXPECT_THAT(dlq({"list"}), HasSubstr("order"));
  ASSERT_TRUE(destination->execute("alter table orders drop constraint polite").ok());
  ASSERT_TRUE(maia->start().ok());
  ASSERT_TRUE(eventually({"replay", "--all"}, "4 dead letters replayed"));
  EXPECT_EQ(maia->stop(), 0);
  catch_up(0);
  expect_equal();
}

TEST_F(DeadLetterScenario, a_table_of_which_the_destination_refuses_everything_is_not_searched_row_by_row) {
  start_destination();
  mirror(destination_lines(), "");
  catch_up(0);
  ASSERT_TRUE(destination->execute("alter table orders add constraint never check (id < 1000)").ok());
  execute("insert into orders select i, 'ok', 'many ' || i from generate_series(1001, 1500) i");
  expect_quarantined();
}

TEST_F(DeadLetterScenario, nor_is_a_copy_of_which_it_refuses_everything) {
  start_destination();
  mirror(destination_lines(), "");
  ASSERT_TRUE(destination
                  ->execute("create table orders (id bigint primary key, state text, note text, "
                            "constraint never check (id < 0))")
                  .ok());
  expect_quarantined();
  EXPECT_THAT(dlq({"list"}), HasSubstr("no dead letters"));
}

TEST_F(DeadLetterScenario, wrong_requests_say_what_to_write) {
  start_destination();
  mirror(destination_lines(), kTransform);
  execute("update orders set state = 'bad' where id = 3");
  catch_up(4);
  const auto refused = [&](std::vector<std::string> words, int code) {
    words.insert(words.begin(), "dlq");
    words.insert(words.end(), {"--state", maia->state()});
    const auto done = maia->command(words, code);
    EXPECT_TRUE(done.ok()) << done.error().message;
  };
  refused({"replay", "--all"}, 1);  // nothing runs
  refused({"replay"}, 2);
  refused({"edit", "1"}, 2);
  refused({"edit", "1", "--set", "nonsense"}, 2);
  refused({"edit", "1", "--set", "id=seven"}, 2);
  refused({"edit", "99", "--set", "id=7"}, 2);
  refused({"show", "99"}, 2);
  refused({"purge"}, 2);
}

}  // namespace
}  // namespace maia::tests
