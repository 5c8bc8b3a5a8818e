// SPDX-License-Identifier: Apache-2.0
// An operator who does what he likes while writers work and processes die: pauses and resumes tables and
// destinations, copies tables or some rows of them again, sends changes again, takes tables back and forward,
// changes the pipeline file. At the end every destination is exact.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>
#include <thread>

#include "three_destinations.h"

namespace maia::tests {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// Something that must happen, if late.
constexpr std::chrono::seconds kAlive{120};

enum class Deed : std::uint8_t {
  pause_table,
  pause_destination,
  pause_over_a_kill,
  resync_table,
  resync_rows,
  resync_under_a_kill,
  replay,
  replay_under_a_kill,
  rollback,
  rollback_over_a_kill,
  leave_a_table_out,
  change_limits,
  change_limits_under_a_kill,
  kill_maia,
  kill_server,
};
constexpr std::array kNames = {"pause a table",
                               "pause a destination",
                               "pause a table, kill -9",
                               "resync a table",
                               "resync some rows",
                               "resync a table, kill -9",
                               "replay",
                               "replay, kill -9",
                               "rollback",
                               "rollback, kill -9",
                               "apply a file without a table, then with it",
                               "apply other limits",
                               "apply other limits, kill -9",
                               "kill -9 of maia",
                               "kill -9 of a server"};

class Operator : public ThreeDestinations {
 protected:
  void SetUp() override {
    ThreeDestinations::SetUp();
    // What is taken back must be known whole.
    ASSERT_TRUE(source->execute("alter table acct replica identity full").ok());
    if (const char* seed = std::getenv("MAIA_SEED")) random.seed(std::stoull(seed));
  }

  template <class Choices>
  auto one_of(const Choices& choices) {
    return choices[random() % std::size(choices)];
  }
  std::string some_table() { return one_of(std::array{"ledger", "acct", "coin"}); }
  std::string some_database() { return one_of(std::array{"lake", "twin"}); }
  std::string some_destination() { return one_of(std::array{"lake", "twin", "lines"}); }
  /// A place in the source's log of the last few deeds.
  std::string some_place() {
    const auto recent = std::min<std::size_t>(places.size(), 4);
    return places[places.size() - 1 - random() % recent];
  }

  /// What `delivery:` may say; none of it changes what arrives.
  std::string some_limits() { return fmt::format("delivery: {{max_rows: {}}}\n", 100 + random() % 5000); }

  void restart() {
    mirror->kill9();
    ASSERT_TRUE(mirror->start().ok());
  }

  /// Asks until it is done: a table that is being copied or catches up must first have arrived.
  void ask(std::vector<std::string> words) {
    script += "  " + fmt::format("{}\n", fmt::join(words, " "));
    words.insert(words.end(), {"--state", mirror->state()});
    const auto deadline = Clock::now() + kAlive;
    for (;;) {
      auto done = mirror->command(words);
      if (done.ok()) return;
      ASSERT_TRUE(mirror->running()) << mirror->log_tail();
      ASSERT_LT(Clock::now(), deadline) << done.error().message << mirror->log_tail();
      std::this_thread::sleep_for(milliseconds(50));
    }
  }
  /// Asks while `maia` is killed under it; whether it was done is not known.
  void ask_and_kill(std::vector<std::string> words) {
    script += "  " + fmt::format("{}\n", fmt::join(words, " "));
    words.insert(words.end(), {"--state", mirror->state()});
    std::jthread asking([&] { static_cast<void>(mirror->command(words)); });
    let_run(milliseconds(200));
    mirror->kill9();
    asking.join();
    ASSERT_TRUE(mirror->start().ok());
  }

  void do_one(Deed deed);
  void change_the_file(Deed deed);

  std::string script;
  std::vector<std::string> places;
};

void Operator::do_one(Deed deed) {
  const auto table = some_table();
  const auto database = some_database();
  const auto destination_name = some_destination();
  const auto place = some_place();
  const auto at = [](const std::string& verb, const std::string& of, const std::string& what) {
    return std::vector<std::string>{verb, "--destination", of, "--table", what};
  };
  const auto resync = [](const std::string& of, const std::string& what) {
    return std::vector<std::string>{"resync", what, "--destination", of};
  };
  // A key of coin that changed does not tell the large note, so a database cannot be sent coin again.
  const auto replay = [&](const std::string& of) {
    const auto what = of == "lines" ? table : one_of(std::array{"ledger", "acct"});
    return std::vector<std::string>{"replay", "--destination", of, "--table", what, "--from", place};
  };
  const auto rollback = [&](const std::string& what) {
    return std::vector<std::string>{"rollback", "--destination", database, "--table",
                                    what,       "--to",          place,    "--yes"};
  };
  switch (deed) {
    case Deed::pause_table:
      ask(at("pause", destination_name, table));
      let_run(milliseconds(800));
      ask(at("resume", destination_name, table));
      break;
    case Deed::pause_destination:
      ask({"pause", "--destination", destination_name});
      let_run(milliseconds(800));
      ask({"resume", "--destination", destination_name});
      break;
    case Deed::pause_over_a_kill:
      ask(at("pause", destination_name, table));
      restart();
      let_run(milliseconds(400));
      ask(at("resume", destination_name, table));
      break;
    case Deed::resync_table: ask(resync(database, table)); break;
    case Deed::resync_rows: {
      auto some = resync(database, "acct");
      some.insert(some.end(), {"--rows", "key < 40"});
      ask(some);
      break;
    }
    case Deed::resync_under_a_kill: ask_and_kill(resync(database, table)); break;
    case Deed::replay: ask(replay(destination_name)); break;
    case Deed::replay_under_a_kill: ask_and_kill(replay(database)); break;
    case Deed::rollback:
      ask(rollback("acct"));
      let_run(milliseconds(400));
      ask(at("resume", database, "acct"));
      break;
    case Deed::rollback_over_a_kill:
      ask(rollback("ledger"));
      restart();
      ask(at("resume", database, "ledger"));
      break;
    case Deed::leave_a_table_out:
    case Deed::change_limits:
    case Deed::change_limits_under_a_kill: change_the_file(deed); break;
    case Deed::kill_maia: restart(); break;
    case Deed::kill_server: kill_a_server(); break;
  }
}

void Operator::change_the_file(Deed deed) {
  const std::string all = "ledger, acct, coin";
  if (deed == Deed::leave_a_table_out) {
    mirror->write(file_text(one_of(std::array{"ledger, acct", "ledger, coin"}), ""));
    ask({"apply", mirror->file(), "--yes"});
    let_run(milliseconds(400));
  }
  mirror->write(file_text(all, some_limits()));
  const std::vector<std::string> apply = {"apply", mirror->file(), "--yes"};
  if (deed == Deed::change_limits_under_a_kill) {
    ask_and_kill(apply);
  } else {
    ask(apply);
  }
}

TEST_F(Operator, whatever_he_does_in_whatever_order_every_destination_is_exact_at_the_end) {
  const int deeds = long_run() ? 400 : 20;
  ASSERT_TRUE(mirror->start().ok());
  // The journal cannot go back to a place before its own beginning.
  const auto begun =
      mirror->await({"status", "--json", "--state", mirror->state()}, "\"capture\":\"streaming\"");
  ASSERT_TRUE(begun.ok()) << begun.error().message;
  testing::LedgerWorkload workload(options);
  workload.start();
  // Each deed once in random order, then whichever.
  std::vector<Deed> order;
  for (std::size_t i = 0; i < kNames.size(); ++i) order.push_back(static_cast<Deed>(i));
  std::shuffle(order.begin(), order.end(), random);
  while (order.size() < static_cast<std::size_t>(deeds)) order.push_back(one_of(order));
  for (const auto deed : order) {
    places.push_back(source->query("select pg_current_wal_insert_lsn()").value()[0][0].value());
    script += fmt::format("{}\n", kNames[static_cast<std::size_t>(deed)]);
    do_one(deed);
    let_run(milliseconds(500));
    if (HasFatalFailure()) break;
  }
  const auto worked = workload.stop();
  EXPECT_TRUE(worked.ok()) << worked.error().message;
  mirror->stop();
  const auto caught_up = mirror->catch_up();
  EXPECT_TRUE(caught_up.ok()) << caught_up.error().message;
  expect_databases_exact();
  // Lines that were sent again come twice; a large value that was left out cannot be told again by them.
  expect_lines_hold(read_lines(), {"ledger", "acct"});
  if (HasFailure()) fmt::print("what was done:\n{}", script);
}

}  // namespace
}  // namespace maia::tests
