// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "maia/codec/json_writer.h"
#include "maia/connector/destination.h"
#include "maia/connectors/kafka/destination_config.h"

namespace maia::kafka {

/// One record that stands for a change, or a part of it.
struct ChangeRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;  ///< nothing: a tombstone
};

/// Puts changes into records. A change is one record, and a delete of a row with a key is followed by its
/// tombstone; an update that changes the key is the delete of the old one and an insert of the new one.
class ChangeRecords {
 public:
  ChangeRecords(Format format, bool tombstones, std::string pipeline)
      : format_(format), tombstones_(tombstones), pipeline_(std::move(pipeline)) {}

  /// Valid until the next call.
  const std::vector<ChangeRecord>& of_row(const TableTarget& target, const Batch& batch, std::size_t row,
                                          const Transaction& transaction, WallMicros written_at);
  std::string of_truncate(const TableTarget& target, WallMicros written_at);
  /// Forgets what it knows of tables, whose shapes may be gone.
  void forget() { writers_.clear(); }

 private:
  const codec::JsonWriter& writer_of(const TableTarget& target);
  void append(const TableTarget& target, const Batch& batch, std::size_t row, const Transaction& transaction,
              WallMicros written_at);
  void append_event(std::string& out, const TableTarget& target, const Batch& batch, std::size_t row,
                    const Transaction& transaction, WallMicros written_at);

  const Format format_;
  const bool tombstones_;
  const std::string pipeline_;
  std::map<std::pair<TableName, SchemaRef>, codec::JsonWriter> writers_;
  std::vector<ChangeRecord> records_;
};

/// The key of a row as it was before the change, as JSON: {"id":7}. Nothing for a table without a key.
enum class KeyImage : bool { before, after };
std::optional<std::string> key_json(const TableTarget& target, const Batch& batch, std::size_t row,
                                    KeyImage image);

}  // namespace maia::kafka
