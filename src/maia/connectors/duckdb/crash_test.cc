// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "maia/connectors/duckdb/destination_fixture.h"

namespace maia::duckdb {
namespace {

/// A child writes windows and is killed in the midst of it; what it left must be whole. Window n moves n from
/// row 1 to row 2, replaces row 3 and 100 large ones, adds row 1000 + n, and its checkpoint says n.
class CrashTest : public DestinationTest {
 protected:
  static TableTarget accounts() {
    return target(schema({{.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true},
                          {.name = "balance", .type = Type::of(TypeId::int64)},
                          {.name = "note", .type = Type::text()}}));
  }

  /// In the child: never returns.
  [[noreturn]] void write_for_ever(int report) {
    auto& destination = open();
    const auto table = accounts();
    auto sequence = opened_.checkpoint.sequence.value;
    auto from = query("SELECT balance FROM s.t WHERE id = 1").at(0).at(0);
    auto balance = std::stoll(*from);
    const std::string note(20'000, 'n');
    for (;;) {
      ++sequence;
      balance -= static_cast<long long>(sequence);
      Batch batch(table.schema);
      push(batch, Op::update, {"1", std::to_string(balance), kUnchanged});
      push(batch, Op::update, {"2", std::to_string(-balance), "to"});
      push(batch, Op::remove, {}, {"3", kUnchanged, kUnchanged});
      push(batch, Op::insert, {"3", std::to_string(sequence), note});
      push(batch, Op::insert, {std::to_string(1000 + sequence), "0", note});
      // So much that DuckDB moves its log into the file every few windows.
      for (int id = 100; id < 200; ++id) {
        push(batch, Op::update, {std::to_string(id), std::to_string(sequence), note});
      }
      if (!destination.begin().ok() || !write(table, batch).ok()) ::_exit(2);
      if (!destination.commit({.sequence = {sequence}, .position = {std::to_string(sequence)}}).ok())
        ::_exit(3);
      if (::write(report, &sequence, sizeof(sequence)) != sizeof(sequence)) ::_exit(4);
    }
  }

  /// Lets a child confirm `windows`, and kills it within the next; the last window that it confirmed.
  std::uint64_t kill_after(int windows, std::chrono::microseconds later) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    destination_.reset();
    const auto child = ::fork();
    if (child == 0) write_for_ever(ends[1]);
    ::close(ends[1]);
    std::uint64_t confirmed = 0;
    for (int i = 0; i < windows; ++i) {
      EXPECT_EQ(::read(ends[0], &confirmed, sizeof(confirmed)), ssize_t{sizeof(confirmed)});
    }
    std::this_thread::sleep_for(later);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child gave up with " << WEXITSTATUS(status);
    for (std::uint64_t more = 0; ::read(ends[0], &more, sizeof(more)) == sizeof(more);) confirmed = more;
    ::close(ends[0]);
    return confirmed;
  }
};

TEST_F(CrashTest, a_killed_writer_leaves_whole_windows_and_all_that_it_confirmed) {
  const auto table = accounts();
  prepare(table);
  Batch first(table.schema);
  push(first, Op::insert, {"1", "0", "from"});
  push(first, Op::insert, {"2", "0", "to"});
  write_and_commit(table, first);
  std::uint64_t before = 0;
  for (int round = 0; round < 20; ++round) {
    const auto confirmed = kill_after(1 + round % 12, std::chrono::microseconds(round * 397 % 5000));
    open();
    const auto kept = opened_.checkpoint.sequence.value;
    ASSERT_GE(kept, confirmed);
    ASSERT_LE(kept, confirmed + 1) << "at most one window was under way";
    ASSERT_GT(kept, before);
    EXPECT_EQ(opened_.checkpoint.position.token, std::to_string(kept));
    EXPECT_EQ(query("SELECT sum(balance)::BIGINT FROM t WHERE id < 3"), (Rows{{"0"}}));
    EXPECT_EQ(query("SELECT balance FROM t WHERE id = 3"), (Rows{{std::to_string(kept)}}));
    EXPECT_EQ(query("SELECT -balance FROM t WHERE id = 1"), (Rows{{std::to_string(kept * (kept + 1) / 2)}}));
    EXPECT_EQ(query("SELECT count(*), max(id) FROM t WHERE id > 1000"),
              (Rows{{std::to_string(kept), std::to_string(1000 + kept)}}));
    EXPECT_EQ(query("SELECT count(*), min(balance), max(balance) FROM t WHERE id BETWEEN 100 AND 200"),
              (Rows{{"100", std::to_string(kept), std::to_string(kept)}}));
    before = kept;
  }
}

TEST_F(CrashTest, a_file_that_another_process_has_open_is_named_with_what_to_do) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const auto child = ::fork();
  if (child == 0) {
    open();
    ::close(ends[1]);
    ::pause();
    ::_exit(0);
  }
  ::close(ends[1]);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "the child has the file when it closes its end";
  DuckDbDestination second(config_);
  const auto opened = second.open("p");
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, testing::HasSubstr("another process has the file open"));
  EXPECT_THAT(opened.error().message, testing::HasSubstr("PID " + std::to_string(child)));
  EXPECT_THAT(opened.error().hint, testing::HasSubstr("maia query"));
}

}  // namespace
}  // namespace maia::duckdb
