// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "maia/connector/destination.h"

namespace maia::kafka {

/// Which of a row's two keys: that before the change, or that after it.
enum class KeyImage : bool { before, after };

/// Gives keys and values of records their bytes. `topic` is where the record goes.
class ChangeEncoder {
 public:
  virtual ~ChangeEncoder() = default;
  /// Only for a target that has a key.
  virtual Result<std::string> key(const std::string& topic, const TableTarget& target, const Batch& batch,
                                  std::size_t row, KeyImage image) = 0;
  virtual Result<std::string> value(const std::string& topic, const TableTarget& target, const Batch& batch,
                                    std::size_t row, const Transaction& transaction,
                                    WallMicros written_at) = 0;
  virtual Result<std::string> truncate(const std::string& topic, const TableTarget& target,
                                       WallMicros written_at) = 0;
  virtual std::string_view content_type() const = 0;
  /// Forgets what it knows of tables, whose shapes may be gone.
  virtual void forget() = 0;
};

}  // namespace maia::kafka
