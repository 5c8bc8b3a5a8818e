// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "maia/base/disk.h"
#include "maia/journal/journal_state.h"
#include "maia/journal/recovery.h"
#include "maia/journal/running_transactions.h"
#include "maia/journal/segment_files.h"
#include "maia/journal/segment_writer.h"

namespace maia::journal {
class Lookup;
}

namespace maia {

/// A journal in segment files of one directory. `start`, `reset`, `append` and `sync` belong to one thread;
/// as do `mend` and `hold_until_synced`; everything else may be called from any.
class LocalJournal final : public Journal {
 public:
  struct Options {
    std::string directory;
    std::uint64_t segment_bytes = 64 << 20;  ///< a segment is closed when it has grown to this
    std::uint64_t recent_bytes = 16 << 20;   ///< windows kept in memory for cursors that keep up
  };
  /// Creates the directory if it is missing, takes its lock and recovers. Code::unavailable when another
  /// process has it; Code::storage when the disk refuses; Code::corruption when a byte is not what was
  /// written.
  static Result<std::unique_ptr<LocalJournal>> open(Disk& disk, Options options);

  /// What recovery had to cut off, for the log.
  const std::optional<journal::TornTail>& torn_tail() const { return torn_; }

  Tail tail() const override;
  Status start(Epoch run) override;
  Status reset(Sequence base, const Position& position) override;
  Result<Sequence> append(StreamEvent event) override;
  Result<Sequence> sync() override;
  void hold_until_synced(bool on) override;
  Status mend() override;
  Status close() override;
  Result<std::unique_ptr<JournalCursor>> read(Sequence after) override;
  Result<Sequence> before_time(WallMicros moment, WallMicros now) override;
  Result<Sequence> up_to_position(const Position& position, const PositionOrder& order) override;
  Result<Position> end_of(Sequence sequence) override;
  Status release(Sequence through) override;
  std::vector<Part> parts() const override;
  std::vector<SchemaRef> latest_schemas() const override;
  std::uint64_t disk_bytes() const override;

 private:
  /// Asks about the segments as they are now; again when one of them was removed meanwhile.
  template <class Ask>
  auto look_up(Ask ask) -> std::invoke_result_t<Ask, journal::Lookup&>;
  LocalJournal(std::shared_ptr<journal::JournalState> state, Options options, std::unique_ptr<DiskLock> lock)
      : state_(std::move(state)),
        options_(std::move(options)),
        lock_(std::move(lock)),
        removal_(state_->disk, options_.directory) {}

  Status open_writer(journal::Recovered recovered);
  /// Runs one call of the appender, and remembers its error for the next ones.
  template <class Call>
  auto guarded(Call call) -> decltype(call());
  Status roll_if_full();
  Status roll();
  Result<journal::Place> write(journal::RecordType type, Sequence sequence, ByteView payload);
  Result<Bytes> encode(const Window& window);
  Result<Sequence> append_window(Window window);
  Status append_fragment(StreamEvent::Fragment fragment);
  Status append_abort(const StreamEvent::Abort& abort);
  Result<Sequence> append_commit(const StreamEvent::Commit& commit);
  /// Where a cursor begins that has read up to `after`.
  Result<journal::Place> place_after(Sequence after) const;
  /// Makes what was written visible. `sequence` is new for windows and commits.
  void publish(Sequence sequence, const Position& position, const std::vector<journal::SchemaUse>& schemas,
               journal::RecentWindows::Entry entry, const WindowRef& end_of_ahead = nullptr);
  /// Shows cursors a fragment before its transaction commits. `alone`: no transaction ran before it.
  void show_ahead(bool alone, StreamEvent::Fragment fragment, journal::Place place);
  bool is_ahead(const std::string& transaction) const;
  /// Nothing that was shown ahead counts.
  void take_ahead_back();
  /// Shows cursors what they may see by now.
  void show();
  void note_written();

  const std::shared_ptr<journal::JournalState> state_;
  const Options options_;
  const std::unique_ptr<DiskLock> lock_;
  std::optional<journal::TornTail> torn_;

  // The appender's own.
  std::unique_ptr<journal::SegmentWriter> writer_;
  journal::RunningTransactions running_;
  Sequence last_;
  Position position_;
  std::uint64_t needs_from_ = 0;  ///< of the current segment
  journal::CommitSpan span_;      ///< likewise
  bool dirty_ = false;            ///< something was appended since the last sync
  bool hold_ = false;             ///< cursors see only what is synced
  std::optional<Error> broken_;

  std::mutex release_mutex_;
  journal::SegmentRemoval removal_;  // guarded by release_mutex_
};

}  // namespace maia
