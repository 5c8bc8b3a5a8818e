// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "maia/journal/local_journal.h"
#include "maia/testing/fault_disk.h"
#include "maia/testing/random_window.h"

namespace maia::journal {

using testing::dump;
using testing::FaultDisk;
using testing::RandomWindows;

/// What the tests of the local journal share: a journal on a fault disk, and streams of random events.
class JournalTest : public ::testing::Test {
 protected:
  static constexpr const char* kDirectory = "/state/journal";

  void open(std::uint64_t segment_bytes = 64 << 20, std::uint64_t recent_bytes = 16 << 20) {
    journal.reset();
    auto opened = LocalJournal::open(disk, {kDirectory, segment_bytes, recent_bytes});
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    journal = std::move(opened).value();
  }

  /// A window with the rows of one transaction; the position's token is the number.
  Window window(std::uint64_t number, std::size_t rows = 3) {
    auto made = random.window(schema, rows);
    made.end.token = std::to_string(number);
    made.transactions.push_back({made.end, "tx" + std::to_string(number), 1'000, 0});
    return made;
  }
  Status append(std::uint64_t number, std::size_t rows = 3) {
    auto made = window(number, rows);
    expected.push_back(dump(with_sequence(made, expected.size() + 1)));
    return appended(StreamEvent{StreamEvent::Changes{std::move(made)}});
  }
  Status appended(StreamEvent event) {
    auto result = journal->append(std::move(event));
    if (!result.ok()) return result.error();
    return {};
  }
  static Window& with_sequence(Window& window, std::uint64_t sequence) {
    window.sequence.value = sequence;
    return window;
  }

  /// A batch of inserts whose only column tells the ordinal.
  Batch inserts(std::uint64_t first, std::uint64_t end) {
    Batch batch(narrow);
    for (auto ordinal = first; ordinal < end; ++ordinal) {
      batch.begin_row(Op::insert, ordinal);
      batch.mutable_after(0).push_fixed(static_cast<std::int64_t>(ordinal));
      batch.finish_row();
    }
    return batch;
  }
  Status fragment(const std::string& transaction, std::uint64_t first, std::uint64_t end) {
    Window piece;
    piece.items.emplace_back(inserts(first, end));
    return appended({StreamEvent::Fragment{transaction, std::move(piece)}});
  }
  Status commit(const std::string& transaction, const std::string& position) {
    return appended({StreamEvent::Commit{transaction, {Position{position}, transaction, 5, 0}}});
  }
  Status abort(const std::string& transaction, std::uint64_t from) {
    return appended({StreamEvent::Abort{transaction, from}});
  }

  /// Everything behind `after`, until nothing more is there.
  static std::vector<WindowRef> read_all(Journal& journal, std::uint64_t after = 0) {
    auto cursor = journal.read(Sequence{after});
    EXPECT_TRUE(cursor.ok()) << cursor.error().message;
    return cursor.ok() ? read_all(**cursor) : std::vector<WindowRef>{};
  }
  static std::vector<WindowRef> read_all(JournalCursor& cursor) {
    std::vector<WindowRef> windows;
    for (;;) {
      auto next = cursor.next(std::chrono::milliseconds(0), {});
      EXPECT_TRUE(next.ok()) << next.error().message;
      if (!next.ok() || !*next) return windows;
      windows.push_back(**next);
    }
  }
  static std::vector<std::string> dumps(const std::vector<WindowRef>& windows) {
    std::vector<std::string> texts;
    for (const auto& each : windows) texts.push_back(dump(*each));
    return texts;
  }
  /// The ordinals of all rows, as "0 1 2".
  static std::string ordinals(const std::vector<WindowRef>& windows) {
    std::string text;
    for (const auto& each : windows) {
      for (const auto& item : each->items) {
        if (const auto* batch = std::get_if<Batch>(&item)) {
          for (const auto ordinal : batch->ordinals()) text += fmt::format("{} ", ordinal);
        }
      }
    }
    return text;
  }
  std::vector<std::string> segment_files() {
    auto names = disk.list(kDirectory);
    EXPECT_TRUE(names.ok());
    return names.ok() ? *names : std::vector<std::string>{};
  }

  FaultDisk disk;
  RandomWindows random{42};
  SchemaRef schema = random.schema();
  SchemaRef narrow = [] {
    auto made = std::make_shared<TableSchema>();
    made->id = "narrow";
    made->name = {"public", "narrow"};
    made->columns.push_back({.name = "id", .type = Type::of(TypeId::int64), .in_key = true, .id = {}});
    return made;
  }();
  std::unique_ptr<LocalJournal> journal;
  std::vector<std::string> expected;  ///< dumps of what `append` appended
};

}  // namespace maia::journal
