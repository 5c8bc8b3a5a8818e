// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "maia/journal/journal.h"
#include "maia/journal/lookup.h"

namespace maia {

/// Looks into a local journal's directory without its lock, while another process may be writing into it and
/// removing from it. Writes nothing. Each call sees the directory as it is then; used from one thread.
/// Code::corruption as in LocalJournal, but an end that does not verify counts as not yet written.
class JournalReader {
 public:
  /// Code::invalid_config if no journal is there.
  static Result<std::unique_ptr<JournalReader>> open(Disk& disk, std::string directory);

  /// Reads the last segment through.
  Result<Journal::Tail> tail();
  /// As in Journal. The cursor follows what is being written; when the journal was begun anew behind it,
  /// its next call is Code::lost_history.
  Result<std::unique_ptr<JournalCursor>> read(Sequence after);
  Result<Sequence> before_time(WallMicros moment, WallMicros now);
  Result<Sequence> up_to_position(const Position& position, const PositionOrder& order);

  /// The newest shape of each table that retained changes speak of, as far as the newest segment knows it.
  Result<std::vector<SchemaRef>> shapes();

  const std::string& directory() const { return directory_; }

 private:
  JournalReader(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}
  /// What is there; segments that are being removed are left out.
  Result<std::vector<std::uint64_t>> segments();
  /// Asks again when a segment was removed meanwhile.
  template <class Ask>
  auto ask(Ask ask) -> decltype(ask(std::declval<journal::Lookup&>()));

  Disk& disk_;
  std::string directory_;
  std::shared_ptr<journal::SchemaPool> pool_ = std::make_shared<journal::SchemaPool>();
};

}  // namespace maia
