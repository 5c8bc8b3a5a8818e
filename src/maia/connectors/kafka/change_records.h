// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "maia/connectors/kafka/change_encoder.h"

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
  ChangeRecords(std::unique_ptr<ChangeEncoder> encoder, bool tombstones)
      : encoder_(std::move(encoder)), tombstones_(tombstones) {}

  ChangeEncoder& encoder() { return *encoder_; }
  /// Valid until the next call.
  Result<const std::vector<ChangeRecord>*> of_row(const std::string& topic, const TableTarget& target,
                                                  const Batch& batch, std::size_t row,
                                                  const Transaction& transaction, WallMicros written_at);

 private:
  Result<bool> key_changes(const std::string& topic, const TableTarget& target, const Batch& batch,
                           std::size_t row);
  Status append(const std::string& topic, const TableTarget& target, const Batch& batch, std::size_t row,
                const Transaction& transaction, WallMicros written_at);

  const std::unique_ptr<ChangeEncoder> encoder_;
  const bool tombstones_;
  std::vector<ChangeRecord> records_;
};

}  // namespace maia::kafka
